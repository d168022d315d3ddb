//! Cameras over TLS: whom they are believed to be.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::network::http::{Camera, STREAM, jpeg, part, write};
use super::network::watch::{PATIENCE, until};
use crate::source::http;

const FOLDER: &str = "tests/data/tls";

/// A camera with this certificate, which asks for a password and sends the same picture over and over; its port.
fn camera(certificate: &str) -> u16 {
    let path = |ending: &str| format!("{FOLDER}/{certificate}.{ending}");
    let chain = CertificateDer::from_pem_file(path("pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(path("key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![chain], key).unwrap());
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, socket.unwrap()));
            thread::spawn(move || {
                let mut request = String::new();
                while !request.ends_with("\r\n\r\n") && stream.read_line(&mut request).unwrap_or(0) > 0 {}
                let stream = stream.get_mut();
                if request.starts_with("GET /out ") {
                    return write(stream, "302 Found", "Location: http://127.0.0.1/x?key=secret\r\n", b"");
                }
                // `u:p@ss` as Basic has it.
                if !request.contains("Authorization: Basic dTpwQHNz\r\n") {
                    let head = "WWW-Authenticate: Basic realm=\"cam\"\r\n";
                    return write(stream, "401 Unauthorized", head, b"");
                }
                write(stream, "200 OK", STREAM, b"")?;
                while std::io::Write::write_all(stream, &part(&jpeg(60))).is_ok() {}
                Some(())
            });
        }
    });
    port
}

fn refusal(url: &str, ca: Option<&Path>) -> String {
    http::open(url, None, PATIENCE, ca).err().expect("an error").to_string()
}

#[test]
fn a_camera_is_believed_by_its_own_certificate_or_by_who_has_signed_it() {
    let (own, signed) = (camera("own"), camera("signed"));
    let file = |name: &str| Path::new(FOLDER).join(name);
    for (url, ca) in [
        // One that signs for itself and names nobody.
        (format!("https://u:p%40ss@127.0.0.1:{own}/video"), file("own.pem")),
        (format!("HTTPS://u:p%40ss@127.0.0.1:{signed}/video"), file("ca.pem")),
        (format!("https://u:p%40ss@localhost:{signed}/video"), file("ca.pem")),
    ] {
        let mut source = http::open(&url, None, PATIENCE, Some(&ca)).unwrap();
        assert_eq!(
            until(source.as_mut(), |shot| shot.decode("x").unwrap().width == 16 && shot.number > 2),
            []
        );
    }
    for (url, ca) in [
        (format!("https://u:p%40ss@127.0.0.1:{own}/"), Some(file("ca.pem"))),
        (format!("https://u:p%40ss@127.0.0.1:{signed}/"), Some(file("own.pem"))),
        // Another name than the one that the certificate is for.
        (format!("https://u:p%40ss@127.0.0.2:{signed}/"), Some(file("ca.pem"))),
    ] {
        let line = refusal(&url, ca.as_deref());
        assert!(line.contains("found a certificate that is not trusted (invalid peer certificate"), "{line}");
        assert!(
            line.contains("expected ca, a file with the camera's certificate") && !line.contains("p@ss"),
            "{line}"
        );
    }
    let line = refusal(&format!("https://u:wrong@127.0.0.1:{signed}/"), Some(&file("ca.pem")));
    assert!(line.contains("user or password refused (401)"), "{line}");
    let line = refusal(&format!("https://127.0.0.1:{signed}/"), Some(&file("none.pem")));
    assert!(line.contains("none.pem"), "{line}");
}

#[test]
fn what_is_not_tls_is_told_and_nobody_is_led_out_of_it() {
    let plain = Camera::start(|_, _, stream| write(stream, "400 Bad Request", "", b""));
    let line = refusal(&plain.url("/").replace("http", "https"), Some(&Path::new(FOLDER).join("ca.pem")));
    assert!(line.contains("no TLS that can be used"), "{line}");
    let port = camera("signed");
    let line = refusal(&format!("https://127.0.0.1:{port}/out"), Some(&Path::new(FOLDER).join("ca.pem")));
    assert!(line.contains("found a redirect from TLS to http://127.0.0.1/x, expected"), "{line}");
    let upgrade = Camera::start(move |_, _, stream| {
        let to = format!("Location: https://127.0.0.1:{port}/video\r\n");
        write(stream, "301 Moved Permanently", &to, b"")
    });
    // To the same machine, the password goes along.
    let url = upgrade.url("/video").replace("http://", "http://u:p%40ss@");
    let mut source = http::open(&url, None, PATIENCE, Some(&Path::new(FOLDER).join("ca.pem"))).unwrap();
    assert_eq!(until(source.as_mut(), |shot| shot.number > 0), []);
}
