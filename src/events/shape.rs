//! Points, lines and polygons in fractions of a picture.

/// x to the right, y down.
pub(super) type Point = [f64; 2];

/// A point of the configuration.
pub(super) fn point([x, y]: [f32; 2]) -> Point {
    [f64::from(x), f64::from(y)]
}

/// Twice the signed area of the triangle a, b, c: positive if c lies to the right of the way from a to b, as it is seen on a
/// screen, 0 if it lies on it.
pub(super) fn turn(a: Point, b: Point, c: Point) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Straight from `a` to `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    pub a: Point,
    pub b: Point,
}

impl Segment {
    pub fn new(a: Point, b: Point) -> Self {
        Self { a, b }
    }

    /// Whether a point is to the right of the endless line through both ends; on it counts as right.
    pub fn has_right(&self, p: Point) -> bool {
        turn(self.a, self.b, p) >= 0.0
    }

    /// Distance from the endless line through both ends.
    pub fn distance_of_line(&self, p: Point) -> f64 {
        turn(self.a, self.b, p).abs() / length([self.b[0] - self.a[0], self.b[1] - self.a[1]])
    }

    /// Distance from the nearest point of the segment.
    pub fn distance(&self, p: Point) -> f64 {
        let along = [self.b[0] - self.a[0], self.b[1] - self.a[1]];
        let to = [p[0] - self.a[0], p[1] - self.a[1]];
        let square = along[0] * along[0] + along[1] * along[1];
        let part = if square > 0.0 { (to[0] * along[0] + to[1] * along[1]) / square } else { 0.0 };
        let part = part.clamp(0.0, 1.0);
        length([to[0] - part * along[0], to[1] - part * along[1]])
    }

    /// Whether the way from `p` to `q` changes the side between both ends (ends included): `Some(true)` to the right.
    /// Sides are those of [`Segment::has_right`], so that consecutive ways count every change once.
    pub fn crossed(&self, p: Point, q: Point) -> Option<bool> {
        let forward = self.has_right(q);
        if self.has_right(p) == forward {
            return None;
        }
        // Both ends must lie on different sides of the way, or on it.
        let (a, b) = (turn(p, q, self.a), turn(p, q, self.b));
        (a.min(b) <= 0.0 && a.max(b) >= 0.0).then_some(forward)
    }

    /// Whether a point lies on the segment, ends included.
    fn holds(&self, p: Point) -> bool {
        let within = |i: usize| p[i] >= self.a[i].min(self.b[i]) && p[i] <= self.a[i].max(self.b[i]);
        turn(self.a, self.b, p) == 0.0 && within(0) && within(1)
    }

    /// Whether both segments have a point in common.
    pub fn touches(&self, other: &Segment) -> bool {
        let splits = |one: &Segment, two: &Segment| {
            let (a, b) = (turn(one.a, one.b, two.a), turn(one.a, one.b, two.b));
            a < 0.0 && b > 0.0 || a > 0.0 && b < 0.0
        };
        splits(self, other) && splits(other, self)
            || self.holds(other.a)
            || self.holds(other.b)
            || other.holds(self.a)
            || other.holds(self.b)
    }
}

fn length([x, y]: Point) -> f64 {
    x.hypot(y)
}

/// An area with straight edges.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Polygon {
    edges: Vec<Segment>,
}

impl Polygon {
    /// Joins each corner to the next and the last to the first.
    pub fn new(corners: &[[f32; 2]]) -> Self {
        let next = corners.iter().cycle().skip(1);
        Self { edges: corners.iter().zip(next).map(|(a, b)| Segment::new(point(*a), point(*b))).collect() }
    }

    /// Whether a point is inside; the border is (a thing that stands at the picture's edge is in a zone up to there).
    ///
    /// Counts the edges that a ray to the right meets (Shimrat 1962). An edge has its upper end but not its lower, so that
    /// a ray through a corner meets one of two edges that go on, and both or none of two that turn back.
    pub fn contains(&self, p: Point) -> bool {
        let mut inside = false;
        for edge in &self.edges {
            if edge.holds(p) {
                return true;
            }
            let down = edge.b[1] > edge.a[1];
            let (top, bottom) = if down { (edge.a, edge.b) } else { (edge.b, edge.a) };
            if top[1] <= p[1] && p[1] < bottom[1] && turn(top, bottom, p) > 0.0 {
                inside = !inside;
            }
        }
        inside
    }

    /// How far a point is outside; 0 inside.
    pub fn distance(&self, p: Point) -> f64 {
        if self.contains(p) {
            return 0.0;
        }
        self.edges.iter().map(|edge| edge.distance(p)).fold(f64::INFINITY, f64::min)
    }

    /// Two edges that have more in common than the corner between neighbours, as places in the list of corners.
    pub fn crossing(&self) -> Option<(usize, usize)> {
        let count = self.edges.len();
        let pairs = self.edges.iter().enumerate().flat_map(|(i, one)| {
            self.edges.iter().enumerate().skip(i + 1).map(move |(j, two)| ((i, one), (j, two)))
        });
        pairs
            .filter(|((i, one), (j, two))| match () {
                () if i + 1 == *j => turns_back(one, two),
                () if *i == 0 && j + 1 == count => turns_back(two, one),
                () => one.touches(two),
            })
            .map(|((i, _), (j, _))| (i, j))
            .next()
    }
}

/// Whether the second edge goes back over the first, at whose end it begins.
fn turns_back(one: &Segment, two: &Segment) -> bool {
    one.holds(two.b) || two.holds(one.a)
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
