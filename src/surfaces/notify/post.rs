//! Sends messages, and tries again what fails.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::queue::Queue;
use super::target::Target;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The first pause before another attempt; each is twice as long as the one before.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);
/// How long the last messages may take at the end.
const FAREWELL: Duration = Duration::from_secs(1);
/// Most bytes of an answer's head.
const HEAD: usize = 8192;

/// Sends the messages of one rule until its queue is closed.
pub(super) struct Sender {
    pub target: Arc<Target>,
    pub queue: Arc<Queue>,
    /// The first pause.
    pub first: Duration,
}

/// What came of a message.
enum Sent {
    Taken,
    /// The server will not take it, however often it is asked: why.
    Refused(String),
    /// Why it may be taken later.
    Failed(String),
}

impl Sender {
    pub(super) fn new(target: Arc<Target>, queue: Arc<Queue>) -> Self {
        Self { target, queue, first: FIRST }
    }

    pub(super) async fn run(self) {
        let (mut pause, mut failures, mut told) = (self.first, 0u64, String::new());
        let shown = &self.target.address.shown;
        while let Some(request) = self.next().await {
            let sent = match self.until_farewell(self.send(&request.bytes(self.target.host()))).await {
                Some(sent) => sent,
                None => return,
            };
            match sent {
                Sent::Taken => {
                    if failures > 0 {
                        tracing::info!("{shown}: works again after {failures} failed attempts");
                    }
                    let dropped = self.queue.take_dropped();
                    if dropped > 0 {
                        tracing::warn!("{shown}: {dropped} messages were dropped meanwhile");
                    }
                    (pause, failures) = (self.first, 0);
                    told.clear();
                }
                Sent::Refused(why) => {
                    failures += 1;
                    if why != told {
                        tracing::error!("{shown}: {why}; the message is dropped");
                        told = why;
                    }
                }
                Sent::Failed(why) => {
                    failures += 1;
                    if why != told {
                        tracing::warn!("{shown}: {why}; it is tried again");
                        told = why;
                    }
                    self.queue.put_back(request);
                    if self.until_farewell(sleep(pause)).await.is_none() {
                        return;
                    }
                    pause = (2 * pause).min(LONGEST);
                }
            }
        }
    }

    /// The next message; `None` if there will be none.
    async fn next(&self) -> Option<super::request::Request> {
        loop {
            if let Some(request) = self.queue.next() {
                return Some(request);
            }
            if self.queue.closed().is_some() {
                return None;
            }
            self.queue.changed().await;
        }
    }

    /// What comes of `work`, unless it takes too long once there is nothing more to come.
    async fn until_farewell<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let farewell = async {
            let closed = loop {
                match self.queue.closed() {
                    Some(closed) => break closed,
                    None => self.queue.changed().await,
                }
            };
            tokio::time::sleep_until((closed + FAREWELL).into()).await;
        };
        tokio::select! {
            done = work => Some(done),
            () = farewell => None,
        }
    }

    async fn send(&self, bytes: &[u8]) -> Sent {
        let until = Instant::now() + PATIENCE;
        let status = match timeout_at(until.into(), self.exchange(bytes)).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => return Sent::Failed(error.to_string()),
            Err(_) => return Sent::Failed(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        match status {
            200..300 => Sent::Taken,
            408 | 425 | 429 | 500..600 => Sent::Failed(format!("found the answer {status}, expected 200")),
            401 | 403 => {
                Sent::Refused(format!("found the answer {status}, expected 200: is the token right?"))
            }
            404 => Sent::Refused(
                "found the answer 404, expected 200: is the address, or the token, right?".to_owned(),
            ),
            other => Sent::Refused(format!("found the answer {other}, expected 200")),
        }
    }

    async fn exchange(&self, bytes: &[u8]) -> io::Result<u16> {
        let address = &self.target.address;
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        match &self.target.tls {
            None => exchange(stream, bytes).await,
            Some((config, name)) => {
                let connector = TlsConnector::from(Arc::clone(config));
                exchange(connector.connect(name.clone(), stream).await?, bytes).await
            }
        }
    }
}

/// Sends a request; the status of the answer.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> io::Result<u16> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < HEAD {
        let mut piece = [0; 1024];
        match stream.read(&mut piece).await? {
            0 => break,
            count => head.extend(piece.iter().take(count)),
        }
    }
    // Some servers wait for the end before they do what they have promised.
    let _ = timeout(Duration::from_millis(100), stream.shutdown()).await;
    let text = String::from_utf8_lossy(&head);
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an answer that is not HTTP"))
}
