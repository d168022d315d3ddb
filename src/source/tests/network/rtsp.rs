//! An RTSP camera (RFC 2326) that sends committed H.264 as RTP (RFC 6184), one scripted session after the other.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use http_auth::{PasswordClient, PasswordParams};

/// Largest payload of a packet; small, so that most pictures take several (FU-A).
const PAYLOAD: usize = 48;
const CHALLENGE: &str = "Digest realm=\"cam\", nonce=\"b5d2\"";

/// What a session does when it plays, step by step.
#[derive(Clone)]
pub(crate) enum Step {
    /// Sends a picture.
    Send(Vec<Vec<u8>>),
    /// Sends a picture that is shown as the one of this number, whatever number it is sent as.
    SendAs(Vec<Vec<u8>>, u32),
    /// Loses the packet of this index of a picture, and sends the others.
    Lose(Vec<Vec<u8>>, usize),
    /// Sends nothing for so long.
    Wait(Duration),
    /// Sends what this makes of 0, 1, 2 … until the client goes.
    Pour(fn(u64) -> Vec<u8>),
    /// Closes the connection.
    Close,
    /// Stays silent until the client goes.
    Hang,
}

/// One session of a camera.
#[derive(Clone)]
pub(crate) struct Script {
    /// User and password that a Digest challenge asks for.
    pub login: Option<(&'static str, &'static str)>,
    /// Answers DESCRIBE with this code and nothing else.
    pub refusal: Option<&'static str>,
    /// The encoding name of the description.
    pub codec: &'static str,
    /// SPS and PPS of the description, in base64.
    pub parameters: Option<&'static str>,
    pub steps: Vec<Step>,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self { login: None, refusal: None, codec: "H264", parameters: None, steps }
    }
}

/// Sends pictures with a pause after each, so that a client that keeps up sees them all.
pub(crate) fn send(units: &[Vec<Vec<u8>>]) -> Vec<Step> {
    let pause = Step::Wait(Duration::from_millis(15));
    units.iter().flat_map(|unit| [Step::Send(unit.clone()), pause.clone()]).collect()
}

