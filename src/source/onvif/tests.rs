use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::thread;

use super::*;

/// A camera that answers questions about itself to whoever knows the password, at 127.0.0.1; where to ask who is there.
fn device() -> (String, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut body) = (String::new(), Vec::new());
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap_or(0) > 0 {}
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
            body.resize(length.parse().unwrap(), 0);
            stream.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            let login = head.contains("Authorization: Digest username=\"ad min\"");
            let (status, answer) = if body.contains("<GetCapabilities") {
                // It has been moved since.
                (
                    "200 OK",
                    "<C><tt:Media><tt:XAddr>http://10.9.9.9/onvif/media</tt:XAddr></tt:Media></C>".to_owned(),
                )
            } else if !login {
                ("401 Unauthorized", String::new())
            } else if body.contains("<GetProfiles") {
                assert!(head.starts_with("POST /onvif/media HTTP/1.1\r\n"), "{head}");
                let profile = |token: &str, name: &str, size: (u32, u32)| {
                    format!(
                        "<t:Profiles token=\"{token}\" fixed=\"true\"><tt:Name>{name}</tt:Name><tt:VideoEncoderConfiguration>\
                         <tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{}</tt:Width><tt:Height>{}</tt:Height>\
                         </tt:Resolution></tt:VideoEncoderConfiguration></t:Profiles>",
                        size.0, size.1
                    )
                };
                ("200 OK", profile("a&amp;b", "main", (1920, 1080)) + &profile("sub", "sub", (640, 360)))
            } else {
                let which = if body.contains("<ProfileToken>a&amp;b</ProfileToken>") { 1 } else { 2 };
                (
                    "200 OK",
                    format!("<tt:Uri>rtsp://admin:secret@127.0.0.1/s?channel={which}&amp;x=y</tt:Uri>"),
                )
            };
            let challenge = "WWW-Authenticate: Digest realm=\"cam\", nonce=\"b5d2\", qop=\"auth\"\r\n";
            let challenge = if status.starts_with("401") { challenge } else { "" };
            let length = answer.len();
            let answer = format!("HTTP/1.1 {status}\r\n{challenge}Content-Length: {length}\r\n\r\n{answer}");
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let everybody = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut held = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut held) {
            let question = String::from_utf8_lossy(&held[..length]).into_owned();
            assert!(question.contains("NetworkVideoTransmitter"), "{question}");
            let answer = format!(
                "<s:E><d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/Gate</d:Scopes>\
                 <d:XAddrs>http://127.0.0.1:{port}/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:E>"
            );
            socket.send_to(b"noise", from).unwrap();
            socket.send_to(answer.as_bytes(), from).unwrap();
        }
    });
    (everybody, port)
}

#[test]
fn a_camera_that_answers_tells_its_streams_to_whoever_knows_the_password() {
    let (everybody, port) = device();
    let cameras = ask(&everybody, "ad%20min:p%40ss").unwrap();
    let [camera] = &cameras[..] else { panic!("{cameras:?}") };
    assert_eq!(camera.service, format!("http://127.0.0.1:{port}/onvif/device_service"));
    assert_eq!(camera.name, "Gate");
    let stream = |name: &str, size: &str, which: u8| Stream {
        name: name.to_owned(),
        encoding: "H264".to_owned(),
        size: size.to_owned(),
        address: format!("rtsp://127.0.0.1/s?channel={which}&x=y"),
    };
    let streams = camera.streams.as_ref().unwrap();
    assert_eq!(streams, &[stream("main", "1920x1080", 1), stream("sub", "640x360", 2)]);
    let refused = streams_of(port, "");
    assert!(refused.contains("no user and password (401)"), "{refused}");
}

/// Why a camera does not tell its streams.
fn streams_of(port: u16, login: &str) -> String {
    streams(&format!("http://127.0.0.1:{port}/onvif/device_service"), login).unwrap_err().found
}
