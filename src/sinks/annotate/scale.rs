//! How thick lines and how large letters are in a picture of a given size.

use embedded_graphics::mono_font::MonoFont;
use embedded_graphics::mono_font::iso_8859_1::{
    FONT_6X10, FONT_7X13_BOLD, FONT_8X13_BOLD, FONT_9X15_BOLD, FONT_9X18_BOLD, FONT_10X20,
};
use embedded_graphics::prelude::*;

use super::script::is_latin;

const FONTS: [&MonoFont<'static>; 6] =
    [&FONT_6X10, &FONT_7X13_BOLD, &FONT_8X13_BOLD, &FONT_9X15_BOLD, &FONT_9X18_BOLD, &FONT_10X20];

/// Sizes of everything drawn, in pixels of the picture.
pub(crate) struct Scale {
    /// Width of an outline.
    pub line: u32,
    /// Width of the contrasting edge along the inside of an outline; 0 if the picture is too small for it.
    pub edge: u32,
    /// Room between a plate's border and its text.
    pub padding: u32,
    /// For texts of Latin-1; [`super::script`] draws all others.
    pub font: &'static MonoFont<'static>,
    /// Each pixel of the font is a block of this side.
    pub factor: u32,
}

impl Scale {
    /// Pictures of every size have about 32 lines of text along their mean side; small ones have fewer,
    /// since no font is readable below 10 pixels.
    pub(crate) fn of(picture: Size) -> Self {
        let side = (f64::from(picture.width) + f64::from(picture.height)) / 2.0;
        let height = (side / 32.0).max(10.0);
        let sizes = FONTS.iter().flat_map(|font| (1..=height as u32 / 10).map(move |factor| (*font, factor)));
        // The finer one of two that fit equally well.
        let misfit = |(font, factor): &(&MonoFont<'_>, u32)| {
            let found = f64::from(font.character_size.height * factor);
            (found / height).ln().abs() + 0.02 * f64::from(*factor)
        };
        let (font, factor) = sizes.min_by(|a, b| misfit(a).total_cmp(&misfit(b))).unwrap_or((&FONT_6X10, 1));
        let part = |of: f64| (side / of).round() as u32;
        Self { line: part(220.0).max(2), edge: part(1000.0), padding: 2 * factor, font, factor }
    }

    /// Size of one character.
    pub(crate) fn cell(&self) -> Size {
        (self.font.character_size + Size::new(self.font.character_spacing, 0)) * self.factor
    }

    /// Size of half an ideograph in texts of other scripts, whose font has one size, and of its pixels.
    pub(crate) fn wide_cell(&self) -> (Size, u32) {
        let factor = (self.cell().height + 7) / 16;
        (Size::new(8, 16) * factor.max(1), factor.max(1))
    }

    /// Size of one character of `text`.
    pub(crate) fn cell_of(&self, text: &str) -> Size {
        if is_latin(text) { self.cell() } else { self.wide_cell().0 }
    }

    /// How many characters of `text` fit on a plate of `width` pixels.
    pub(crate) fn columns(&self, width: u32, text: &str) -> usize {
        (width.saturating_sub(2 * self.padding) / self.cell_of(text).width.max(1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_share_of_the_picture() {
        for side in [360, 400, 512, 640, 800, 1024, 1280, 1920, 3000, 4000, 8000] {
            let scale = Scale::of(Size::new_equal(side));
            let lines = f64::from(side) / f64::from(scale.cell().height);
            assert!((26.0..40.0).contains(&lines), "{lines} lines at {side} pixels");
            let strokes = f64::from(side) / f64::from(scale.line);
            assert!((140.0..260.0).contains(&strokes), "{strokes} lines wide at {side} pixels");
        }
    }

    #[test]
    fn small_pictures_have_the_smallest_readable_font() {
        for size in [Size::new_equal(1), Size::new_equal(200), Size::new(320, 240)] {
            let scale = Scale::of(size);
            assert_eq!((scale.cell(), scale.line, scale.factor), (Size::new(6, 10), 2, 1));
        }
    }
}
