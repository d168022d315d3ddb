//! Where plates go: beside their box, inside the picture, and not over each other while there is room.

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

/// The plates placed so far.
pub(crate) struct Layout {
    picture: Rectangle,
    plates: Vec<Rectangle>,
}

impl Layout {
    /// An empty layout on `picture`.
    pub(crate) fn new(picture: Rectangle) -> Self {
        Self { picture, plates: Vec::new() }
    }

    /// Puts a plate of `size` at the top left.
    pub(crate) fn place_clock(&mut self, size: Size) -> Rectangle {
        self.add(Rectangle::new(self.picture.top_left, size))
    }

    /// Puts a plate of `size` at the bottom left.
    pub(crate) fn place_tags(&mut self, size: Size) -> Rectangle {
        let bottom =
            self.picture.top_left + Point::new(0, self.picture.size.height as i32 - size.height as i32);
        self.add(Rectangle::new(bottom, size))
    }

    /// Puts a plate of `size` at the box `around`: above it, inside it, or below it, at its left or right;
    /// the first of these that covers no other plate, otherwise the one that covers least.
    pub(crate) fn place(&mut self, size: Size, around: Rectangle) -> Rectangle {
        let (width, height) = (size.width as i32, size.height as i32);
        let (left, top) = (around.top_left.x, around.top_left.y);
        let (right, bottom) = (left + around.size.width as i32, top + around.size.height as i32);
        // Inside a low box, a plate would hide the box.
        let rows = if around.size.height >= 3 * size.height {
            [top - height, top, bottom, bottom - height]
        } else {
            [top - height, bottom, top, bottom - height]
        };
        let places = rows.iter().flat_map(|y| [left, right - width].map(|x| Point::new(x, *y)));
        self.best(size, places)
    }

    /// Puts a plate of `size` at one of `corners`: right of and below it, then left or above, chosen as in
    /// [`Layout::place`].
    pub(crate) fn place_at(&mut self, size: Size, corners: impl IntoIterator<Item = Point>) -> Rectangle {
        let (width, height) = (size.width as i32, size.height as i32);
        let sides = [(0, 0), (0, -height), (-width, 0), (-width, -height)];
        let places = corners.into_iter().flat_map(|corner| sides.map(|side| corner + Point::from(side)));
        self.best(size, places)
    }

    fn best(&mut self, size: Size, places: impl Iterator<Item = Point>) -> Rectangle {
        let plates = places.map(|point| self.inside(Rectangle::new(point, size)));
        let best = plates.min_by_key(|plate| self.covered(plate));
        self.add(best.unwrap_or(Rectangle::new(self.picture.top_left, size)))
    }

    fn add(&mut self, plate: Rectangle) -> Rectangle {
        let plate = self.inside(plate);
        self.plates.push(plate);
        plate
    }

    /// Moves a plate into the picture; its left and top stay visible if it is larger.
    fn inside(&self, plate: Rectangle) -> Rectangle {
        let room = |picture: u32, plate: u32| picture.saturating_sub(plate) as i32;
        let last = self.picture.top_left
            + Point::new(
                room(self.picture.size.width, plate.size.width),
                room(self.picture.size.height, plate.size.height),
            );
        let moved = plate.top_left.component_min(last).component_max(self.picture.top_left);
        Rectangle::new(moved, plate.size)
    }

    /// How many pixels of other plates this one covers.
    fn covered(&self, plate: &Rectangle) -> u64 {
        let area = |r: Rectangle| u64::from(r.size.width) * u64::from(r.size.height);
        self.plates.iter().map(|other| area(other.intersection(plate))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATE: Size = Size::new(40, 10);

    fn layout() -> Layout {
        Layout::new(Rectangle::new(Point::zero(), Size::new(200, 100)))
    }

    fn rect(x: i32, y: i32, width: u32, height: u32) -> Rectangle {
        Rectangle::new(Point::new(x, y), Size::new(width, height))
    }

    #[test]
    fn a_plate_stands_on_its_box() {
        assert_eq!(layout().place(PLATE, rect(50, 40, 60, 30)), rect(50, 30, 40, 10));
    }

    #[test]
    fn a_plate_stays_inside_the_picture() {
        assert_eq!(layout().place(PLATE, rect(190, 2, 10, 30)), rect(160, 0, 40, 10));
        assert_eq!(layout().place(PLATE, rect(0, 0, 5, 5)), rect(0, 0, 40, 10));
        assert_eq!(layout().place(Size::new(300, 10), rect(190, 50, 5, 5)), rect(0, 40, 300, 10));
    }

    #[test]
    fn plates_do_not_cover_each_other_while_there_is_room() {
        let mut layout = layout();
        let around = rect(50, 40, 100, 30);
        let plates: Vec<Rectangle> = (0..8).map(|_| layout.place(PLATE, around)).collect();
        for (i, plate) in plates.iter().enumerate() {
            for other in &plates[..i] {
                assert!(plate.intersection(other).is_zero_sized(), "{plate:?} covers {other:?}");
            }
        }
        assert_eq!(plates[1], rect(110, 30, 40, 10));
    }

    #[test]
    fn a_low_box_is_not_hidden_by_its_plate() {
        let (mut layout, low) = (layout(), rect(50, 40, 20, 12));
        let plates: Vec<Rectangle> = (0..3).map(|_| layout.place(PLATE, low)).collect();
        assert_eq!(plates, [(50, 30), (50, 52), (50, 40)].map(|(x, y)| rect(x, y, 40, 10)));
    }

    #[test]
    fn a_zone_s_name_stands_at_its_first_corner_that_is_free() {
        let (mut layout, corners) = (layout(), [Point::new(20, 30), Point::new(90, 80)]);
        let plates: Vec<Rectangle> = (0..6).map(|_| layout.place_at(PLATE, corners)).collect();
        let expected = [(20, 30), (20, 20), (0, 30), (90, 80), (90, 70), (50, 80)];
        assert_eq!(plates[..2], expected[..2].iter().map(|(x, y)| rect(*x, *y, 40, 10)).collect::<Vec<_>>());
        assert_eq!(plates[2..4], [rect(90, 80, 40, 10), rect(90, 70, 40, 10)]);
        assert_eq!(layout.place_at(PLATE, []), rect(0, 0, 40, 10));
    }

    #[test]
    fn labels_avoid_the_tags() {
        let mut layout = layout();
        assert_eq!(layout.place_tags(Size::new(120, 10)), rect(0, 90, 120, 10));
        assert_eq!(layout.place(PLATE, rect(10, 0, 60, 100)), rect(10, 0, 40, 10));
        let below = layout.place(PLATE, rect(10, 0, 60, 100));
        assert!(below.intersection(&rect(0, 90, 120, 10)).is_zero_sized());
    }
}
