//! Motion JPEG over HTTP, in the clear or over TLS: streams of `multipart/x-mixed-replace`, and single pictures that are
//! polled.

mod body;
mod connection;
mod content;
mod download;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
pub(super) mod multipart;
mod request;
mod stream;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::live::{CapturedFrame, Encoding, Live, Next};
use super::network::{Address, Fault, POLL, Patience, Protocol, Remote, seconds};
use crate::error::Result;
use body::Body;
use content::Content;
use download::{Download, Outcome};
use multipart::{Part, Parts};
pub(super) use request::Client;
use request::reason;
use stream::Stream;

/// How often a single picture is fetched by default.
const FETCHES_PER_SECOND: u32 = 1;

/// Opens the camera at `address`, for example `http://user:password@camera/video.mjpg`: a stream of JPEG
/// pictures, or a single picture, which is then fetched `rate` times per second (once if `None`; a stream
/// runs at the camera's rate).
///
/// A camera that goes away is reconnected forever. [`Live::next`] may take as long as [`Patience::stall`]
/// when the camera is silent, and as long as [`Patience::connect`] per step of a connection.
///
/// An `https://` camera must show a certificate of the file `ca`, or one that those vouch for; without `ca`, those of the
/// system.
///
/// # Errors
/// [`Error::Device`](crate::error::Error::Device) if the first connection fails: no camera, password, certificate or path refused, or other content;
/// the message says what to do. [`Error::Settings`](crate::error::Error::Settings) if the
/// address is invalid.
pub(crate) fn open(
    address: &str,
    rate: Option<u32>,
    patience: Patience,
    ca: Option<&Path>,
) -> Result<Box<dyn Live>> {
    let is_tls = address.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"));
    let address = Address::parse(address, if is_tls { "https" } else { "http" })?;
    let interval = Duration::from_secs(1) / rate.unwrap_or(FETCHES_PER_SECOND).max(1);
    let name = address.name.clone();
    let protocol =
        Http { client: Client::new(address, patience, ca.map(Path::to_owned)), patience, interval };
    Ok(Box::new(Remote::open(&name, patience, protocol)?))
}

struct Http {
    client: Client,
    patience: Patience,
    /// Time from one fetch of a single picture to the next.
    interval: Duration,
}

/// A response that is being read.
struct Session {
    reading: Reading,
    /// When the last whole picture had arrived.
    heard: Instant,
}

/// What is being read.
enum Reading {
    Stream(Parts<Body<Stream>>),
    Picture {
        /// The response, until it has been read.
        download: Option<Download<Body<Stream>>>,
        /// When to fetch the next one.
        due: Instant,
    },
}

impl Protocol for Http {
    type Session = Session;

    fn connect(&mut self) -> std::result::Result<Session, Fault> {
        let mut response = self.client.get()?;
        let content = Content::of(&mut response, self.patience.connect)?;
        let heard = Instant::now();
        let reading = match content {
            Content::Stream(boundary) => Reading::Stream(Parts::new(response.body, &boundary)),
            Content::Picture => {
                let length = response.body.length;
                Reading::Picture { download: Some(Download::new(response.body, length)), due: heard }
            }
        };
        Ok(Session { reading, heard })
    }

    fn read(
        &mut self,
        session: &mut Session,
        frame: &mut CapturedFrame,
    ) -> std::result::Result<Next, String> {
        // However many bytes come: what counts is pictures.
        let stall = match session.reading {
            Reading::Stream(_) => self.patience.stall,
            Reading::Picture { .. } => self.patience.stall.max(2 * self.interval),
        };
        if session.heard.elapsed() >= stall {
            let silent = matches!(&session.reading, Reading::Stream(parts) if parts.silence() >= stall);
            let what = if silent { "bytes" } else { "whole picture" };
            return Err(format!("no {what} for {}", seconds(stall)));
        }
        let next = match &mut session.reading {
            Reading::Stream(parts) => part(parts, frame),
            Reading::Picture { download: Some(reading), due } => match reading.next(POLL) {
                Ok(Outcome::Nothing) => Ok(Next::Nothing),
                outcome => {
                    session.reading = Reading::Picture {
                        download: None,
                        // An interval that was missed is not made up for.
                        due: (*due + self.interval).max(Instant::now()),
                    };
                    picture(outcome, frame)
                }
            },
            Reading::Picture { download, due } => self.fetch(*due).map(|fetched| {
                *download = fetched;
                Next::Nothing
            }),
        };
        if matches!(next, Ok(Next::Frame)) {
            session.heard = Instant::now();
        }
        next
    }
}

impl Http {
    /// Fetches a single picture once it is due.
    fn fetch(&mut self, due: Instant) -> std::result::Result<Option<Download<Body<Stream>>>, String> {
        let early = due.saturating_duration_since(Instant::now());
        thread::sleep(early.min(POLL));
        if early > POLL {
            return Ok(None);
        }
        let mut response = self.client.get().map_err(|fault| fault.found)?;
        match Content::of(&mut response, self.patience.connect).map_err(|fault| fault.found)? {
            Content::Picture => {
                let length = response.body.length;
                Ok(Some(Download::new(response.body, length)))
            }
            Content::Stream(_) => Err("a stream instead of a picture".to_owned()),
        }
    }
}

/// The next part of a stream.
fn part(parts: &mut Parts<Body<Stream>>, frame: &mut CapturedFrame) -> std::result::Result<Next, String> {
    match parts.next(POLL) {
        Ok(Part::Picture(bytes)) => {
            frame.fill(&bytes, Encoding::Jpeg, 0);
            Ok(Next::Frame)
        }
        Ok(Part::Broken(why)) => Ok(Next::Broken(why)),
        Ok(Part::Nothing) => Ok(Next::Nothing),
        Ok(Part::End) => Err("the camera has ended the stream".to_owned()),
        Err(error) => Err(reason(&error)),
    }
}

/// A single picture that has been read.
fn picture(
    outcome: std::io::Result<Outcome>,
    frame: &mut CapturedFrame,
) -> std::result::Result<Next, String> {
    match outcome {
        Ok(Outcome::Picture(bytes)) => {
            frame.fill(&bytes, Encoding::Jpeg, 0);
            Ok(Next::Frame)
        }
        Ok(Outcome::Broken(why)) => Ok(Next::Broken(why)),
        Ok(Outcome::Nothing) => Ok(Next::Nothing),
        Err(error) => Err(reason(&error)),
    }
}