/// A camera; session n follows script n, and those after the last script hang up at once.
pub(crate) struct Camera {
    pub address: SocketAddr,
    /// What the clients asked for: method, address and headers.
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Camera {
    pub(crate) fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&requests);
        thread::spawn(move || {
            let mut scripts = scripts.into_iter();
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                let (stream, heard) = (stream.unwrap(), Arc::clone(&heard));
                match scripts.next() {
                    // The client may end a session at any time.
                    Some(script) => kept.push(thread::spawn(move || serve(stream, &script, &heard))),
                    None => drop(stream),
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://{}/stream", self.address)
    }

    pub(crate) fn heard(&self, text: &str) -> bool {
        self.requests.lock().unwrap().iter().any(|request| request.contains(text))
    }
}

struct Request {
    method: String,
    uri: String,
    headers: HashMap<String, String>,
}

fn request(input: &mut impl BufRead) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" if lines.is_empty() => {}
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let mut words = lines[0].split(' ').map(str::to_owned);
    let (method, uri) = (words.next()?, words.next()?);
    let header = |line: &String| {
        line.split_once(':').map(|(key, value)| (key.to_lowercase(), value.trim().to_owned()))
    };
    Some(Request { method, uri, headers: lines[1..].iter().filter_map(header).collect() })
}

/// Whether the client knows the password: both ends do the same sum.
fn is_allowed(request: &Request, (username, password): (&str, &str)) -> bool {
    let (method, uri, body) = (request.method.as_str(), request.uri.as_str(), Some(&[] as &[u8]));
    let mut client = PasswordClient::try_from(CHALLENGE).unwrap();
    let expected = client.respond(&PasswordParams { username, password, uri, method, body }).unwrap();
    request.headers.get("authorization") == Some(&expected)
}

fn serve(stream: TcpStream, script: &Script, heard: &Mutex<Vec<String>>) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    let mut output = stream.try_clone().unwrap();
    let mut input = BufReader::new(stream);
    let mut datagrams = None;
    loop {
        let request = request(&mut input)?;
        heard.lock().unwrap().push(format!("{} {} {:?}", request.method, request.uri, request.headers));
        let mut answer = |status: &str, headers: &str, body: &str| {
            let cseq = &request.headers["cseq"];
            let text = format!(
                "RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            output.write_all(text.as_bytes()).ok()
        };
        if script.login.is_some_and(|login| !is_allowed(&request, login)) {
            answer("401 Unauthorized", &format!("WWW-Authenticate: {CHALLENGE}\r\n"), "")?;
            continue;
        }
        match request.method.as_str() {
            "DESCRIBE" => match script.refusal {
                Some(refusal) => answer(refusal, "", "")?,
                None => answer("200 OK", "Content-Type: application/sdp\r\n", &description(script))?,
            },
            "SETUP" => {
                let mut transport = request.headers["transport"].clone();
                if let Some((_, ports)) = transport.clone().split_once("client_port=") {
                    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                    let port = ports.split('-').next().unwrap().parse::<u16>().unwrap();
                    socket.connect(("127.0.0.1", port)).unwrap();
                    let own = socket.local_addr().unwrap().port();
                    transport += &format!(";server_port={own}-{}", own.wrapping_add(1));
                    datagrams = Some(socket);
                }
                answer("200 OK", &format!("Session: 7;timeout=60\r\nTransport: {transport}\r\n"), "")?;
            }
            "PLAY" => {
                answer("200 OK", "Session: 7\r\n", "")?;
                break;
            }
            _ => answer("501 Not Implemented", "", "")?,
        }
    }
    let mut sender = Sender { sequence: 0, stamp: 0, output, datagrams };
    for step in &script.steps {
        match step {
            Step::Send(unit) => sender.send(unit, None)?,
            Step::SendAs(unit, number) => {
                sender.stamp = 9000 * number;
                sender.send(unit, None)?;
            }
            Step::Lose(unit, packet) => sender.send(unit, Some(*packet))?,
            Step::Wait(time) => thread::sleep(*time),
            Step::Pour(piece) => {
                for number in 0.. {
                    sender.output.write_all(&piece(number)).ok()?;
                    if number % 32 == 31 {
                        thread::sleep(Duration::from_millis(3));
                    }
                }
            }
            Step::Close => return None,
            Step::Hang => break,
        }
    }
    while let Some(request) = request(&mut input) {
        heard.lock().unwrap().push(request.method.clone());
        let answer = format!("RTSP/1.0 200 OK\r\nCSeq: {}\r\n\r\n", request.headers["cseq"]);
        sender.output.write_all(answer.as_bytes()).ok()?;
    }
    Some(())
}

fn description(script: &Script) -> String {
    let parameters = script.parameters.map_or(String::new(), |sets| format!(";sprop-parameter-sets={sets}"));
    format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\n\
         m=audio 0 RTP/AVP 0\r\na=control:track1\r\n\
         m=video 0 RTP/AVP 96\r\na=rtpmap:96 {}/90000\r\na=fmtp:96 packetization-mode=1{parameters}\r\ngarbage\r\na=control:track2\r\n",
        script.codec
    )
}

/// A packet on a channel of the connection.
pub(crate) fn on_channel(channel: u8, packet: &[u8]) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
    [&[b'$', channel], length.as_slice(), packet].concat()
}

/// An RTP packet of the pictures' stream.
pub(crate) fn rtp(sequence: u16, stamp: u32, ends: bool, payload: &[u8]) -> Vec<u8> {
    let head = [0x80, u8::from(ends) << 7 | 96];
    [&head[..], &sequence.to_be_bytes(), &stamp.to_be_bytes(), b"test", payload].concat()
}

struct Sender {
    sequence: u16,
    stamp: u32,
    output: TcpStream,
    /// In place of `output`.
    datagrams: Option<UdpSocket>,
}

impl Sender {
    /// Sends a picture, ten of which make a second.
    fn send(&mut self, unit: &[Vec<u8>], lost: Option<usize>) -> Option<()> {
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        for nal in unit {
            if nal.len() <= PAYLOAD {
                payloads.push(nal.clone());
                continue;
            }
            let pieces: Vec<&[u8]> = nal[1..].chunks(PAYLOAD).collect();
            for (index, piece) in pieces.iter().enumerate() {
                let ends = u8::from(index == 0) << 7 | u8::from(index + 1 == pieces.len()) << 6;
                payloads.push([&[nal[0] & 0xe0 | 28, ends | nal[0] & 0x1f], *piece].concat());
            }
        }
        for (index, payload) in payloads.iter().enumerate() {
            let packet = rtp(self.sequence, self.stamp, index + 1 == payloads.len(), payload);
            self.sequence = self.sequence.wrapping_add(1);
            if lost == Some(index) {
                continue;
            }
            match &self.datagrams {
                Some(socket) => drop(socket.send(&packet).ok()?),
                None => self.output.write_all(&on_channel(0, &packet)).ok()?,
            }
        }
        self.stamp += 9000;
        Some(())
    }
}
