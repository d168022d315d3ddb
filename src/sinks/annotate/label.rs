//! A line of text on a filled plate.

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};

use super::canvas::Enlarged;
use super::colour::contrasting;
use super::scale::Scale;

/// Replaces what was cut off; the fonts have no "…".
const CUT: &str = "...";

/// `name` and `score` in at most `columns` characters: a long name is cut, the score stays.
pub(crate) fn shortened(name: &str, score: &str, columns: usize) -> String {
    let (length, room) = (name.chars().count(), columns.saturating_sub(score.chars().count()));
    if length <= room {
        return format!("{name}{score}");
    }
    let start: String = name.chars().take(room.saturating_sub(CUT.len()).max(1)).collect();
    format!("{}{CUT}{score}", start.trim_end())
}

/// Size of the plate of `text`.
pub(crate) fn label_size(text: &str, scale: &Scale) -> Size {
    let cell = scale.cell();
    let width = cell.width.saturating_mul(text.chars().count() as u32);
    Size::new(width + 2 * scale.padding, cell.height + scale.padding)
}

/// Fills `area` with `colour` and writes `text` on it, black or white.
pub(crate) fn draw_label<D: DrawTarget<Color = Rgb888>>(
    target: &mut D,
    area: Rectangle,
    text: &str,
    scale: &Scale,
    colour: Rgb888,
) -> Result<(), D::Error> {
    target.fill_solid(&area, colour)?;
    let origin = area.top_left + Point::new(scale.padding as i32, scale.padding as i32 / 2);
    // A control character takes one cell of the plate as well.
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let style = MonoTextStyle::new(scale.font, contrasting(colour));
    let mut enlarged = Enlarged { target, origin, factor: scale.factor };
    Text::with_baseline(&text, Point::zero(), style, Baseline::Top).draw(&mut enlarged)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use embedded_graphics::mock_display::MockDisplay;

    use super::*;

    #[test]
    fn long_names_are_cut_and_scores_stay() {
        assert_eq!(shortened("person", " 0.93", 11), "person 0.93");
        assert_eq!(shortened("person", " 0.93", 10), "pe... 0.93");
        assert_eq!(shortened("käfer", " 0.93", 10), "käfer 0.93");
        assert_eq!(shortened("a red bus", " 0.93", 10), "a... 0.93");
        assert_eq!(shortened("person", " 0.93", 0), "p... 0.93");
    }

    fn drawn(text: &str, factor: u32) -> MockDisplay<Rgb888> {
        let mut display = MockDisplay::new();
        display.set_allow_overdraw(true);
        let scale = Scale { factor, padding: 2 * factor, ..Scale::of(Size::new_equal(64)) };
        let area = Rectangle::new(Point::new(1, 1), label_size(text, &scale));
        draw_label(&mut display, area, text, &scale, Rgb888::YELLOW).unwrap();
        display
    }

    #[test]
    fn text_lies_inside_its_plate() {
        drawn("iL", 1).assert_pattern(&[
            "                 ",
            " YYYYYYYYYYYYYYYY",
            " YYYYYYYYYYYYYYYY",
            " YYYYKYYYKYYYYYYY",
            " YYYYYYYYKYYYYYYY",
            " YYYKKYYYKYYYYYYY",
            " YYYYKYYYKYYYYYYY",
            " YYYYKYYYKYYYYYYY",
            " YYYYKYYYKYYYYYYY",
            " YYYKKKYYKKKKKYYY",
            " YYYYYYYYYYYYYYYY",
            " YYYYYYYYYYYYYYYY",
            " YYYYYYYYYYYYYYYY",
        ]);
    }

    #[test]
    fn larger_text_is_the_same_in_blocks() {
        let (small, large) = (drawn("i", 1), drawn("i", 2));
        for Point { x, y } in Rectangle::new(Point::zero(), Size::new(10, 12)).points() {
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let block = Point::new(2 * x + 1 + dx, 2 * y + 1 + dy);
                assert_eq!(large.get_pixel(block), small.get_pixel(Point::new(x + 1, y + 1)));
            }
        }
    }

    #[test]
    fn latin_letters_are_drawn_and_unknown_ones_become_question_marks() {
        assert_ne!(drawn("é", 1), drawn("?", 1));
        assert_ne!(drawn("é", 1), drawn("e", 1));
        for unknown in ["犬", "…", "\n", "\u{7}", "🐕"] {
            assert_eq!(drawn(unknown, 1), drawn("?", 1), "{unknown:?}");
        }
    }
}
