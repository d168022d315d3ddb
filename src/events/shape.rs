//! Points, lines and polygons, in fractions of the picture.

/// x to the right, y down.
pub(super) type Point = [f64; 2];

/// Converts a point of the configuration.
pub(super) fn point([x, y]: [f32; 2]) -> Point {
    [f64::from(x), f64::from(y)]
}

/// Twice the signed area of the triangle a, b, c: positive if c lies to the right of the line from a to b as
/// seen on a screen, 0 if it lies on it.
pub(super) fn orientation(a: Point, b: Point, c: Point) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// The straight segment from `a` to `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    pub a: Point,
    pub b: Point,
}

impl Segment {
    pub(crate) fn new(a: Point, b: Point) -> Self {
        Self { a, b }
    }

    /// Whether a point is to the right of the infinite line through both ends; points on the
    /// line count as right.
    pub(crate) fn has_on_right(&self, p: Point) -> bool {
        orientation(self.a, self.b, p) >= 0.0
    }

    /// Distance from the infinite line through both ends.
    pub(crate) fn distance_from_line(&self, p: Point) -> f64 {
        orientation(self.a, self.b, p).abs() / length([self.b[0] - self.a[0], self.b[1] - self.a[1]])
    }

    /// Distance from the nearest point of the segment.
    pub(crate) fn distance(&self, p: Point) -> f64 {
        let along = [self.b[0] - self.a[0], self.b[1] - self.a[1]];
        let to = [p[0] - self.a[0], p[1] - self.a[1]];
        let square = along[0] * along[0] + along[1] * along[1];
        let part = if square > 0.0 { (to[0] * along[0] + to[1] * along[1]) / square } else { 0.0 };
        let part = part.clamp(0.0, 1.0);
        length([to[0] - part * along[0], to[1] - part * along[1]])
    }

    /// Whether the path from `p` to `q` changes sides between the segment's ends (inclusive): `Some(true)`
    /// if to the right. Sides are those of [`Segment::has_on_right`], so that consecutive paths count every
    /// change exactly once.
    pub(crate) fn crossed(&self, p: Point, q: Point) -> Option<bool> {
        let forward = self.has_on_right(q);
        if self.has_on_right(p) == forward {
            return None;
        }
        // The ends of the segment must be on different sides of the path, or on it.
        let (a, b) = (orientation(p, q, self.a), orientation(p, q, self.b));
        (a.min(b) <= 0.0 && a.max(b) >= 0.0).then_some(forward)
    }

    /// Whether a point lies on the segment, ends included.
    fn contains(&self, p: Point) -> bool {
        let within = |i: usize| p[i] >= self.a[i].min(self.b[i]) && p[i] <= self.a[i].max(self.b[i]);
        orientation(self.a, self.b, p) == 0.0 && within(0) && within(1)
    }

    /// Whether the segments have a point in common.
    pub(crate) fn touches(&self, other: &Segment) -> bool {
        let splits = |one: &Segment, two: &Segment| {
            let (a, b) = (orientation(one.a, one.b, two.a), orientation(one.a, one.b, two.b));
            a < 0.0 && b > 0.0 || a > 0.0 && b < 0.0
        };
        splits(self, other) && splits(other, self)
            || self.contains(other.a)
            || self.contains(other.b)
            || other.contains(self.a)
            || other.contains(self.b)
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
    /// Joins each corner to the next, and the last to the first.
    pub(crate) fn new(corners: &[[f32; 2]]) -> Self {
        let next = corners.iter().cycle().skip(1);
        Self { edges: corners.iter().zip(next).map(|(a, b)| Segment::new(point(*a), point(*b))).collect() }
    }

    /// Whether a point is inside or on the border, so that an object at the picture's edge is in a
    /// zone that reaches it.
    ///
    /// Counts the edges that a ray to the right meets (Shimrat 1962). An edge includes its upper end but not
    /// its lower one, so that a ray through a corner meets one of two edges that continue, and both or
    /// neither of two that turn back.
    pub(crate) fn contains(&self, p: Point) -> bool {
        let mut inside = false;
        for edge in &self.edges {
            if edge.contains(p) {
                return true;
            }
            let down = edge.b[1] > edge.a[1];
            let (top, bottom) = if down { (edge.a, edge.b) } else { (edge.b, edge.a) };
            if top[1] <= p[1] && p[1] < bottom[1] && orientation(top, bottom, p) > 0.0 {
                inside = !inside;
            }
        }
        inside
    }

    /// How far outside a point is; 0 inside.
    pub(crate) fn distance(&self, p: Point) -> f64 {
        if self.contains(p) {
            return 0.0;
        }
        self.edges.iter().map(|edge| edge.distance(p)).fold(f64::INFINITY, f64::min)
    }

    /// The first two edges that share more than the corner between neighbours, as indices of
    /// their first corners.
    pub(crate) fn self_intersection(&self) -> Option<(usize, usize)> {
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

/// Whether the second edge, which starts at the end of the first, runs back along it.
fn turns_back(one: &Segment, two: &Segment) -> bool {
    one.contains(two.b) || two.contains(one.a)
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
