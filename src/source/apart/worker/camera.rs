//! Reads a network camera, and decodes its video.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::message::{Answer, Ask, Header, LONGEST_FRAME, send};
use super::asked;
use crate::error::{ErrorParts, Result};
use crate::source::live::{CapturedFrame, Live, Next};
use crate::system;

/// Longest that one frame of a camera may be computed.
const COMPUTING: Duration = Duration::from_secs(10);
/// Longest that one step may take; no step of a network source waits longer.
const WAITING: Duration = Duration::from_secs(60);

/// Opens the camera, and answers until nobody asks any more, or the source has ended.
///
/// # Errors
/// Nobody is there.
pub(super) fn work(
    mut control: UnixStream,
    shared: &File,
    open: impl FnOnce() -> Result<Box<dyn Live>>,
) -> io::Result<()> {
    system::limit_time(COMPUTING, WAITING);
    let mut source = match open() {
        Ok(source) => source,
        Err(error) => return send(&mut control, &Answer::Refused(ErrorParts::from(&error))),
    };
    send(&mut control, &Answer::Opened)?;
    let mut frame = CapturedFrame::empty();
    while asked(&mut control).is_some_and(|request| request.ask == Ask::Next) {
        system::limit_time(COMPUTING, WAITING);
        let answer = answer(source.as_mut(), &mut frame, shared);
        let over = matches!(answer, Answer::End | Answer::Refused(_));
        send(&mut control, &answer)?;
        if over {
            break;
        }
    }
    Ok(())
}

fn answer(source: &mut dyn Live, frame: &mut CapturedFrame, shared: &File) -> Answer {
    match source.next(frame) {
        Ok(Next::Frame) => match Header::of(frame) {
            Some(header) if header.length <= LONGEST_FRAME => match shared.write_all_at(&frame.bytes, 0) {
                Ok(()) => Answer::Frame(header),
                Err(error) => Answer::Broken(format!("no memory to share ({error})")),
            },
            _ => Answer::Broken("a frame of unexpected form".to_owned()),
        },
        Ok(Next::Broken(why)) => Answer::Broken(why),
        Ok(Next::Stalled(why)) => Answer::Stalled(why),
        Ok(Next::Nothing) => Answer::Nothing,
        Ok(Next::End) => Answer::End,
        Err(error) => Answer::Refused(ErrorParts::from(&error)),
    }
}
