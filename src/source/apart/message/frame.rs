//! A frame whose bytes go another way.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::frame::{PixelFormat, Range};
use crate::source::live::{CapturedFrame, Encoding};

/// A frame without its bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source::apart) struct Header {
    pub length: usize,
    number: u64,
    /// How long ago it was taken: the clocks of two processes have no common beginning.
    age: Duration,
    pub time: Option<Duration>,
    layout: Layout,
}

#[derive(Debug, Serialize, Deserialize)]
enum Layout {
    Jpeg,
    /// Pixels as decoders here give them: planes of [`PixelFormat::Yu12`], or [`PixelFormat::Rgb8`].
    Raw {
        width: u32,
        height: u32,
        stride: usize,
        planes: Option<bool>,
    },
}

impl Layout {
    fn of(encoding: Encoding) -> Option<Self> {
        let Encoding::Raw { width, height, stride, format } = encoding else { return Some(Self::Jpeg) };
        let planes = match format {
            PixelFormat::Yu12(range) => Some(range == Range::Full),
            PixelFormat::Rgb8 => None,
            _ => return None,
        };
        Some(Self::Raw { width, height, stride, planes })
    }
}

impl Header {
    /// Of a camera's frame; `None` if its pixels are laid out in another way.
    pub(in crate::source::apart) fn of(frame: &CapturedFrame) -> Option<Self> {
        let layout = Layout::of(frame.encoding)?;
        let (length, age) = (frame.bytes.len(), frame.taken.elapsed());
        Some(Self { length, number: frame.number, age, time: frame.media_time, layout })
    }

    /// Of a frame of an animation.
    pub(in crate::source::apart) fn of_animation(
        length: usize,
        encoding: Encoding,
        time: Duration,
    ) -> Option<Self> {
        let layout = Layout::of(encoding)?;
        Some(Self { length, number: 0, age: Duration::ZERO, time: Some(time), layout })
    }

    pub(in crate::source::apart) fn encoding(&self) -> Encoding {
        match self.layout {
            Layout::Jpeg => Encoding::Jpeg,
            Layout::Raw { width, height, stride, planes } => {
                let format = match planes {
                    None => PixelFormat::Rgb8,
                    Some(true) => PixelFormat::Yu12(Range::Full),
                    Some(false) => PixelFormat::Yu12(Range::Limited),
                };
                Encoding::Raw { width, height, stride, format }
            }
        }
    }

    /// Describes the bytes of `frame`, which are there already.
    pub(in crate::source::apart) fn describe(&self, frame: &mut CapturedFrame) {
        frame.encoding = self.encoding();
        (frame.number, frame.media_time) = (self.number, self.time);
        let now = Instant::now();
        frame.stamp(now.checked_sub(self.age).unwrap_or(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_described_as_it_was() {
        let (width, height, stride) = (4, 4, 4);
        for format in [PixelFormat::Yu12(Range::Full), PixelFormat::Yu12(Range::Limited), PixelFormat::Rgb8] {
            let mut frame = CapturedFrame::empty();
            frame.fill(&[7; 24], Encoding::Raw { width, height, stride, format }, 9);
            frame.media_time = Some(Duration::from_millis(40));
            let mut other = CapturedFrame::empty();
            Header::of(&frame).unwrap().describe(&mut other);
            let told = |frame: &CapturedFrame| (frame.encoding, frame.number, frame.media_time);
            assert_eq!(told(&other), told(&frame));
            assert!(other.taken.duration_since(frame.taken) < Duration::from_secs(5));
        }
        let mut frame = CapturedFrame::empty();
        frame.fill(b"\xff\xd8\xff", Encoding::Jpeg, 9);
        assert_eq!(Header::of(&frame).unwrap().encoding(), Encoding::Jpeg);
        frame.fill(&[7; 24], Encoding::Raw { width, height, stride, format: PixelFormat::Grey8 }, 9);
        assert!(Header::of(&frame).is_none());
    }
}
