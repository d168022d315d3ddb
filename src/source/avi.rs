//! Motion JPEG in AVI: the frames of the first video stream in file order (RIFF; index and audio are skipped,
//! OpenDML's later parts are read).

use std::time::Duration;

use super::container::{Container, Cutout, Piece, bytes, time_of};
use super::input::Input;
use super::jpeg::{Cut, LONGEST, Walk};
use super::live::Encoding;
use crate::error::{Error, Result};

/// Bytes of a chunk's header: code and length.
const HEAD: usize = 8;
/// Bytes of the header of `RIFF` and of a list: code, length, type.
const LIST: usize = 12;
/// Most bytes behind a picture that may belong to its chunk.
const MOST_PADDING: usize = 64 << 10;
/// First bytes of a picture.
const START: [u8; 3] = [0xff, 0xd8, 0xff];
/// Longest header chunk that is parsed, in bytes.
const MOST_HEADER: usize = 4096;
/// Codec codes of Motion JPEG, in upper case.
const MOTION_JPEG: [&[u8; 4]; 4] = [b"MJPG", b"JPEG", b"DMB1", b"AVRN"];

/// Whether a file with these first bytes is AVI.
pub(super) fn is_avi(head: &[u8]) -> bool {
    head.starts_with(b"RIFF") && head.get(HEAD..LIST) == Some(b"AVI ")
}

/// The video stream that is read.
#[derive(Debug, Default)]
struct Video {
    /// The two digits that its chunk codes begin with.
    number: [u8; 2],
    /// Frame rate as a fraction: frames, seconds; 0 if unknown.
    rate: (u32, u32),
    /// Whether its format has been read.
    known: bool,
}

/// Frames of an AVI file.
pub(super) struct Avi {
    input: Input,
    /// Stream headers so far.
    streams: u8,
    video: Option<Video>,
    /// Microseconds per frame, from `avih`.
    interval: u32,
    /// Frame chunks so far, including empty and broken ones.
    index: u64,
    /// Bytes of the chunk that was returned last.
    given: usize,
    /// That chunk had a wrong length, whose picture was whole: what lies behind it is no damage.
    wrong: bool,
}

/// What a chunk is.
enum Chunk {
    /// A list: its header is skipped, its contents are read.
    List,
    /// A header of this kind.
    Header([u8; 4]),
    /// A frame of the video stream.
    Frame,
    /// Anything else.
    Other,
    /// Not a chunk.
    None,
}

impl Avi {
    /// Reads the headers up to the video stream's.
    ///
    /// # Errors
    /// [`Error::Input`] if there are none, or the video is not Motion JPEG.
    pub(crate) fn new(mut input: Input) -> Result<Self> {
        if !is_avi(input.peek(LIST)?) {
            return Err(Error::input(&input.name, "no AVI header", "a file that begins with RIFF … AVI"));
        }
        let mut avi = Self { input, streams: 0, video: None, interval: 0, index: 0, given: 0, wrong: false };
        while avi.video.as_ref().is_none_or(|video| !video.known) {
            match avi.head()? {
                Some((code, length)) => match avi.kind(code, length) {
                    Chunk::List => avi.input.skip(LIST as u64)?,
                    Chunk::Header(code) => avi.header(code, length)?,
                    Chunk::Other => avi.input.skip((HEAD + padded(length)) as u64)?,
                    Chunk::Frame | Chunk::None => break,
                },
                None => break,
            };
        }
        if avi.video.is_none() {
            return Err(Error::input(&avi.input.name, "an AVI file without video", "one of Motion JPEG"));
        }
        Ok(avi)
    }

    /// Classifies a chunk by its header.
    fn kind(&self, code: [u8; 4], length: usize) -> Chunk {
        let video = self.video.as_ref().is_some_and(|video| code.starts_with(&video.number));
        match &code {
            b"RIFF" | b"LIST" => Chunk::List,
            b"avih" | b"strh" | b"strf" if length <= MOST_HEADER => Chunk::Header(code),
            [_, _, b'd', b'c' | b'b'] if video => Chunk::Frame,
            _ if code.iter().all(|c| c.is_ascii_alphanumeric() || *c == b' ') && length <= LONGEST => {
                Chunk::Other
            }
            _ => Chunk::None,
        }
    }

