//! Converts planes of Y, U and V without padding to layouts that [`Frame`](crate::frame::Frame) supports.

use super::live::Encoding;
use crate::frame::{PixelFormat, Range};

/// Chroma subsampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chroma {
    /// One pair of U and V per 2 × 2 pixels: 4:2:0.
    Quarter,
    /// One pair per two pixels of a row: 4:2:2.
    Half,
    /// One pair per pixel: 4:4:4.
    Whole,
    /// No colour.
    None,
}

/// Consecutive planes, rows without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planes {
    /// Pixels per row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    pub chroma: Chroma,
    /// Range of Y, U and V, if known.
    pub range: Option<Range>,
}

impl Planes {
    /// Columns and rows of U and of V.
    fn chroma_size(&self) -> (usize, usize) {
        let (width, height) = (self.width as usize, self.height as usize);
        match self.chroma {
            Chroma::Quarter => (width.div_ceil(2), height.div_ceil(2)),
            Chroma::Half => (width.div_ceil(2), height),
            Chroma::Whole => (width, height),
            Chroma::None => (0, 0),
        }
    }

    /// Bytes of one picture.
    pub(crate) fn bytes(&self) -> usize {
        let (columns, rows) = self.chroma_size();
        self.width as usize * self.height as usize + 2 * columns * rows
    }

    /// The same picture in a supported layout, in `repacked` if it must be converted. In 4:4:4, the chroma of
    /// two neighbours becomes their mean, rounded up. `picture` has [`Planes::bytes`] bytes.
    pub(crate) fn pack<'a>(&self, picture: &'a [u8], repacked: &'a mut Vec<u8>) -> (&'a [u8], Encoding) {
        let (columns, rows) = (self.width as usize, self.height as usize);
        let (width, height) = (self.width, self.height);
        let (y, chroma) = picture.split_at_checked(columns * rows).unwrap_or((picture, &[]));
        let (u, v) = chroma.split_at_checked(chroma.len() / 2).unwrap_or((chroma, &[]));
        let range = self.range.unwrap_or(Range::Limited);
        let raw = |stride, format| Encoding::Raw { width, height, stride, format };
        let even = columns.next_multiple_of(2);
        repacked.clear();
        match self.chroma {
            // Grey without a range is full range, same as in FFmpeg.
            Chroma::None if self.range != Some(Range::Limited) => (picture, raw(columns, PixelFormat::Grey8)),
            Chroma::Quarter if columns == even => (picture, raw(even, PixelFormat::Yu12(range))),
            Chroma::None => {
                pad(y, columns, even, repacked);
                let neutral = repacked.len() + even * rows.div_ceil(2);
                repacked.resize(neutral, 128);
                (repacked, raw(even, PixelFormat::Yu12(range)))
            }
            Chroma::Quarter => {
                pad(y, columns, even, repacked);
                repacked.extend_from_slice(chroma);
                (repacked, raw(even, PixelFormat::Yu12(range)))
            }
            Chroma::Half | Chroma::Whole => {
                let each = self.chroma_size().0;
                let planes = y.chunks_exact(columns).zip(u.chunks_exact(each)).zip(v.chunks_exact(each));
                for ((y, u), v) in planes {
                    self.interleave(y, u, v, repacked);
                }
                (repacked, raw(2 * even, PixelFormat::Yuyv(range)))
            }
        }
    }

    /// One row of Y₀, U, Y₁, V.
    fn interleave(&self, y: &[u8], u: &[u8], v: &[u8], out: &mut Vec<u8>) {
        let mean = |pair: &[u8]| match *pair {
            [a, b] => a.midpoint(b) + ((a ^ b) & 1),
            [a] => a,
            _ => 128,
        };
        let each = if self.chroma == Chroma::Half { 1 } else { 2 };
        for ((y, u), v) in y.chunks(2).zip(u.chunks(each)).zip(v.chunks(each)) {
            let first = y.first().copied().unwrap_or_default();
            out.extend([first, mean(u), y.last().copied().unwrap_or(first), mean(v)]);
        }
    }
}

/// Copies rows of `columns` bytes to rows of `stride`, which is the same or one more.
fn pad(plane: &[u8], columns: usize, stride: usize, out: &mut Vec<u8>) {
    for row in plane.chunks_exact(columns) {
        out.extend_from_slice(row);
        out.extend(row.last().filter(|_| columns < stride));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;

    #[test]
    fn every_layout_makes_a_frame_of_odd_and_even_sizes() {
        for (width, height) in [(1, 1), (1, 2), (2, 1), (3, 3), (4, 2), (5, 4)] {
            for chroma in [Chroma::Quarter, Chroma::Half, Chroma::Whole, Chroma::None] {
                for range in [None, Some(Range::Limited), Some(Range::Full)] {
                    let planes = Planes { width, height, chroma, range };
                    let picture = vec![7; planes.bytes()];
                    let mut repacked = Vec::new();
                    let (bytes, encoding) = planes.pack(&picture, &mut repacked);
                    let Encoding::Raw { width, height, stride, format } = encoding else {
                        panic!("{planes:?}")
                    };
                    assert!(Frame::new(bytes, width, height, stride, format).is_ok(), "{planes:?}");
                }
            }
        }
    }

    #[test]
    fn samples_keep_their_places() {
        let pack = |chroma, width, height, picture: &[u8]| {
            let mut repacked = Vec::new();
            Planes { width, height, chroma, range: None }.pack(picture, &mut repacked).0.to_vec()
        };
        assert_eq!(pack(Chroma::Half, 3, 1, &[1, 2, 3, 10, 11, 20, 21]), [1, 10, 2, 20, 3, 11, 3, 21]);
        assert_eq!(pack(Chroma::Whole, 3, 1, &[1, 2, 3, 10, 11, 9, 20, 30, 9]), [1, 11, 2, 25, 3, 9, 3, 9]);
        assert_eq!(pack(Chroma::Quarter, 3, 1, &[1, 2, 3, 10, 11, 20, 21]), [1, 2, 3, 3, 10, 11, 20, 21]);
        assert_eq!(pack(Chroma::None, 3, 1, &[1, 2, 3]), [1, 2, 3]);
    }

    #[test]
    fn grey_of_limited_range_stays_limited() {
        let planes = Planes { width: 1, height: 1, chroma: Chroma::None, range: Some(Range::Limited) };
        let mut repacked = Vec::new();
        let (bytes, encoding) = planes.pack(&[16], &mut repacked);
        assert_eq!(bytes, [16, 16, 128, 128]);
        let format = PixelFormat::Yu12(Range::Limited);
        assert_eq!(encoding, Encoding::Raw { width: 1, height: 1, stride: 2, format });
    }
}
