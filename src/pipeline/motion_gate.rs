//! Whether anything has moved since the last look.

use std::time::Duration;

use super::luma::Luma;
use crate::frame::Frame;

/// Longest time without a look at a still scene.
const LONGEST: Duration = Duration::from_secs(10);

/// Cells across and down.
const COLUMNS: usize = 32;
const ROWS: usize = 24;
/// Pixels sampled per cell, across and down.
const PROBES: usize = 4;
/// Change of a cell's mean brightness that is more than a camera's noise.
const CHANGED: u8 = 10;

/// Remembers the last look of a source.
#[derive(Debug, Default)]
pub(crate) struct MotionGate {
    last: Option<LastLook>,
}

#[derive(Debug)]
struct LastLook {
    clock: Duration,
    thumbnail: Thumbnail,
}

impl MotionGate {
    /// Whether nothing has moved since the last look, which was not too long ago.
    pub(crate) fn is_still(&self, clock: Duration, thumbnail: &Thumbnail) -> bool {
        self.last.as_ref().is_some_and(|last| {
            clock.saturating_sub(last.clock) < LONGEST && !thumbnail.differs(&last.thumbnail)
        })
    }

    /// Notes a look. After one without thumbnail, nothing counts as still.
    pub(crate) fn looked(&mut self, clock: Duration, thumbnail: Option<Thumbnail>) {
        self.last = thumbnail.map(|thumbnail| LastLook { clock, thumbnail });
    }
}

/// Mean brightness of each cell of a picture, 0 to 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thumbnail([u8; COLUMNS * ROWS]);

impl Thumbnail {
    /// Reads a few pixels of each cell. `None` if the frame contradicts
    /// itself.
    pub(crate) fn of(frame: &Frame<'_>) -> Option<Self> {
        let luma = Luma::of(frame)?;
        let (width, height) = (frame.width as usize, frame.height as usize);
        let mut sums = [0u16; COLUMNS * ROWS];
        for probe in 0..ROWS * PROBES {
            let y = (2 * probe + 1) * height / (2 * ROWS * PROBES);
            let row = luma.row(y)?;
            for across in 0..COLUMNS * PROBES {
                let x = (2 * across + 1) * width / (2 * COLUMNS * PROBES);
                let cell = probe / PROBES * COLUMNS + across / PROBES;
                *sums.get_mut(cell)? += u16::from(luma.at(row, x)?);
            }
        }
        Some(Self(sums.map(|sum| (sum / (PROBES * PROBES) as u16) as u8)))
    }

    /// Whether any cell differs by more than noise. A change of light over the whole picture counts as one.
    fn differs(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a.abs_diff(*b) > CHANGED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{PixelFormat, Range};

    const WIDTH: usize = 160;
    const HEIGHT: usize = 120;

    fn grey(pixel: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..WIDTH * HEIGHT).map(|i| pixel(i % WIDTH, i / WIDTH)).collect()
    }

    fn thumbnail(data: &[u8], stride: usize, format: PixelFormat) -> Thumbnail {
        Thumbnail::of(&Frame::new(data, WIDTH as u32, HEIGHT as u32, stride, format).unwrap()).unwrap()
    }

    #[test]
    fn noise_is_no_change_but_a_small_thing_is() {
        let mut state = 1u32;
        let mut noisy = || {
            let mut noise = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 28) as u8
            };
            let picture: Vec<u8> = (0..WIDTH * HEIGHT).map(|_| 100 + noise()).collect();
            thumbnail(&picture, WIDTH, PixelFormat::Grey8)
        };
        assert!((0..50).all(|_| !noisy().differs(&noisy())));
        let empty = thumbnail(&grey(|_, _| 100), WIDTH, PixelFormat::Grey8);
        let thing = grey(|x, y| if (70..76).contains(&x) && (50..56).contains(&y) { 180 } else { 100 });
        assert!(empty.differs(&thumbnail(&thing, WIDTH, PixelFormat::Grey8)));
    }

    #[test]
    fn brightness_is_read_in_every_format() {
        let expected = thumbnail(&grey(|x, y| (x + y / 2) as u8), WIDTH, PixelFormat::Grey8);
        let spread = |step: usize, offset: usize| {
            let mut data = vec![7; WIDTH * HEIGHT * step];
            for (i, value) in grey(|x, y| (x + y / 2) as u8).into_iter().enumerate() {
                data[i * step + offset] = value;
            }
            data
        };
        for (step, offset, format) in [
            (3, 1, PixelFormat::Rgb8),
            (3, 1, PixelFormat::Bgr8),
            (2, 0, PixelFormat::Yuyv(Range::Full)),
            (2, 1, PixelFormat::Uyvy(Range::Full)),
        ] {
            assert_eq!(thumbnail(&spread(step, offset), WIDTH * step, format), expected, "{format:?}");
        }
    }

    #[test]
    fn a_still_scene_is_looked_at_again_after_a_while() {
        let grey = |value: u8| thumbnail(&grey(|_, _| value), WIDTH, PixelFormat::Grey8);
        let mut gate = MotionGate::default();
        assert!(!gate.is_still(Duration::ZERO, &grey(9)), "no look so far");
        gate.looked(Duration::from_secs(1), Some(grey(9)));
        assert!(gate.is_still(Duration::from_secs(2), &grey(9)));
        assert!(!gate.is_still(Duration::from_secs(2), &grey(90)));
        assert!(!gate.is_still(Duration::from_secs(11), &grey(9)));
        gate.looked(Duration::from_secs(3), None);
        assert!(!gate.is_still(Duration::from_secs(4), &grey(9)));
    }

    #[test]
    fn the_smallest_frame_has_a_thumbnail() {
        let frame = Frame::new(&[9], 1, 1, 1, PixelFormat::Grey8).unwrap();
        assert_eq!(Thumbnail::of(&frame), Some(Thumbnail([9; COLUMNS * ROWS])));
    }
}
