//! Zones and lines: thin, in a muted colour, so that boxes stand out.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};

use super::colour::QUIET;
use super::scale::Scale;
use crate::events::Outline;

const STROKE: Rgb888 = Rgb888::new(205, 205, 205);

/// Name of the zone or line, and the zone's state.
pub(crate) fn caption(outline: &Outline) -> String {
    match &outline.state {
        Some(state) => format!("{}: {state}", outline.name),
        None => outline.name.to_string(),
    }
}

/// A corner in pixels of `picture`. Points far outside are moved closer, since drawing takes time there as
/// well.
pub(crate) fn point([x, y]: [f32; 2], picture: Rectangle) -> Point {
    let along = |fraction: f32, side: u32| (fraction.clamp(-1.0, 2.0) * side as f32).round() as i32;
    // A fraction of 1 is the last pixel.
    let last = |side: u32| side.saturating_sub(1);
    picture.top_left + Point::new(along(x, last(picture.size.width)), along(y, last(picture.size.height)))
}

/// Draws `outline` with a dark edge; a line has a tick that points forward, to its right.
pub(crate) fn draw_outline<D: DrawTarget<Color = Rgb888>>(
    target: &mut D,
    outline: &Outline,
    picture: Rectangle,
    scale: &Scale,
) -> Result<(), D::Error> {
    let corners: Vec<Point> = outline.points.iter().map(|corner| point(*corner, picture)).collect();
    let first = outline.closed.then(|| corners.first().copied()).flatten();
    let ends = corners.iter().skip(1).copied().chain(first);
    let mut strokes: Vec<Line> =
        corners.iter().zip(ends).map(|(start, end)| Line::new(*start, end)).collect();
    if !outline.closed {
        let ticks: Vec<Line> =
            strokes.iter().filter_map(|stroke| tick(stroke, scale.cell().height)).collect();
        strokes.extend(ticks);
    }
    let width = scale.line.div_ceil(2);
    for (width, colour) in [(width + 2, QUIET), (width, STROKE)] {
        let style = PrimitiveStyle::with_stroke(colour, width);
        strokes.iter().try_for_each(|stroke| stroke.into_styled(style).draw(target))?;
    }
    Ok(())
}

/// From the middle of `line` to its right, as seen from start to end; `None` if it has no length.
fn tick(line: &Line, length: u32) -> Option<Line> {
    let along = line.end - line.start;
    let whole = f64::from(along.x).hypot(f64::from(along.y));
    let side = |part: i32| (f64::from(part) * f64::from(length) / whole).round() as i32;
    let middle = line.start + along / 2;
    (whole > 0.0).then(|| Line::new(middle, middle + Point::new(side(-along.y), side(along.x))))
}

#[cfg(test)]
mod tests {
    use embedded_graphics::mock_display::MockDisplay;

    use super::*;

    fn drawn(points: &[[f32; 2]], closed: bool) -> MockDisplay<Rgb888> {
        let mut display = MockDisplay::new();
        display.set_allow_overdraw(true);
        display.set_allow_out_of_bounds_drawing(true);
        let picture = Rectangle::new(Point::zero(), Size::new(21, 13));
        let outline = Outline { name: "x".into(), points: points.to_vec(), closed, state: None };
        draw_outline(&mut display, &outline, picture, &Scale { line: 1, ..Scale::of(picture.size) }).unwrap();
        display
    }

    fn light(display: &MockDisplay<Rgb888>) -> Vec<String> {
        let pixel = |x, y| if display.get_pixel(Point::new(x, y)) == Some(STROKE) { '#' } else { ' ' };
        (0..13).map(|y| (0..21).map(|x| pixel(x, y)).collect::<String>().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_zone_is_closed() {
        let zone = light(&drawn(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], true));
        let (row, sides) = ("#".repeat(21), format!("#{}#", " ".repeat(19)));
        assert_eq!(zone[0], row);
        assert!(zone[1..12].iter().all(|line| *line == sides));
        assert_eq!(zone[12], row);
    }

    #[test]
    fn a_line_is_open_and_points_to_its_right() {
        let line = light(&drawn(&[[0.0, 0.0], [1.0, 0.0]], false));
        assert_eq!(line[0], "#".repeat(21));
        assert!(line[1..10].iter().all(|line| *line == format!("{}#", " ".repeat(10))), "{line:#?}");
        let up = light(&drawn(&[[0.5, 1.0], [0.5, 0.0]], false));
        assert_eq!(up[6], format!("{}###########", " ".repeat(10)), "{up:#?}");
    }

    #[test]
    fn broken_corners_do_no_harm() {
        let wild = [[f32::NAN, f32::INFINITY], [-1e30, 1e30], [0.5, 0.5], [0.5, 0.5]];
        for (points, closed) in
            [(&wild[..], true), (&wild, false), (&wild[..1], true), (&[], true), (&[], false)]
        {
            drawn(points, closed);
        }
    }

    #[test]
    fn a_caption_says_what_the_zone_shows() {
        let zone = Outline { name: "door".into(), points: Vec::new(), closed: true, state: None };
        assert_eq!(caption(&zone), "door");
        assert_eq!(caption(&Outline { state: Some("open".into()), ..zone }), "door: open");
    }
}
