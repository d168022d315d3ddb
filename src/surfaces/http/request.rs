//! The head of a request, strictly: what two servers could read in two ways is refused.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;

/// Most bytes of a head.
pub(super) const LONGEST: usize = 16 * 1024;
/// Most header lines.
const HEADERS: usize = 64;

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
}

/// How the body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunks,
}

/// A request without its body.
#[derive(Debug)]
pub(super) struct Head {
    pub method: Method,
    /// What stands between the slashes, decoded.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub length: Length,
    /// Whether another request may follow on the connection.
    pub keep: bool,
    /// Whether it is of version 1.0.
    pub is_old: bool,
}

/// A request with all that is known of it.
pub(super) struct Request {
    pub head: Head,
    pub peer: IpAddr,
    /// The parts of the path that the route leaves open.
    pub parts: Vec<String>,
    pub body: Vec<u8>,
}

/// Why a head is refused: the status, and what to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub u16, pub &'static str);

impl Method {
    fn of(name: &str) -> Result<Self, Refused> {
        Ok(match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => {
                return Err(Refused(
                    501,
                    "found a method that nothing here has, expected GET, HEAD, POST, PUT or DELETE",
                ));
            }
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

impl Head {
    /// Reads the head at the beginning of `bytes`, and how long it is; `None` if there is more to come.
    ///
    /// # Errors
    /// It is no head, or one that is not taken.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, Refused> {
        let mut lines = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut lines);
        let length = match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() < LONGEST => return Ok(None),
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Err(Refused(
                    431,
                    "found more header lines than are taken, expected 64 of 16 KB in all",
                ));
            }
            Err(_) => return Err(Refused(400, "found something else than a request of HTTP/1.1")),
        };
        let is_old = request.version == Some(0);
        let method = Method::of(request.method.unwrap_or_default())?;
        let (path, query) = target(request.path.unwrap_or_default())?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in request.headers.iter() {
            let value = std::str::from_utf8(line.value);
            let value = value.map_err(|_| Refused(400, "found a header that is not UTF-8"))?;
            headers.push((line.name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut head = Self { method, path, query, headers, length: Length::Bytes(0), keep: !is_old, is_old };
        head.length = head.framing()?;
        if head.all("host").count() > 1 || !is_old && head.get("host").is_none() {
            return Err(Refused(400, "found no Host, or several, expected one"));
        }
        let connection = head.get("connection").unwrap_or_default().to_ascii_lowercase();
        if connection.split(',').any(|word| word.trim() == "close") {
            head.keep = false;
        }
        Ok(Some((head, length)))
    }

    /// The value of a header; the first, if there are several.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a key of the query; the last, if there are several.
    pub(super) fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().rev().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    /// All values of a key of the query, each of which may be a comma list.
    pub(super) fn query_list(&self, key: &str) -> Vec<&str> {
        let values = self.query.iter().filter(|(found, _)| found == key);
        values
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect()
    }

    fn framing(&self) -> Result<Length, Refused> {
        let mut lengths = self.all("content-length");
        let (length, others) = (lengths.next(), lengths.count());
        let codings: Vec<&str> = self.all("transfer-encoding").collect();
        match (length, codings.as_slice()) {
            (None, []) => Ok(Length::Bytes(0)),
            (Some(text), [])
                if others == 0 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                text.parse().map(Length::Bytes).map_err(|_| Refused(413, "found a body longer than any"))
            }
            (Some(_), _) => {
                Err(Refused(400, "found a Content-Length that is no number, or not the only one"))
            }
            (None, [coding]) if coding.eq_ignore_ascii_case("chunked") && !self.is_old => Ok(Length::Chunks),
            (None, _) => Err(Refused(501, "found a transfer coding other than chunked")),
        }
    }
}

/// Path and query of a target such as `/api/v1/events?limit=5`.
#[expect(clippy::type_complexity, reason = "two lists")]
fn target(text: &str) -> Result<(Vec<String>, Vec<(String, String)>), Refused> {
    const ODD: Refused = Refused(
        400,
        "found a path that cannot be read, expected one that begins with / in UTF-8, percent-encoded",
    );
    let decoded = |text: &str| {
        let plain = percent_decode_str(text).decode_utf8().ok()?;
        (!plain.chars().any(char::is_control)).then(|| plain.into_owned())
    };
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = path.strip_prefix('/').ok_or(ODD)?;
    let parts: Option<Vec<String>> = path.split('/').map(decoded).collect();
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(&key.replace('+', " "))?, decoded(&value.replace('+', " "))?))
    });
    Ok((parts.ok_or(ODD)?, pairs.collect::<Option<Vec<_>>>().ok_or(ODD)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<(Head, usize)>, Refused> {
        Head::read(text.as_bytes())
    }

    fn refused(text: &str) -> u16 {
        match read(text) {
            Err(Refused(status, _)) => status,
            Ok(found) => panic!("{text:?}: {found:?}"),
        }
    }

    #[test]
    fn a_request_is_taken_apart() {
        let text = "GET /api/v1/cameras/a%2Fb/frame.jpg?boxes=1&q=red+car%21&camera=a,b&camera=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nrest";
        let (head, length) = read(text).unwrap().unwrap();
        assert_eq!(&text[length..], "rest");
        assert_eq!(head.path, ["api", "v1", "cameras", "a/b", "frame.jpg"]);
        assert_eq!(
            (head.query("boxes"), head.query("q"), head.query("x")),
            (Some("1"), Some("red car!"), None)
        );
        assert_eq!(head.query_list("camera"), ["a", "b", "c"]);
        assert_eq!((head.method, head.keep, head.length), (Method::Get, false, Length::Bytes(0)));
        let body = "POST / HTTP/1.1\r\nhost: x\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(read(body).unwrap().unwrap().0.length, Length::Bytes(12));
        let chunks = "POST / HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: Chunked\r\n\r\n";
        assert_eq!(read(chunks).unwrap().unwrap().0.length, Length::Chunks);
        for end in 1..body.len() {
            assert!(read(&body[..end]).unwrap().is_none(), "{end}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let with = |lines: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n");
        for (lines, status) in [
            ("Content-Length: 1\r\nContent-Length: 2", 400),
            ("Content-Length: 1\r\nContent-Length: 1", 400),
            ("Content-Length: +1", 400),
            ("Content-Length: 1, 1", 400),
            ("Content-Length: -1", 400),
            ("Content-Length: 99999999999999999999999", 413),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
            ("Transfer-Encoding: gzip, chunked", 501),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501),
            ("Host: y", 400),
            ("X-A: b\r\n folded: c", 400),
            ("X A: b", 400),
            ("X-A: \u{7}", 400),
        ] {
            assert_eq!(refused(&with(lines)), status, "{lines}");
        }
        for (text, status) in [
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
            ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400),
            ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
            ("\u{16}\u{3}\u{1}", 400),
        ] {
            assert_eq!(refused(text), status, "{text:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
        assert_eq!(refused(&many), 431);
        assert_eq!(refused(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(LONGEST))), 431);
    }
}
