//! Decodes pictures and animations. It reads no file: their bytes lie in the shared memory.

use std::fs::File;
use std::io::{self, Cursor, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::memory::put;
use super::super::message::{Answer, Ask, Header, Request, send};
use super::asked;
use crate::error::{Error, ErrorParts, Result};
use crate::source::animation::{Decoded, Frames, layout};
use crate::source::kind;
use crate::source::limits;
use crate::source::picture::Picture;
use crate::system;

/// Longest that one picture of a camera may be computed, for which others wait, and that it may take.
const FRAME: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(10));
/// The same for a file.
const FILE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));

/// Answers until nobody asks any more.
///
/// # Errors
/// Nobody is there.
pub(super) fn work(mut control: UnixStream, shared: &File) -> io::Result<()> {
    let mut animation = None;
    while let Some(request) = asked(&mut control) {
        let (computing, waiting) = if request.ask == Ask::Frame { FRAME } else { FILE };
        system::limit_time(computing, waiting);
        let answer = match request.ask {
            Ask::Next => frame(animation.as_mut(), shared),
            Ask::Animation => {
                // Two at a time would take twice the memory.
                drop(animation.take());
                file(&request, shared).and_then(open).map(|opened| {
                    animation = opened;
                    if animation.is_some() { Answer::Opened } else { Answer::Still }
                })
            }
            ask => {
                drop(animation.take());
                file(&request, shared).and_then(|(name, bytes)| picture(ask, name, &bytes, shared))
            }
        };
        send(&mut control, &answer.unwrap_or_else(|error| Answer::Failed(ErrorParts::from(&error))))?;
    }
    Ok(())
}

fn lost(error: &io::Error) -> Error {
    Error::input("", format!("no memory to share ({error})"), "memory")
}

/// The name and the bytes of a file.
fn file(request: &Request, shared: &File) -> Result<(String, Vec<u8>)> {
    let read = |length: u64, at: u64| {
        // Whoever asks has put them there. Sealed, this process may not ask for a file's length but by going to its
        // end; nobody reads or writes where it stands.
        let mut end = shared;
        let there = end.seek(SeekFrom::End(0))?.saturating_sub(at).min(length);
        let mut bytes = vec![0; usize::try_from(there).unwrap_or_default()];
        shared.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    };
    let bytes = read(request.length, 0).map_err(|error| lost(&error))?;
    let name = read(request.name, request.length).map_err(|error| lost(&error))?;
    Ok((String::from_utf8_lossy(&name).into_owned(), bytes))
}

fn picture(ask: Ask, name: String, bytes: &[u8], shared: &File) -> Result<Answer> {
    let limits = limits::current();
    let limits = if ask == Ask::Picture { limits } else { limits.for_frames() };
    let Picture { width, height, data, .. } = Picture::decode_within(name, bytes, &limits)?;
    put(shared, data).map_err(|error| lost(&error))?;
    Ok(Answer::Picture { width, height })
}

fn open((name, bytes): (String, Vec<u8>)) -> Result<Option<Frames>> {
    let kind = kind::of(&bytes);
    Frames::open(&name, Cursor::new(bytes), kind)
}

/// The next frame of an animation.
fn frame(animation: Option<&mut Frames>, shared: &File) -> Result<Answer> {
    Ok(match animation.map(Frames::advance) {
        Some(Decoded::Frame { size, rgb, time }) => {
            let header = Header::of_animation(rgb.len(), layout(size), time);
            put(shared, rgb).map_err(|error| lost(&error))?;
            header.map_or(Answer::Still, Answer::Frame)
        }
        Some(Decoded::Broken(why)) => Answer::Broken(why),
        Some(Decoded::End) | None => Answer::Still,
    })
}
