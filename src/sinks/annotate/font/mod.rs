//! Glyphs of many scripts: a part of GNU Unifont, see `LICENSE` beside this file.

use std::sync::OnceLock;

/// Made by `pack.py`, which describes the format.
static PACKED: &[u8] = include_bytes!("unifont.bin");
/// Bytes of one bit for each code point.
const PLANE: usize = 8192;
/// Rows of a glyph, one byte for eight pixels.
pub(super) const ROWS: usize = 16;

/// The unpacked font.
struct Font {
    data: Vec<u8>,
    /// Number of the first half glyph of each run of eight code points.
    starts: Vec<u32>,
}

/// A glyph of 8 or 16 × 16 pixels: its left half and, if it is wide, the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    /// Rows from the top, the leftmost pixel in the highest bit.
    pub left: &'static [u8; ROWS],
    /// The same for the right half.
    pub right: Option<&'static [u8; ROWS]>,
}

/// The glyph of a character, if the font has one.
pub(super) fn glyph(c: char) -> Option<Glyph> {
    static FONT: OnceLock<Font> = OnceLock::new();
    FONT.get_or_init(Font::unpack).glyph(u32::from(c) as usize)
}

impl Font {
    fn unpack() -> Self {
        let data = fdeflate::decompress_to_vec(PACKED).unwrap_or_default();
        let (present, wide) =
            data.get(..2 * PLANE).unwrap_or_default().split_at_checked(PLANE).unwrap_or_default();
        let halves = present.iter().zip(wide).map(|(present, wide)| present.count_ones() + wide.count_ones());
        let starts = halves.scan(0, |next, count| Some(std::mem::replace(next, *next + count))).collect();
        Self { data, starts }
    }

    fn glyph(&'static self, point: usize) -> Option<Glyph> {
        let (byte, bit) = (point / 8, point % 8);
        // Beyond the plane, there is no start.
        let start = *self.starts.get(byte)? as usize;
        let (present, wide) = (*self.data.get(byte)?, *self.data.get(PLANE + byte)?);
        let below = (1u8 << bit) - 1;
        let number = start + ((present & below).count_ones() + (wide & below).count_ones()) as usize;
        let halves: &[[u8; ROWS]] = self.data.get(2 * PLANE..)?.as_chunks().0;
        let is = |bits: u8| bits >> bit & 1 == 1;
        is(present).then_some(())?;
        let right = if is(wide) { Some(halves.get(number + 1)?) } else { None };
        Some(Glyph { left: halves.get(number)?, right })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(c: char) -> Vec<String> {
        let glyph = glyph(c).unwrap();
        let row = |row: usize| {
            let bits = [Some(glyph.left), glyph.right]
                .into_iter()
                .flatten()
                .map(|half| format!("{:08b}", half[row]));
            bits.collect::<String>().replace('0', " ").replace('1', "#").trim_end().to_owned()
        };
        (0..ROWS).map(row).collect()
    }

    #[test]
    fn glyphs_are_those_of_the_font() {
        assert_eq!(picture('L')[4..14].concat(), format!("{}{}", " #".repeat(9), " ######"));
        let cat = picture('猫');
        assert!(cat.iter().any(|row| row.len() > 12) && cat.iter().all(|row| row.len() <= 16), "{cat:?}");
        // The last one of the file.
        assert!(glyph('\u{ff9f}').is_some());
        for c in "Łódź Ωμέγα Жук חתול قطة ﻗ ねこ 고양이 猫 ไทย ё ğ ß".chars().filter(|c| *c != ' ')
        {
            assert!(glyph(c).is_some(), "{c}");
        }
        for c in ['😀', '\u{10ffff}', '\u{e000}'] {
            assert_eq!(glyph(c), None);
        }
    }
}
