//! An HTTP camera that answers each request as a test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A camera; each request goes to the test's answer with its number, its first line and its headers.
pub(crate) struct Camera {
    pub address: SocketAddr,
    /// What was asked.
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Camera {
    /// `answer` writes the whole answer; the connection is closed after it.
    pub(crate) fn start(
        answer: impl Fn(usize, &str, &mut TcpStream) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (heard, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (mut stream, heard, answer) = (stream.unwrap(), Arc::clone(&heard), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut request = String::new();
                    let mut input = BufReader::new(stream.try_clone().unwrap());
                    while !request.ends_with("\r\n\r\n") && input.read_line(&mut request).unwrap_or(0) > 0 {}
                    heard.lock().unwrap().push(request.clone());
                    answer(number, &request, &mut stream)
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Writes a whole answer.
pub(crate) fn write(stream: &mut impl Write, status: &str, headers: &str, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()
}

/// Headers of a stream of parts.
pub(crate) const STREAM: &str = "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n";

/// A part with its length.
pub(crate) fn part(jpeg: &[u8]) -> Vec<u8> {
    let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
    [head.as_bytes(), jpeg, b"\r\n"].concat()
}

/// A JPEG of one colour.
pub(crate) fn jpeg(grey: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::GrayImage::from_pixel(16, 16, image::Luma([grey]));
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    bytes
}
