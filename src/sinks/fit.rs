//! Pictures scaled to fit a screen.

use crate::source::Picture;

/// Part of a screen in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// Where a picture of size `picture` goes on a screen of size `screen`: as large as fits with its aspect
/// ratio, centred. Empty if either is.
pub(crate) fn fit(picture: (u32, u32), screen: (u32, u32)) -> Area {
    let (w, h) = (u64::from(picture.0), u64::from(picture.1));
    let (room_w, room_h) = (u64::from(screen.0), u64::from(screen.1));
    if w * h * room_w * room_h == 0 {
        return Area { x: 0, y: 0, width: 0, height: 0 };
    }
    // Rounds half up; at least one pixel of a very flat picture.
    let scaled = |side: u64, to: u64, of: u64| ((side * to * 2 + of) / (of * 2)).max(1);
    let (width, height) = if w * room_h >= h * room_w {
        (room_w, scaled(h, room_w, w))
    } else {
        (scaled(w, room_h, h), room_h)
    };
    let (width, height) = (width.min(room_w) as u32, height.min(room_h) as u32);
    Area { x: (screen.0 - width) / 2, y: (screen.1 - height) / 2, width, height }
}

/// A picture in another size: each pixel is the mean of those that it covers, or the nearest one when
/// enlarging.
pub(crate) struct Scaled<'a> {
    picture: &'a Picture,
    height: u32,
    /// The columns of the picture that each new column covers.
    columns: Vec<(usize, usize)>,
}

impl<'a> Scaled<'a> {
    /// `picture` as `width` · `height` pixels.
    pub(crate) fn new(picture: &'a Picture, width: u32, height: u32) -> Self {
        let columns = (0..width).map(|x| covered(x, width, picture.width)).collect();
        Self { picture, height, columns }
    }

    /// Writes row `y` into `row`, three bytes per pixel.
    pub(crate) fn row(&self, y: u32, row: &mut [u8]) {
        let stride = self.picture.width as usize * 3;
        let (top, bottom) = covered(y, self.height, self.picture.height);
        let source = |y: usize| self.picture.data.get(y * stride..(y + 1) * stride).unwrap_or_default();
        if self.columns.len() * 3 == stride && bottom - top == 1 {
            let (from, row_length) = (source(top), row.len());
            if let Some(from) = from.get(..row_length.min(stride)) {
                row.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
            return;
        }
        for (pixel, (left, right)) in row.as_chunks_mut::<3>().0.iter_mut().zip(&self.columns) {
            let mut sum = [0u32; 3];
            for y in top..bottom {
                let covered = source(y).get(left * 3..right * 3).unwrap_or_default();
                for [r, g, b] in covered.as_chunks::<3>().0 {
                    sum = [sum[0] + u32::from(*r), sum[1] + u32::from(*g), sum[2] + u32::from(*b)];
                }
            }
            let count = ((bottom - top) * (right - left)) as u32;
            *pixel = sum.map(|sum| ((sum + count / 2) / count.max(1)) as u8);
        }
    }
}

/// First and last (exclusive) of `source` pixels that pixel `at` of `size` covers; at least one.
fn covered(at: u32, size: u32, source: u32) -> (usize, usize) {
    let edge = |at: u32| (u64::from(at) * u64::from(source) / u64::from(size.max(1))) as usize;
    let first = edge(at);
    (first, edge(at + 1).max(first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Picture {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let data = pixels.flat_map(|(x, y)| [value(x, y), 7, 255]).collect();
        Picture { name: "test".to_owned(), width, height, data }
    }

    fn red(scaled: &Scaled<'_>, width: usize, y: u32) -> Vec<u8> {
        let mut row = vec![0; width * 3];
        scaled.row(y, &mut row);
        assert!(row.chunks_exact(3).all(|pixel| pixel[1..] == [7, 255]));
        row.chunks_exact(3).map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn pictures_touch_two_edges_of_the_screen() {
        let area = |x, y, width, height| Area { x, y, width, height };
        assert_eq!(fit((640, 480), (320, 240)), area(0, 0, 320, 240));
        assert_eq!(fit((640, 480), (240, 240)), area(0, 30, 240, 180));
        assert_eq!(fit((480, 640), (1920, 1080)), area(555, 0, 810, 1080));
        assert_eq!(fit((1920, 1080), (320, 240)), area(0, 30, 320, 180));
        assert_eq!(fit((10_000, 1), (320, 240)), area(0, 119, 320, 1));
        for (picture, screen) in [((0, 5), (9, 9)), ((5, 5), (9, 0)), ((0, 0), (0, 0))] {
            assert_eq!(fit(picture, screen), area(0, 0, 0, 0));
        }
    }

    #[test]
    fn smaller_pictures_are_means_and_larger_ones_repeat() {
        let steps = picture(4, 4, |x, y| (10 * x + 100 * (y / 2)) as u8);
        let half = Scaled::new(&steps, 2, 2);
        assert_eq!([red(&half, 2, 0), red(&half, 2, 1)], [[5, 25], [105, 125]]);
        let double = Scaled::new(&steps, 8, 8);
        assert_eq!(red(&double, 8, 3), [0, 0, 10, 10, 20, 20, 30, 30]);
        assert_eq!(red(&double, 8, 4), [100, 100, 110, 110, 120, 120, 130, 130]);
        let same = Scaled::new(&steps, 4, 4);
        assert_eq!(red(&same, 4, 2), [100, 110, 120, 130]);
    }

    #[test]
    fn every_pixel_is_covered_in_every_size() {
        let even = picture(37, 23, |_, _| 99);
        for size in 1..80 {
            let scaled = Scaled::new(&even, size, size);
            assert!((0..size).all(|y| red(&scaled, size as usize, y).iter().all(|v| *v == 99)), "{size}");
        }
    }

    #[test]
    fn pixels_that_are_missing_do_no_harm() {
        let mut short = picture(4, 4, |_, _| 9);
        short.data.truncate(13);
        for size in [2, 4, 8] {
            let mut row = vec![1; 3 * size as usize];
            (0..size).for_each(|y| Scaled::new(&short, size, size).row(y, &mut row));
        }
    }
}
