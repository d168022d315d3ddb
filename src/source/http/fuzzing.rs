//! A camera's whole answer through this room, for [`crate::fuzzing`].

use std::io::{self, Read};
use std::time::Duration;

use url::Url;

use super::super::network::{Address, Fault, Patience};
use super::connection::answer;
use super::content::Content;
use super::download::{Download, Outcome};
use super::multipart::{Part, Parts};
use super::request::{Client, reason, redirected};
use crate::error::{Error, Result};

/// Takes the pictures of a response to a client that has a password, by what its header says.
///
/// # Errors
/// Why there are none.
pub(in crate::source) fn response(data: &[u8], mut picture: impl FnMut(&[u8])) -> Result<()> {
    let home = "http://user:password@camera/";
    let address = Address::parse(home, "http")?;
    let url = address.url.clone();
    let fault = |fault: Fault| Error::input("input", fault.found, fault.expected);
    let broken = |error: io::Error| Error::input("input", reason(&error), "a response");
    let mut client = Client::new(address, Patience::default(), None);
    let mut response = answer(Slowly(data), |_| Ok(())).map_err(broken)?;
    match response.status {
        401 => client.answers(&url, &response).map_err(fault),
        301..=308 => redirected(&url, &response).map(|_: Url| ()).map_err(fault),
        _ => match Content::of(&mut response, Duration::MAX).map_err(fault)? {
            Content::Stream(boundary) => {
                let mut parts = Parts::new(response.body, &boundary);
                for number in 0.. {
                    assert!(number <= data.len(), "more parts than bytes");
                    match parts.next(Duration::MAX).map_err(broken)? {
                        Part::Picture(bytes) => picture(&bytes),
                        Part::Broken(_) | Part::Nothing => {}
                        Part::End => break,
                    }
                }
                Ok(())
            }
            Content::Picture => {
                let length = response.body.length;
                match Download::new(response.body, length).next(Duration::MAX).map_err(broken)? {
                    Outcome::Picture(bytes) => {
                        picture(&bytes);
                        Ok(())
                    }
                    Outcome::Broken(why) => Err(Error::input("input", why, "a picture")),
                    Outcome::Nothing => Err(Error::bug("an input that has ended brings nothing more")),
                }
            }
        },
    }
}

/// Bytes in small pieces, as networks deliver them.
struct Slowly<'a>(&'a [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        const MOST: u64 = 1500;
        self.0.by_ref().take(MOST).read(into)
    }
}
