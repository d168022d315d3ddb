//! Live sources and the frames that they deliver.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::jpeg::MOTION_JPEG;
use super::picture::Picture;
use crate::error::Result;
use crate::frame::{Frame, FrameMut, PixelFormat};

/// A source of frames: a camera, a recording, a pipe.
pub trait Live: Send {
    /// What messages and results call the source.
    fn name(&self) -> &str;

    /// Whether frames wait until they are asked for, as those of a file do and those of a camera do not. For
    /// a pipe this is known once its first frame has arrived.
    fn waits(&self) -> bool;

    /// Waits for the next frame and stores it in `frame`, whose buffer is reused. Returns [`Next::Nothing`]
    /// every now and then, most sources several times per second; cameras may block for as long as they take
    /// to be found silent (5 s over USB, 10 s in the network).
    ///
    /// # Errors
    /// The source has failed and must be reopened. Faults that it survives are a [`Next`].
    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next>;
}

/// Decodes pictures elsewhere.
pub(super) trait Decode: Debug + Send + Sync {
    /// Same as [`Picture::decode`].
    ///
    /// # Errors
    /// Same as those of [`Picture::decode`], and if whoever decodes it dies of it.
    fn decode(&self, name: String, bytes: &[u8]) -> Result<Picture>;

    /// There will be nothing to decode.
    fn dismiss(&self);
}

/// The outcome of waiting for a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A frame.
    Frame,
    /// A broken frame: why.
    Broken(String),
    /// None arrived in time, and the stream is being restarted: why.
    Stalled(String),
    /// No frame yet: a chance for the caller to stop.
    Nothing,
    /// The source has ended.
    End,
}

/// A captured frame. A copy, since the driver needs its buffer back, which on many boards is slow to read as
/// well.
#[derive(Debug, Clone)]
pub struct CapturedFrame {
    /// What the source delivered.
    pub bytes: Vec<u8>,
    /// How to read it.
    pub encoding: Encoding,
    /// Frame number from 0; gaps are frames that arrived too fast.
    pub number: u64,
    /// Wall-clock time of capture.
    pub time: SystemTime,
    /// The same on a monotonic clock.
    pub taken: Instant,
    /// Presentation time, where the source has times.
    pub media_time: Option<Duration>,
    decoded: Option<Picture>,
    /// Who decodes a JPEG file of a stranger.
    decoder: Option<Arc<dyn Decode>>,
}

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];

/// How the bytes of a [`CapturedFrame`] hold a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Pixels, laid out as in [`Frame`].
    Raw {
        /// Pixels per row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes from one row to the next.
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
            decoder: None,
        }
    }

    /// Copies a frame's bytes and stamps it with the current time; `media_time` is `None`.
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
        // Frames circulate: pixels of old ones would stay.
        (self.decoded, self.decoder) = (None, None);
        self.stamp(Instant::now());
    }

    /// Leaves the decoding of this frame to another process.
    pub(super) fn decode_with(&mut self, decoder: Option<Arc<dyn Decode>>) {
        self.decoder = decoder;
    }

    /// Sets when the frame arrived.
    pub(super) fn stamp(&mut self, taken: Instant) {
        self.time = SystemTime::now().checked_sub(taken.elapsed()).unwrap_or_else(SystemTime::now);
        self.taken = taken;
    }

    /// The pixels; a JPEG frame is decoded.
    ///
    /// # Errors
    /// [`Error::Input`](crate::error::Error::Input) if the frame is cut short or otherwise broken; `source`
    /// is its name.
    pub fn decode(&mut self, source: &str) -> Result<Frame<'_>> {
        Ok(self.decode_mut(source)?.into_frame())
    }

    /// The same pixels, to hide some of them.
    ///
    /// # Errors
    /// Same as [`CapturedFrame::decode`].
    pub(crate) fn decode_mut(&mut self, source: &str) -> Result<FrameMut<'_>> {
        let name = || format!("{source}, frame {}", self.number);
        match self.encoding {
            Encoding::Raw { width, height, stride, format } => {
                let frame = FrameMut::new(&mut self.bytes, width, height, stride, format);
                frame.map_err(|error| error.renamed(name()))
            }
            Encoding::Jpeg => {
                let picture = match &self.decoder {
                    Some(decoder) => decoder.decode(name(), &self.bytes)?,
                    None => Picture::decode(name(), &self.bytes)?,
                };
                self.decoded.insert(picture).frame_mut()
            }
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
        // Cameras omit the Huffman tables (DHT, ff c4) if they are those of annex K, as here.
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
