//! The recent path of a track: thick and bright where it is now, thin and dark where it was.

use std::collections::VecDeque;
use std::time::Duration;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};

use super::colour::QUIET;
use super::outline::point;
use super::scale::Scale;
use crate::geometry::Rect;

/// How far back a path is drawn.
const SPAN: Duration = Duration::from_secs(3);
/// Smallest distance between two points, relative to the picture's mean side: boxes jitter even if nothing
/// moves.
const STEP: f32 = 0.015;
/// How dark its oldest part is: this share of [`QUIET`].
const DARKEST: f32 = 0.7;
/// Most points, however fast a track moves.
const MOST: usize = 64;

/// Where a track has been.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    /// The track's age and the place, oldest first.
    points: VecDeque<(Duration, [f32; 2])>,
}

/// A point of a path in fractions of the picture, and how far it has faded, 0 to 1.
pub(crate) type Step = ([f32; 2], f32);

impl Trail {
    /// Adds the box of a track of this age in a picture of `size`. Adding the same box twice changes nothing.
    pub(crate) fn follow(&mut self, age: Duration, rect: &Rect, size: (u32, u32)) {
        let place = anchor(rect, size);
        let (width, height) = (size.0 as f32, size.1 as f32);
        let far = |[x, y]: [f32; 2]| {
            let distance = ((x - place[0]) * width).hypot((y - place[1]) * height);
            distance >= STEP * (width + height) / 2.0
        };
        if self.points.back().is_none_or(|(_, last)| far(*last)) && place.iter().all(|v| v.is_finite()) {
            self.points.push_back((age, place));
        }
        let old = |then: Duration| age.saturating_sub(then) > SPAN;
        while self.points.len() > MOST || self.points.front().is_some_and(|(then, _)| old(*then)) {
            self.points.pop_front();
        }
    }

    /// The path up to the track's box in this picture, oldest point first; empty if it does not move.
    pub(crate) fn steps(&self, age: Duration, rect: &Rect, size: (u32, u32)) -> Vec<Step> {
        if self.points.len() < 2 {
            return Vec::new();
        }
        let faded = |then: Duration| (age.saturating_sub(then).as_secs_f32() / SPAN.as_secs_f32()).min(1.0);
        let past = self.points.iter().map(|(then, place)| (*place, faded(*then)));
        past.chain([(anchor(rect, size), 0.0)]).collect()
    }
}

/// The default anchor of zones and lines: the middle of the box's lower edge.
fn anchor(rect: &Rect, (width, height): (u32, u32)) -> [f32; 2] {
    [(rect.x0 + rect.x1) / 2.0 / width as f32, rect.y1 / height as f32]
}

/// Draws a path with a dark edge.
pub(crate) fn draw_trail<D: DrawTarget<Color = Rgb888>>(
    target: &mut D,
    steps: &[Step],
    colour: Rgb888,
    picture: Rectangle,
    scale: &Scale,
) -> Result<(), D::Error> {
    let strokes = |edge: u32| {
        steps.iter().zip(steps.iter().skip(1)).map(move |((from, faded), (to, _))| {
            let width = (1.5 * scale.line as f32 * (1.0 - faded)).round().max(1.0) as u32;
            let colour = if edge == 0 { mixed(colour, QUIET, DARKEST * faded) } else { QUIET };
            let line = Line::new(point(*from, picture), point(*to, picture));
            line.into_styled(PrimitiveStyle::with_stroke(colour, width + edge))
        })
    };
    strokes(2).chain(strokes(0)).try_for_each(|stroke| stroke.draw(target))
}

/// `a` with a `share` of `b` mixed in.
fn mixed(a: Rgb888, b: Rgb888, share: f32) -> Rgb888 {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
    Rgb888::new(part(a.r(), b.r()), part(a.g(), b.g()), part(a.b(), b.b()))
}

#[cfg(test)]
mod tests {
    use embedded_graphics::mock_display::MockDisplay;

    use super::*;

    const SIZE: (u32, u32) = (200, 100);

    /// A box with its anchor at this pixel.
    fn rect(x: f32, y: f32) -> Rect {
        Rect { x0: x - 5.0, y0: y - 20.0, x1: x + 5.0, y1: y }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_trembles_has_no_way_and_what_moves_has_the_last_seconds() {
        let mut trail = Trail::default();
        for i in 0..100 {
            trail.follow(ms(i * 100), &rect(50.0 + (i % 2) as f32, 50.0), SIZE);
        }
        assert!(trail.steps(ms(9900), &rect(50.0, 50.0), SIZE).is_empty());
        for i in 0..50 {
            trail.follow(ms(10_000 + i * 100), &rect(50.0 + 2.0 * i as f32, 50.0), SIZE);
        }
        let steps = trail.steps(ms(15_000), &rect(150.0, 40.0), SIZE);
        assert_eq!(steps.last(), Some(&([0.75, 0.4], 0.0)));
        let faded: Vec<f32> = steps.iter().map(|step| step.1).collect();
        assert!(faded.is_sorted_by(|a, b| a >= b) && faded[0] > 0.9 && faded[0] <= 1.0, "{faded:?}");
        assert!(steps[0].0[0] > 0.4, "three of five seconds: {steps:?}");
    }

    #[test]
    fn ways_are_bounded_and_noting_a_moment_twice_changes_nothing() {
        let mut trail = Trail::default();
        for i in 0..1000 {
            let place = rect(if i % 2 == 0 { 20.0 } else { 180.0 }, 50.0);
            trail.follow(ms(i), &place, SIZE);
            trail.follow(ms(i), &place, SIZE);
        }
        assert_eq!(trail.points.len(), MOST);
        trail.follow(ms(1000), &rect(f32::NAN, 50.0), SIZE);
        assert!(trail.points.iter().all(|(_, place)| place.iter().all(|v| v.is_finite())));
    }

    #[test]
    fn a_way_becomes_thinner_and_darker_backwards() {
        let mut display = MockDisplay::new();
        display.set_allow_overdraw(true);
        display.set_allow_out_of_bounds_drawing(true);
        let picture = Rectangle::new(Point::zero(), Size::new(33, 11));
        let scale = Scale { line: 2, ..Scale::of(picture.size) };
        let steps = [([0.0, 0.5], 1.0), ([0.5, 0.5], 0.0), ([1.0, 0.5], 0.0)];
        draw_trail(&mut display, &steps, Rgb888::YELLOW, picture, &scale).unwrap();
        let column =
            |x: i32| (0..11).filter(|y| display.get_pixel(Point::new(x, *y)) == Some(Rgb888::YELLOW)).count();
        assert_eq!((column(4), column(24)), (0, 3));
        assert_eq!(display.get_pixel(Point::new(4, 5)), Some(mixed(Rgb888::YELLOW, QUIET, DARKEST)));
        assert_eq!(display.get_pixel(Point::new(4, 4)), Some(QUIET));
        assert_eq!(mixed(Rgb888::WHITE, Rgb888::BLACK, 0.25), Rgb888::new(191, 191, 191));
    }
}
