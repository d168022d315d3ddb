//! One connection: a request, the header of its response.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use url::{Host, Url};

use super::super::network::POLL;
use super::body::Body;
use super::stream::Stream;

/// Longest header in bytes.
const LONGEST_HEADER: usize = 64 << 10;
/// Bytes per read of a header.
const CHUNK: usize = 4096;

/// A response whose header has been read.
pub(super) struct Response<S = Stream> {
    pub status: u16,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    pub body: Body<S>,
}

impl<S> Response<S> {
    /// The values of a header, whose name is in lower case.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What is sent along with a request: its media type, and itself.
pub(super) type Content<'a> = Option<(&'a str, &'a str)>;

/// Requests `url`, sending `content` if there is any, and reads the header of the response, for at most `patience`; with
/// `tls`, encrypted.
///
/// # Errors
/// No connection, nothing in time ([`ErrorKind::TimedOut`]), a certificate that is not good, or no HTTP.
pub(super) fn ask(
    url: &Url,
    content: Content<'_>,
    authorization: Option<&str>,
    patience: Duration,
    tls: Option<Arc<ClientConfig>>,
) -> io::Result<Response> {
    let until = Instant::now() + patience;
    let socket = connect(url, until)?;
    let mut stream = match tls {
        Some(config) => Stream::encrypted(socket, url, config, until)?,
        None => Stream::Plain(socket),
    };
    stream.set_write_timeout(left(until)?)?;
    stream.write_all(request(url, content, authorization).as_bytes())?;
    let response = answer(stream, |stream| stream.set_read_timeout(left(until)?))?;
    response.body.input.set_read_timeout(POLL)?;
    Ok(response)
}

/// Reads the header of a response; `before` is called before each read.
pub(super) fn answer<S: Read>(
    mut stream: S,
    before: impl Fn(&S) -> io::Result<()>,
) -> io::Result<Response<S>> {
    let mut held = Vec::new();
    loop {
        // Interim responses precede the one that counts.
        let rest = head(&mut stream, &mut held, &before)?;
        let (status, headers) = parse(&held)
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "an answer that is not HTTP"))?;
        held = rest;
        if (100..200).contains(&status) {
            continue;
        }
        let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let chunked =
            value("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        let length =
            value("content-length").and_then(|length| length.parse().ok()).filter(|length| *length > 0);
        return Ok(Response { status, body: Body::new(stream, held, chunked, length), headers });
    }
}

fn request(url: &Url, content: Content<'_>, authorization: Option<&str>) -> String {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let authorization = authorization.map_or_else(String::new, |value| format!("Authorization: {value}\r\n"));
    let agent = concat!("edgeclip/", env!("CARGO_PKG_VERSION"));
    let method = method(content);
    let (about, body) = content.map_or_else(Default::default, |(media, body)| {
        (format!("Content-Type: {media}\r\nContent-Length: {}\r\n", body.len()), body)
    });
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\
         Connection: close\r\n{about}{authorization}\r\n{body}"
    )
}