    /// The next chunk's header; `None` at the end.
    fn head(&mut self) -> Result<Option<([u8; 4], usize)>> {
        Ok(head(self.input.peek(HEAD)?))
    }

    /// Reads and consumes a header chunk; false at the end.
    fn header(&mut self, code: [u8; 4], length: usize) -> Result<bool> {
        self.input.take(HEAD);
        let header = self.input.peek(length)?;
        let word = |at: usize| {
            header.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
        };
        let mut refused = None;
        match &code {
            b"avih" => self.interval = word(0),
            b"strh" => {
                if self.video.is_none() && header.starts_with(b"vids") {
                    let number = [b'0' + self.streams / 10, b'0' + self.streams % 10];
                    self.video = Some(Video { number, rate: (word(24), word(20)), known: false });
                }
                self.streams = (self.streams + 1).min(99);
            }
            _ => {
                // `strf`: the format of the stream whose `strh` came before.
                if let Some(video) = self.video.as_mut().filter(|video| !video.known) {
                    video.known = true;
                    let codec = header.get(16..20).unwrap_or_default();
                    let upper = codec.to_ascii_uppercase();
                    if !MOTION_JPEG.iter().any(|known| upper == known.as_slice()) {
                        refused = Some(String::from_utf8_lossy(codec).into_owned());
                    }
                }
            }
        }
        if let Some(codec) = refused {
            let expected = "Motion JPEG: `ffmpeg -i FILE -f yuv4mpegpipe - | edgeclip run --source - …`";
            return Err(Error::input(&self.input.name, format!("AVI of codec {codec:?}"), expected));
        }
        self.input.skip(padded(length) as u64)
    }

    /// Skips to the next chunk that looks like a frame.
    fn resynchronise(&mut self, what: &str) -> Result<Piece<'_>> {
        self.input.take(1);
        let number = self.video.as_ref().map_or(*b"00", |video| video.number);
        let fits = |next: &[u8]| {
            next.starts_with(&number)
                && matches!(next.get(2..4), Some(b"dc" | b"db"))
                && next.get(HEAD..) == Some(&[0xff, 0xd8])
        };
        let skipped = 1 + self.input.skip_to(HEAD + 2, fits)?;
        Ok(Piece::Broken(format!("{what}, skipped {}", bytes(skipped))))
    }

    /// Length of the JPEG file in the chunk that begins here, by its markers; `None` if it has no end.
    fn by_markers(&mut self) -> Result<Option<usize>> {
        let mut walk = Walk::default();
        loop {
            let held = self.input.held().get(HEAD..).unwrap_or_default();
            match walk.on(held) {
                Cut::Frame(length) => return Ok(Some(length)),
                Cut::More if held.len() <= LONGEST && self.input.more()? => {}
                _ => return Ok(None),
            }
        }
    }

    /// The frame whose chunk begins here. Its length is trusted if another chunk or the end of the file
    /// follows; else its markers are.
    fn frame(&mut self, length: usize) -> Result<Piece<'_>> {
        let whole = HEAD + padded(length);
        let jpeg_length = self.by_markers()?;
        if let Some(jpeg) = jpeg_length.filter(|jpeg| length < *jpeg || length - *jpeg > MOST_PADDING) {
            // Whether it was cut off or lost its border to the next one, the length says nothing.
            return Ok(self.frame_of(jpeg));
        }
        if length > LONGEST {
            return self.resynchronise("a frame of wrong length");
        }
        let found = self.input.peek(whole + HEAD)?;
        let jpeg = found.get(HEAD..HEAD + 2) == Some(&[0xff, 0xd8]);
        // The last chunk may lack its padding.
        let cut = found.len() < HEAD + length;
        let next = found.get(whole..).and_then(head);
        let followed = next.is_none_or(|(code, length)| !matches!(self.kind(code, length), Chunk::None));
        if let Some(jpeg) = jpeg_length.filter(|_| cut || !followed) {
            return Ok(self.frame_of(jpeg));
        }
        let time = self.time();
        if cut || !followed {
            let what = if cut { "a frame cut short" } else { "a frame of wrong length" };
            return self.resynchronise(what);
        }
        self.given = whole;
        // Without what else is in the chunk.
        let length = jpeg_length.unwrap_or(length);
        let bytes = self.input.held().get(HEAD..HEAD + length).unwrap_or_default();
        match jpeg {
            true => Ok(Piece::Frame(Cutout { bytes, encoding: Encoding::Jpeg, time })),
            false => Ok(Piece::Broken("bytes that are not JPEG".to_owned())),
        }
    }
}

