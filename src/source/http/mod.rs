//! Motion JPEG over HTTP: streams of `multipart/x-mixed-replace`, and single pictures that are fetched again and again.
//!
//! Plain HTTP only: in a camera's own network TLS would add a large library and no trust, since cameras sign for themselves.

pub(super) mod multipart;
mod request;

use std::io::Read;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::Response;

use super::jpeg;
use super::live::{Encoding, Live, Next};
use super::mjpeg::LONGEST;
use super::network::{Address, Fault, Mailbox, Patience, Remote, follow, seconds, without_secrets};
use crate::error::{Error, Result};
use multipart::{Part, Parts, boundary};
use request::{Client, reason};

/// Single pictures are fetched so often if nobody says how often.
const FETCHES_A_SECOND: u32 = 1;

/// Opens the camera at `address`, as in `http://user:password@camera/video.mjpg`: a stream of JPEG pictures, or one picture,
/// which is then fetched `rate` times a second (once, if it is `None`; a stream comes as fast as the camera sends it).
///
/// A camera that goes away is tried again for ever.
///
/// # Errors
/// [`Error::Input`] if there is no camera at first, it refuses the password or the path, or has no such pictures there; the
/// line says what to do. Likewise for `https://`.
pub fn open(address: &str, rate: Option<u32>, patience: Patience) -> Result<Box<dyn Live>> {
    if address.starts_with("https://") {
        return Err(Error::input(without_secrets(address), "an address of https://", request::NO_TLS));
    }
    let address = Address::parse(address, "http")?;
    let interval = Duration::from_secs(1) / rate.unwrap_or(FETCHES_A_SECOND).max(1);
    let name = address.name.clone();
    // Whoever waits for bytes cannot be woken; the connection ends with the thread, at the latest when it stalls.
    let remote = Remote::start(&name, Duration::ZERO, move |mailbox, opened| {
        let client = std::cell::RefCell::new(Client::new(address, patience));
        let connect = || {
            let response = client.borrow_mut().get()?;
            let kind = Kind::of(&response)?;
            Ok((kind, response))
        };
        let play = |(kind, response): (Kind, Response<Body>)| match kind {
            Kind::Stream(boundary) => {
                stream(Parts::new(response.into_body().into_reader(), &boundary), mailbox, patience)
            }
            Kind::Picture => pictures(&mut client.borrow_mut(), response, mailbox, interval),
        };
        follow(mailbox, patience, opened, connect, play);
    })?;
    Ok(Box::new(remote))
}

/// What a camera sends.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Parts, with this boundary between them.
    Stream(String),
    /// One picture.
    Picture,
}

impl Kind {
    fn of(response: &Response<Body>) -> std::result::Result<Self, Fault> {
        let header = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let found = header.unwrap_or("no content type");
        let kind = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let boundary = if kind.starts_with("multipart/") { boundary(found).map(Self::Stream) } else { None };
        let picture =
            ["image/jpeg", "image/jpg", "image/pjpeg"].contains(&kind.as_str()).then_some(Self::Picture);
        boundary.or(picture).ok_or_else(|| {
            let expected = "multipart/x-mixed-replace with a boundary, or image/jpeg: the path of the camera's Motion \
                            JPEG stream or snapshot";
            Fault::new(format!("content of type {found}"), expected)
        })
    }
}

/// Leaves the pictures of a stream until it ends, and says why it did.
fn stream(mut parts: Parts<impl Read>, mailbox: &Mailbox, patience: Patience) -> String {
    let mut heard = Instant::now();
    while !mailbox.is_abandoned() {
        match parts.next() {
            Ok(Some(Part::Picture(mut bytes))) => {
                heard = Instant::now();
                mailbox.leave(&mut bytes, Encoding::Jpeg, heard, None);
            }
            Ok(Some(Part::Broken(why))) => mailbox.tell(Next::Broken(why)),
            Ok(None) => return "the camera has ended the stream".to_owned(),
            Err(error) => return reason(&error),
        }
        if heard.elapsed() >= patience.stall {
            return format!("no whole picture for {}", seconds(patience.stall));
        }
    }
    "no longer wanted".to_owned()
}

/// Leaves `response` and what is fetched after it, one an interval, until that fails, and says why it did.
fn pictures(client: &mut Client, response: Response<Body>, mailbox: &Mailbox, interval: Duration) -> String {
    let mut due = Instant::now();
    let mut response = response;
    loop {
        let mut bytes = Vec::new();
        let limit = LONGEST as u64 + 1;
        let read = response.into_body().into_reader().take(limit).read_to_end(&mut bytes);
        match read {
            Err(error) if bytes.is_empty() => return reason(&error),
            Err(error) => mailbox.tell(Next::Broken(format!("a picture cut short: {}", reason(&error)))),
            Ok(_) if bytes.len() > LONGEST => mailbox.tell(Next::Broken(multipart::too_long())),
            Ok(_) if jpeg::is_complete(&bytes) => {
                mailbox.leave(&mut bytes, Encoding::Jpeg, Instant::now(), None);
            }
            Ok(_) => mailbox.tell(Next::Broken(multipart::no_jpeg(&bytes))),
        }
        // What took longer than an interval is not made up for.
        due = (due + interval).max(Instant::now());
        mailbox.wait(due.saturating_duration_since(Instant::now()));
        if mailbox.is_abandoned() {
            return "no longer wanted".to_owned();
        }
        let next = client.get().and_then(|next| match Kind::of(&next)? {
            Kind::Picture => Ok(next),
            Kind::Stream(_) => Err(Fault::new("a stream in place of a picture", "a picture")),
        });
        response = match next {
            Ok(next) => next,
            Err(fault) => return fault.found,
        };
    }
}