/// How such a request is called.
pub(super) fn method(content: Content<'_>) -> &'static str {
    if content.is_some() { "POST" } else { "GET" }
}

/// The time until then.
///
/// # Errors
/// [`ErrorKind::TimedOut`] if there is none.
pub(super) fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Connects to the first of the host's addresses that answers.
fn connect(url: &Url, until: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "no address for this host");
    for address in addresses(url, until)? {
        match TcpStream::connect_timeout(&address, left(until)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The host's addresses. A name server that does not answer is waited for in a thread of its own, since nothing
/// else ends that wait.
fn addresses(url: &Url, until: Instant) -> io::Result<Vec<SocketAddr>> {
    let port = url.port_or_known_default().unwrap_or(80);
    let name = match url.host() {
        Some(Host::Ipv4(address)) => return Ok(vec![(address, port).into()]),
        Some(Host::Ipv6(address)) => return Ok(vec![(address, port).into()]),
        Some(Host::Domain(name)) => name.to_owned(),
        None => String::new(),
    };
    let (send, receive) = channel();
    thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody waits any more.
        let _ = send.send(found);
    })?;
    receive.recv_timeout(left(until)?).unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// Reads up to the empty line into `held`; what came behind it is returned.
fn head<S: Read>(
    stream: &mut S,
    held: &mut Vec<u8>,
    before: impl Fn(&S) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    loop {
        if let Some(end) = end_of_head(held) {
            return Ok(held.split_off(end));
        }
        if held.len() > LONGEST_HEADER {
            return Err(io::Error::new(ErrorKind::InvalidData, "a header of more than 64 KB"));
        }
        before(stream)?;
        let mut chunk = [0; CHUNK];
        match stream.read(&mut chunk) {
            Ok(0) => {
                return Err(io::Error::new(
                    ErrorKind::UnexpectedEof,
                    "the connection was closed without an answer",
                ));
            }
            Ok(count) => held.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
            Err(error) => return Err(error),
        }
    }
}

/// Index behind the first empty line, however lines end.
fn end_of_head(held: &[u8]) -> Option<usize> {
    let bare = held.windows(2).position(|bytes| bytes == b"\n\n").map(|at| at + 2);
    let full = held.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4);
    bare.into_iter().chain(full).min()
}

/// Status and headers. Some servers speak of `ICY` where they mean HTTP.
fn parse(head: &[u8]) -> Option<(u16, Vec<(String, String)>)> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let mut first = lines.next()?.split_ascii_whitespace();
    let protocol = first.next()?.to_ascii_uppercase();
    let status = first.next()?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned()));
    (protocol.starts_with("HTTP/") || protocol == "ICY").then(|| (status, headers.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_servers_write_them() {
        let (status, headers) =
            parse(b"HTTP/1.0 200 OK\r\nContent-TYPE : image/jpeg\r\nodd line\r\n\r\n").unwrap();
        assert_eq!((status, headers), (200, vec![("content-type".to_owned(), "image/jpeg".to_owned())]));
        assert_eq!(parse(b"ICY 200 OK\n\n").unwrap().0, 200);
        assert_eq!(parse(b"HTTP/1.1 404\r\n\r\n").unwrap().0, 404);
        assert!(parse(b"RTSP/1.0 200 OK\r\n\r\n").is_none() && parse(b"garbage\r\n\r\n").is_none());
        assert_eq!(end_of_head(b"a\r\nb\r\n\r\nc\n\n"), Some(8));
        assert_eq!(end_of_head(b"a\nb\n\nc"), Some(5));
    }

    /// Bytes in pieces of any size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(into.len());
            self.0.read(&mut into[..most])
        }
    }

    #[test]
    fn what_comes_with_an_interim_response_is_not_lost() {
        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\nX: y\r\n\r\n\
            HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\npicture";
        for piece in [1, 7, 40, 4096] {
            let mut response = answer(Pieces(text, piece), |_| Ok(())).unwrap();
            assert_eq!((response.status, response.body.length), (200, Some(7)), "{piece}");
            let mut body = String::new();
            response.body.read_to_string(&mut body).unwrap();
            assert_eq!(body, "picture", "{piece}");
        }
        let endless = b"HTTP/1.1 100 Continue\r\n\r\n";
        let error = answer(&endless[..], |_| Ok(())).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        let long = [&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'x'; 70_000]].concat();
        assert_eq!(answer(&long[..], |_| Ok(())).err().unwrap().to_string(), "a header of more than 64 KB");
    }

    #[test]
    fn a_request_names_host_and_port_and_no_password() {
        let url = Url::parse("http://[::1]:8080/a%20b?c=d#e").unwrap();
        let text = request(&url, None, Some("Basic eDp5"));
        assert!(text.starts_with("GET /a%20b?c=d HTTP/1.1\r\nHost: [::1]:8080\r\n"), "{text}");
        assert!(text.ends_with("Connection: close\r\nAuthorization: Basic eDp5\r\n\r\n"), "{text}");
        let text = request(&url, Some(("text/x", "hello")), None);
        assert!(text.starts_with("POST /a%20b?c=d HTTP/1.1\r\n"), "{text}");
        assert!(text.ends_with("\r\nContent-Type: text/x\r\nContent-Length: 5\r\n\r\nhello"), "{text}");
    }
}
