//! A line of text on a filled plate.

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};

use super::canvas::Enlarged;
use super::colour::contrasting;
use super::scale::Scale;
use super::script::{LEFT_TO_RIGHT, cells, columns, has_right_to_left, is_latin};

/// Replaces what was cut off; the fonts have no "…".
const CUT: &str = "...";

/// `name` and `score` in at most `columns` characters: a long name is cut, the score stays.
pub(crate) fn shortened(name: &str, score: &str, most: usize) -> String {
    let length = |text: &str| text.chars().map(columns).sum::<usize>();
    let room = most.saturating_sub(length(score));
    let mark = if has_right_to_left(name) { LEFT_TO_RIGHT.to_string() } else { String::new() };
    if length(name) <= room {
        return format!("{name}{mark}{score}");
    }
    let (room, mut used) = (room.saturating_sub(CUT.len()), 0);
    let fits = |(i, c): &(usize, char)| {
        used += columns(*c);
        *i == 0 || used <= room
    };
    let start: String = name.chars().enumerate().take_while(fits).map(|(_, c)| c).collect();
    format!("{}{mark}{CUT}{score}", start.trim_end())
}

/// Size of the plate of `text`.
pub(crate) fn label_size(text: &str, scale: &Scale) -> Size {
    let cell = scale.cell_of(text);
    let width = if is_latin(text) {
        cell.width.saturating_mul(text.chars().count() as u32)
    } else {
        let widths = cells(text).into_iter().filter(|cell| !cell.over).map(|cell| cell.width());
        widths.sum::<u32>().saturating_mul(scale.wide_cell().1)
    };
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
    if !is_latin(text) {
        return draw_cells(target, origin, text, scale, contrasting(colour));
    }
    // A control character takes one cell of the plate as well.
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let style = MonoTextStyle::new(scale.font, contrasting(colour));
    let mut enlarged = Enlarged { target, origin, factor: scale.factor };
    Text::with_baseline(&text, Point::zero(), style, Baseline::Top).draw(&mut enlarged)?;
    Ok(())
}

/// Writes `text` of any script from `origin`.
fn draw_cells<D: DrawTarget<Color = Rgb888>>(
    target: &mut D,
    origin: Point,
    text: &str,
    scale: &Scale,
    colour: Rgb888,
) -> Result<(), D::Error> {
    let (_, factor) = scale.wide_cell();
    let mut enlarged = Enlarged { target, origin, factor };
    let (mut left, mut last) = (0, 0);
    for cell in cells(text) {
        let start = if cell.over { last } else { left };
        let pixels = (0..16).flat_map(|row| (0..16).map(move |column| (column, row)));
        let set = pixels.filter(|(column, row)| cell.is_set(*column, *row));
        let points = set.map(|(column, row)| Point::new(start + column as i32, row as i32));
        enlarged.draw_iter(points.map(|point| Pixel(point, colour)))?;
        if !cell.over {
            (last, left) = (left, left + cell.width() as i32);
        }
    }
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
    fn letters_of_other_scripts_are_drawn_and_tell_names_apart() {
        assert_ne!(drawn("é", 1), drawn("?", 1));
        assert_ne!(drawn("é", 1), drawn("e", 1));
        for control in ["\n", "\u{7}"] {
            assert_eq!(drawn(control, 1), drawn("?", 1), "{control:?}");
        }
        let texts = ["犬", "猫", "Ł", "Ж", "Ω", "ת", "ق", "ね", "고"];
        for (i, text) in texts.iter().enumerate() {
            assert!(texts[..i].iter().all(|other| drawn(other, 1) != drawn(text, 1)), "{text}");
        }
        assert_eq!(shortened("猫猫猫猫", " 0.93", 12), "猫猫... 0.93");
        assert_eq!(shortened("חתול", " 0.93", 12), "חתול\u{200e} 0.93");
    }
}