impl Avi {
    /// When the next frame is shown.
    fn time(&mut self) -> Option<Duration> {
        let time = match self.video.as_ref().map_or((0, 0), |video| video.rate) {
            (0, _) | (_, 0) if self.interval > 0 => time_of(self.index, 1_000_000, self.interval),
            (_, 0) => None,
            (rate, scale) => time_of(self.index, rate, scale),
        };
        self.index += 1;
        time
    }

    /// A frame of this length in a chunk of another.
    fn frame_of(&mut self, length: usize) -> Piece<'_> {
        let time = self.time();
        self.given = HEAD + length;
        self.wrong = true;
        let bytes = self.input.held().get(HEAD..HEAD + length).unwrap_or_default();
        Piece::Frame(Cutout { bytes, encoding: Encoding::Jpeg, time })
    }

    /// Skips what lies between a chunk of wrong length and the next chunk of the video stream.
    fn skip_wrong(&mut self) -> Result<()> {
        let number = self.video.as_ref().map_or(*b"00", |video| video.number);
        let next = self.head()?;
        if next.is_some_and(|(code, length)| !matches!(self.kind(code, length), Chunk::None)) {
            return Ok(());
        }
        self.input.skip_to(HEAD, |next| {
            next.starts_with(&number) && matches!(next.get(2..4), Some(b"dc" | b"db"))
                || next.starts_with(b"idx1")
        })?;
        Ok(())
    }
}

impl Container for Avi {
    fn next(&mut self) -> Result<Piece<'_>> {
        self.input.take(std::mem::take(&mut self.given));
        if std::mem::take(&mut self.wrong) {
            self.skip_wrong()?;
        }
        loop {
            let Some((code, length)) = self.head()? else {
                let rest = self.input.held().len();
                self.input.take(rest);
                return Ok(Piece::End);
            };
            match self.kind(code, length) {
                Chunk::List => {
                    self.input.skip(LIST as u64)?;
                }
                Chunk::Header(code) => {
                    self.header(code, length)?;
                }
                // An empty chunk repeats the frame before.
                Chunk::Frame if length == 0 && self.input.peek(HEAD + 3)?.get(HEAD..) != Some(&START) => {
                    self.index += 1;
                    self.input.take(HEAD);
                }
                Chunk::Frame => return self.frame(length),
                Chunk::Other => {
                    if !self.input.skip((HEAD + length) as u64)? {
                        let name = String::from_utf8_lossy(&code).into_owned();
                        return Ok(Piece::Broken(format!("the chunk {name} is cut short")));
                    }
                    if length % 2 == 1 {
                        self.input.skip(1)?;
                    }
                }
                Chunk::None => return self.resynchronise("no chunk where one should be"),
            }
        }
    }
}

/// Code and length of a chunk.
fn head(bytes: &[u8]) -> Option<([u8; 4], usize)> {
    let code = bytes.get(..4)?.try_into().ok()?;
    let length = u32::from_le_bytes(bytes.get(4..HEAD)?.try_into().ok()?);
    Some((code, length as usize))
}

/// Chunks begin at even offsets.
fn padded(length: usize) -> usize {
    length + length % 2
}

#[cfg(test)]
#[path = "avi_tests.rs"]
mod tests;
