//! YUV4MPEG2 (`.y4m`): a line of text, then frames of plain Y, U and V planes, as mjpegtools' yuv4mpeg(5)
//! describes it.

use std::mem::take;

use super::container::{Container, Cutout, Piece, bytes, time_of};
use super::input::Input;
use super::limits;
use super::planes::{Chroma, Planes};
use crate::error::{Error, Result};
use crate::frame::Range;

/// First bytes of a file.
pub(super) const MAGIC: &[u8] = b"YUV4MPEG2";
/// Longest header line in bytes.
const LINE: usize = 4096;
/// Supported colour spaces: parameter and subsampling. Chroma siting makes no difference here.
const SPACES: [(&str, Chroma); 7] = [
    ("420jpeg", Chroma::Quarter),
    ("420mpeg2", Chroma::Quarter),
    ("420paldv", Chroma::Quarter),
    ("420", Chroma::Quarter),
    ("422", Chroma::Half),
    ("444", Chroma::Whole),
    ("mono", Chroma::None),
];

/// The first line of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    planes: Planes,
    /// Frame rate as a fraction: frames, seconds; 0 if unknown.
    rate: (u32, u32),
}

/// Frames of a YUV4MPEG2 stream, and of further streams behind it, which may have another size.
pub(super) struct Y4m {
    input: Input,
    header: Header,
    /// Frames so far, including broken ones.
    index: u64,
    /// Bytes of the frame that was returned last.
    given: usize,
    repacked: Vec<u8>,
}

impl Y4m {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Error::Input`](crate::error::Error::Input) if it is not a header, or its pixel format is not
    /// supported.
    pub(crate) fn new(mut input: Input) -> Result<Self> {
        let header = match begins_stream(input.peek(MAGIC.len() + 1)?) {
            true => line(&mut input, MAGIC)?
                .ok_or(("a Y4M header without end".to_owned(), "a whole one".to_owned())),
            false => Err(("no Y4M header".to_owned(), "a line that begins with YUV4MPEG2".to_owned())),
        };
        let header = header.and_then(|line| header_of(&line));
        let header = header.map_err(|(found, expected)| Error::input(&input.name, found, expected))?;
        Ok(Self { input, header, index: 0, given: 0, repacked: Vec::new() })
    }

    /// Skips to the next line that may begin a frame or a stream.
    fn resynchronise(&mut self) -> Result<Piece<'_>> {
        // Not the current position, which has just failed.
        self.input.take(1);
        let skipped =
            1 + self.input.skip_to(MAGIC.len() + 1, |next| begins_frame(next) || begins_stream(next))?;
        Ok(Piece::Broken(format!("no FRAME where one should be, skipped {}", bytes(skipped))))
    }
}

impl Container for Y4m {
    fn next(&mut self) -> Result<Piece<'_>> {
        self.input.take(take(&mut self.given));
        loop {
            let next = self.input.peek(MAGIC.len() + 1)?;
            if next.is_empty() {
                return Ok(Piece::End);
            }
            let (stream, frame) = (begins_stream(next), begins_frame(next));
            if !stream && !frame {
                return self.resynchronise();
            }
            let Some(line) = line(&mut self.input, if stream { MAGIC } else { b"FRAME" })? else {
                return self.resynchronise();
            };
            if frame {
                return self.frame();
            }
            match header_of(&line) {
                Ok(header) => self.header = header,
                Err((found, _)) => return Ok(Piece::Broken(found)),
            }
        }
    }
}

impl Y4m {
    /// The frame that begins here.
    fn frame(&mut self) -> Result<Piece<'_>> {
        let header = self.header;
        let time = time_of(self.index, header.rate.0, header.rate.1);
        self.index += 1;
        let length = header.planes.bytes();
        let found = self.input.peek(length)?.len();
        self.given = found;
        if found < length {
            let found = bytes(found);
            return Ok(Piece::Broken(format!("cut short by the end of the input: {found} of {length}")));
        }
        let planes = self.input.held().get(..length).unwrap_or_default();
        let (bytes, encoding) = header.planes.pack(planes, &mut self.repacked);
        Ok(Piece::Frame(Cutout { bytes, encoding, time }))
    }
}

/// Consumes a line and returns what follows `start`, with which it begins; `None` if the line is too long or
/// cut short.
fn line(input: &mut Input, start: &[u8]) -> Result<Option<String>> {
    let mut wanted = 64;
    let end = loop {
        let line = input.peek(wanted)?;
        let end = line.iter().position(|byte| *byte == b'\n');
        if end.is_some() || line.len() < wanted || wanted >= LINE {
            break end;
        }
        wanted *= 2;
    };
    let Some(end) = end else { return Ok(None) };
    let line = input.held().get(start.len()..end).unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    input.take(end + 1);
    Ok(Some(line))
}

fn begins_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(b"FRAME") && matches!(bytes.get(5), Some(b' ' | b'\n'))
}

fn begins_stream(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && matches!(bytes.get(MAGIC.len()), Some(b' ' | b'\n'))
}

/// Parses the parameters of a header. The error is what was found and what was expected.
fn header_of(line: &str) -> std::result::Result<Header, (String, String)> {
    let (mut width, mut height, mut rate) = (None, None, (0, 1));
    let (mut space, mut range) = ("420jpeg", None);
    for field in line.split(' ') {
        let mut letters = field.chars();
        let kind = letters.next();
        let value = letters.as_str();
        match kind {
            Some('W') => width = value.parse::<u32>().ok(),
            Some('H') => height = value.parse::<u32>().ok(),
            Some('F') => rate = ratio(value).unwrap_or(rate),
            Some('C') => space = value,
            Some('X') => range = color_range(value).or(range),
            _ => {}
        }
    }
    let size = width.zip(height);
    let Some((width, height)) = size else {
        return Err(("a Y4M header without size".to_owned(), "its width and height: W… H…".to_owned()));
    };
    let Some((_, chroma)) = SPACES.into_iter().find(|(name, _)| *name == space) else {
        let names = SPACES.map(|(name, _)| name).join(", ");
        let expected = format!("one of {names} in 8 bits: `ffmpeg -i … -pix_fmt yuv420p -f yuv4mpegpipe -`");
        return Err((format!("Y4M of colour space {space}"), expected));
    };
    let planes = Planes { width, height, chroma, range };
    limits::current().for_frames().check((width, height), planes.bytes() as u64)?;
    Ok(Header { planes, rate })
}

/// `30000:1001`
fn ratio(text: &str) -> Option<(u32, u32)> {
    let (rate, scale) = text.split_once(':')?;
    Some((rate.parse().ok()?, scale.parse().ok()?))
}

/// FFmpeg's extension `XCOLORRANGE=`, without its `X`.
fn color_range(text: &str) -> Option<Range> {
    match text {
        "COLORRANGE=FULL" => Some(Range::Full),
        "COLORRANGE=LIMITED" => Some(Range::Limited),
        _ => None,
    }
}

#[cfg(test)]
#[path = "y4m_tests.rs"]
mod tests;
