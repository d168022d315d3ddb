//! What a camera's response holds. Its first bytes decide; what it calls itself helps where they do not.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use super::super::kind::{self, FileKind};
use super::super::network::Fault;
use super::connection::Response;
use super::multipart::boundary;
use super::request::reason;

/// What a camera sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Parts separated by this boundary, or by whatever separates them if it is empty.
    Stream(String),
    /// One picture.
    Picture,
}

impl Content {
    /// Waits for the first bytes, at most for `patience`, unless the content type leaves no doubt.
    ///
    /// # Errors
    /// Neither.
    pub(crate) fn of<S: Read>(response: &mut Response<S>, patience: Duration) -> Result<Self, Fault> {
        let found = response.header("content-type").unwrap_or("no content type").to_owned();
        let media = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let boundary = boundary(&found);
        let stream = media.starts_with("multipart/");
        if stream && !boundary.is_empty() {
            return Ok(Self::Stream(boundary));
        }
        let encoding = response.header("content-encoding").unwrap_or_default().to_owned();
        let start = Instant::now();
        loop {
            let (ended, count) = match response.body.peek() {
                Ok((bytes, ended)) => {
                    if let Some(content) =
                        by_bytes(bytes.trim_ascii_start(), stream || media.starts_with("video/"))
                    {
                        return Ok(content);
                    }
                    (ended, bytes.len())
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    (false, 0)
                }
                Err(error) => return Err(Fault::new(reason(&error), "a stream or picture")),
            };
            if ended || count >= kind::HEAD || start.elapsed() >= patience {
                break;
            }
        }
        if media.starts_with("image/") {
            return Ok(Self::Picture);
        }
        let expected = "multipart/x-mixed-replace with a boundary, or image/jpeg: the path of the camera's Motion JPEG \
                        stream or snapshot";
        let encoded = if encoding.is_empty() { String::new() } else { format!(", encoded as {encoding}") };
        Err(Fault::new(format!("content of type {found}{encoded}"), expected))
    }
}

/// What begins like this, if it is known; a `stream` may begin with its first picture.
fn by_bytes(head: &[u8], stream: bool) -> Option<Content> {
    match kind::of(head) {
        FileKind::Jpeg if stream => Some(Content::Stream(String::new())),
        FileKind::Jpeg | FileKind::Png | FileKind::WebP | FileKind::Gif => Some(Content::Picture),
        // The first line of a part.
        _ if head.len() > 2 && head.starts_with(b"--") => Some(Content::Stream(String::new())),
        _ => {
            let part = b"content-";
            let begun = head.get(..part.len()).is_some_and(|head| head.eq_ignore_ascii_case(part));
            begun.then(|| Content::Stream(String::new()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_streams_from_pictures() {
        let stream = Some(Content::Stream(String::new()));
        assert_eq!(by_bytes(b"\xff\xd8\xff\xe0", false), Some(Content::Picture));
        assert_eq!(by_bytes(b"\xff\xd8\xff\xe0", true), stream);
        assert_eq!(by_bytes(b"\x89PNG\r\n\x1a\n0000", false), Some(Content::Picture));
        assert_eq!(by_bytes(b"--x\r\n", false), stream);
        assert_eq!(by_bytes(b"CONTENT-TYPE: image/jpeg", false), stream);
        assert_eq!(by_bytes(b"<html><body>--</body>", true), None);
    }
}
