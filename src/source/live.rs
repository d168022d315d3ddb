//! What every live source yields: one encoded or raw frame after the other.

use std::time::{Duration, Instant, SystemTime};

use super::Picture;
use crate::error::Result;
use crate::frame::{Frame, PixelFormat};

/// A source that goes on by itself, such as a camera.
pub trait Live: Send {
    /// What messages and results call the source.
    fn name(&self) -> &str;

    /// Whether the next frame waits until somebody asks for it, as a file's does and a camera's does not. Of a pipe this is known with
    /// its first frame.
    fn waits(&self) -> bool;

    /// Waits for the next frame and puts it into `frame`, whose buffer is used again.
    ///
    /// # Errors
    /// The source is of no more use. What it survives is a [`Next`].
    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next>;
}

/// How waiting for a frame ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is a frame.
    Frame,
    /// There was one, but it is broken: why.
    Broken(String),
    /// None came in time, and what can be started again was: why.
    Stalled(String),
    /// No frame yet: the caller may look whether it shall end.
    Nothing,
    /// There will be none any more.
    End,
}

/// One captured frame, copied: the driver wants its memory back, which on many boards is slow to read as well.
#[derive(Debug, Clone)]
pub struct CapturedFrame {
    /// What the source delivered.
    pub bytes: Vec<u8>,
    /// How to read it.
    pub encoding: Encoding,
    /// The source's count of frames, from 0; a gap is frames that came too fast.
    pub number: u64,
    /// When it was taken over.
    pub time: SystemTime,
    /// The same on a clock that never jumps.
    pub taken: Instant,
    /// Its place in a recording whose frames have times.
    pub media_time: Option<Duration>,
    decoded: Option<Picture>,
}

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
/// The APP0 segment of Motion JPEG in AVI files. Where it stands, the decoder uses the Huffman tables of ITU T.81 annex K if a
/// frame has none, as many cameras' frames.
const MOTION_JPEG: &[u8] = b"\xff\xe0\x00\x07AVI1\x00";

/// How the bytes of a [`CapturedFrame`] hold a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Pixels, as in [`Frame`].
    Raw {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes from row to row.
        stride: usize,
        /// Layout of a row.
        format: PixelFormat,
    },
    /// One JPEG file.
    Jpeg,
}

impl CapturedFrame {
    /// A frame that no source has filled yet.
    pub fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            encoding: Encoding::Jpeg,
            number: 0,
            time: SystemTime::UNIX_EPOCH,
            taken: Instant::now(),
            media_time: None,
            decoded: None,
        }
    }

    /// Takes over a frame's bytes. It has no `media_time`.
    pub fn fill(&mut self, bytes: &[u8], encoding: Encoding, number: u64) {
        self.bytes.clear();
        match bytes.strip_prefix(&START_OF_IMAGE) {
            Some(rest) if encoding == Encoding::Jpeg => {
                self.bytes.extend(START_OF_IMAGE);
                self.bytes.extend(MOTION_JPEG);
                self.bytes.extend_from_slice(rest);
            }
            _ => self.bytes.extend_from_slice(bytes),
        }
        (self.encoding, self.number, self.media_time) = (encoding, number, None);
        self.stamp(Instant::now());
    }

    /// Sets when the frame arrived.
    pub(super) fn stamp(&mut self, taken: Instant) {
        self.time = SystemTime::now().checked_sub(taken.elapsed()).unwrap_or_else(SystemTime::now);
        self.taken = taken;
    }

    /// The pixels; a JPEG is decoded into them.
    ///
    /// # Errors
    /// [`Error::Input`](crate::error::Error::Input) if the frame is cut short or otherwise broken; `source` is its name.
    pub fn decode(&mut self, source: &str) -> Result<Frame<'_>> {
        let name = || format!("{source}, frame {}", self.number);
        match self.encoding {
            Encoding::Raw { width, height, stride, format } => {
                let frame = Frame::new(&self.bytes, width, height, stride, format);
                frame.map_err(|error| error.renamed(name()))
            }
            Encoding::Jpeg => self.decoded.insert(Picture::decode(name(), &self.bytes)?).frame(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Range;

    #[test]
    fn a_short_frame_is_named_and_refused() {
        let mut frame = CapturedFrame::empty();
        let format = PixelFormat::Yuyv(Range::Limited);
        let encoding = Encoding::Raw { width: 4, height: 2, stride: 8, format };
        frame.fill(&[0; 16], encoding, 6);
        assert_eq!(frame.decode("/dev/video0").unwrap().height, 2);
        frame.fill(&[0; 15], encoding, 7);
        let error = frame.decode("/dev/video0").unwrap_err().to_string();
        assert!(error.starts_with("/dev/video0, frame 7: found 15 bytes, expected"), "{error}");
    }

    #[test]
    fn a_jpeg_is_decoded_with_the_tables_that_motion_jpeg_leaves_out() {
        let whole = std::fs::read("tests/data/coffee.jpg").unwrap();
        let mut frame = CapturedFrame::empty();
        frame.fill(&whole, Encoding::Jpeg, 0);
        let expected = frame.decode("x").unwrap().data.to_vec();
        // Cameras leave out the Huffman tables (DHT, ff c4) where they are those of annex K, as here.
        let mut bare = Vec::new();
        let mut at = 2;
        bare.extend(&whole[..2]);
        while whole[at + 1] != 0xda {
            let end = at + 2 + usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
            if whole[at + 1] != 0xc4 {
                bare.extend(&whole[at..end]);
            }
            at = end;
        }
        bare.extend(&whole[at..]);
        assert!(bare.len() + 400 < whole.len());
        frame.fill(&bare, Encoding::Jpeg, 1);
        assert_eq!(frame.decode("x").unwrap().data, expected);
        frame.fill(&whole[..whole.len() / 2], Encoding::Jpeg, 2);
        assert!(frame.decode("cam").unwrap_err().to_string().starts_with("cam, frame 2: found"));
    }
}
