//! Motion JPEG over HTTP: streams of `multipart/x-mixed-replace`, and single pictures that are polled.
//!
//! Plain HTTP only: within a camera's own network, TLS would add a large library and no trust, since cameras
//! sign their own certificates.

pub(super) mod multipart;
mod request;

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::Response;
use ureq::{Body, BodyReader};

use super::jpeg;
use super::live::{CapturedFrame, Encoding, Live, Next};
use super::mjpeg::LONGEST;
use super::network::{Address, Fault, POLL, Patience, Protocol, Remote, seconds, without_secrets};
use crate::error::{Error, Result};
use multipart::{Part, Parts, boundary};
use request::{Client, reason};

/// How often a single picture is fetched by default.
const FETCHES_PER_SECOND: u32 = 1;

/// Opens the camera at `address`, for example `http://user:password@camera/video.mjpg`: a stream of JPEG
/// pictures, or a single picture, which is then fetched `rate` times per second (once if `None`; a stream
/// runs at the camera's rate).
///
/// A camera that goes away is reconnected forever. [`Live::next`] may take as long as [`Patience::stall`]
/// when the camera is silent, and as long as [`Patience::connect`] per step of a connection.
///
/// # Errors
/// [`Error::Device`] if the first connection fails: no camera, password or path refused, or other content; the
/// message says what to do. [`Error::Settings`] if the address is invalid or begins with `https://`.
pub(crate) fn open(address: &str, rate: Option<u32>, patience: Patience) -> Result<Box<dyn Live>> {
    if address.starts_with("https://") {
        return Err(Error::settings(without_secrets(address), "an https:// address", request::NO_TLS));
    }
    let address = Address::parse(address, "http")?;
    let interval = Duration::from_secs(1) / rate.unwrap_or(FETCHES_PER_SECOND).max(1);
    let name = address.name.clone();
    let protocol = Http { client: Client::new(address, patience), stall: patience.stall, interval };
    Ok(Box::new(Remote::open(&name, patience, protocol)?))
}

struct Http {
    client: Client,
    /// Longest time without a whole picture of a stream.
    stall: Duration,
    /// Time from one fetch of a single picture to the next.
    interval: Duration,
}

/// A response that is being read.
enum Session {
    Stream {
        parts: Parts<BodyReader<'static>>,
        /// When the last whole picture had arrived.
        heard: Instant,
    },
    Picture {
        /// The response, until it has been read.
        response: Option<Response<Body>>,
        /// When to fetch the next one.
        due: Instant,
    },
}

impl Protocol for Http {
    type Session = Session;

    fn connect(&mut self) -> std::result::Result<Session, Fault> {
        let response = self.client.get()?;
        let now = Instant::now();
        Ok(match Content::of(&response)? {
            Content::Stream(boundary) => Session::Stream {
                parts: Parts::new(response.into_body().into_reader(), &boundary),
                heard: now,
            },
            Content::Picture => Session::Picture { response: Some(response), due: now },
        })
    }

    fn read(
        &mut self,
        session: &mut Session,
        frame: &mut CapturedFrame,
    ) -> std::result::Result<Next, String> {
        match session {
            Session::Stream { parts, heard } => next_part(parts, heard, self.stall, frame),
            Session::Picture { response, due } => match response.take() {
                Some(response) => {
                    let next = picture(response, frame);
                    // An interval that was missed is not made up for.
                    *due = (*due + self.interval).max(Instant::now());
                    next
                }
                None => self.fetch(*due).map(|fetched| {
                    *response = fetched;
                    Next::Nothing
                }),
            },
        }
    }
}

impl Http {
    /// Fetches a single picture once it is due.
    fn fetch(&mut self, due: Instant) -> std::result::Result<Option<Response<Body>>, String> {
        let early = due.saturating_duration_since(Instant::now());
        thread::sleep(early.min(POLL));
        if early > POLL {
            return Ok(None);
        }
        let response = self.client.get().map_err(|fault| fault.found)?;
        match Content::of(&response).map_err(|fault| fault.found)? {
            Content::Picture => Ok(Some(response)),
            Content::Stream(_) => Err("a stream instead of a picture".to_owned()),
        }
    }
}

/// The next part of a stream.
fn next_part(
    parts: &mut Parts<impl Read>,
    heard: &mut Instant,
    stall: Duration,
    frame: &mut CapturedFrame,
) -> std::result::Result<Next, String> {
    if heard.elapsed() >= stall {
        return Err(format!("no whole picture for {}", seconds(stall)));
    }
    match parts.next() {
        Ok(Some(Part::Picture(bytes))) => {
            frame.fill(&bytes, Encoding::Jpeg, 0);
            *heard = Instant::now();
            Ok(Next::Frame)
        }
        Ok(Some(Part::Broken(why))) => Ok(Next::Broken(why)),
        Ok(None) => Err("the camera has ended the stream".to_owned()),
        Err(error) => Err(reason(&error)),
    }
}

/// Reads a single picture.
fn picture(response: Response<Body>, frame: &mut CapturedFrame) -> std::result::Result<Next, String> {
    let mut bytes = Vec::new();
    let read = response.into_body().into_reader().take(LONGEST as u64 + 1).read_to_end(&mut bytes);
    Ok(match read {
        Err(error) if bytes.is_empty() => return Err(reason(&error)),
        Err(error) => Next::Broken(format!("a picture cut short: {}", reason(&error))),
        Ok(_) if bytes.len() > LONGEST => Next::Broken(multipart::too_long()),
        Ok(_) if jpeg::is_complete(&bytes) => {
            frame.fill(&bytes, Encoding::Jpeg, 0);
            Next::Frame
        }
        Ok(_) => Next::Broken(multipart::not_jpeg(&bytes)),
    })
}

/// What a camera sends.
#[derive(Debug, PartialEq, Eq)]
enum Content {
    /// Parts separated by this boundary.
    Stream(String),
    /// One picture.
    Picture,
}

impl Content {
    fn of(response: &Response<Body>) -> std::result::Result<Self, Fault> {
        let header = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let found = header.unwrap_or("no content type");
        let media = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let boundary = if media.starts_with("multipart/") { boundary(found).map(Self::Stream) } else { None };
        let picture =
            ["image/jpeg", "image/jpg", "image/pjpeg"].contains(&media.as_str()).then_some(Self::Picture);
        boundary.or(picture).ok_or_else(|| {
            let expected = "multipart/x-mixed-replace with a boundary, or image/jpeg: the path of the camera's Motion \
                            JPEG stream or snapshot";
            Fault::new(format!("content of type {found}"), expected)
        })
    }
}
