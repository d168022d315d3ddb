use super::super::script::random;
use super::*;

fn exact(a: [i64; 2], b: [i64; 2], c: [i64; 2]) -> i64 {
    ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).signum()
}

fn on(a: [i64; 2], b: [i64; 2], p: [i64; 2]) -> bool {
    let within = |i: usize| p[i] >= a[i].min(b[i]) && p[i] <= a[i].max(b[i]);
    exact(a, b, p) == 0 && within(0) && within(1)
}

/// Whether two segments with integer coordinates have a common point: they cross properly, or an end
/// lies on the other.
fn meet(a: [i64; 2], b: [i64; 2], c: [i64; 2], d: [i64; 2]) -> bool {
    let proper = exact(a, b, c) * exact(a, b, d) < 0 && exact(c, d, a) * exact(c, d, b) < 0;
    proper || on(a, b, c) || on(a, b, d) || on(c, d, a) || on(c, d, b)
}

fn float([x, y]: [i64; 2]) -> Point {
    [x as f64, y as f64]
}

fn polygon(corners: &[[i64; 2]]) -> Polygon {
    Polygon::new(&corners.iter().map(|c| c.map(|v| v as f32)).collect::<Vec<_>>())
}

#[test]
fn points_are_inside_as_an_oblique_ray_counts() {
    // Far enough away, and in a direction in which the ray meets no corner of the grid.
    let far = |[x, y]: [i64; 2]| [x + 1_000_003, y + 10_007];
    let mut seed = 7;
    for count in 3..9 {
        for _ in 0..300 {
            let corners: Vec<[i64; 2]> =
                (0..count).map(|_| [random(&mut seed, 9) as i64, random(&mut seed, 9) as i64]).collect();
            let shape = polygon(&corners);
            for p in (0..81).map(|i| [i % 9, i / 9]) {
                let edges = || corners.iter().copied().zip(corners.iter().copied().cycle().skip(1));
                let border = edges().any(|(a, b)| on(a, b, p));
                let meets = edges().filter(|(a, b)| meet(p, far(p), *a, *b)).count();
                let inside = border || meets % 2 == 1;
                assert_eq!(shape.contains(float(p)), inside, "{p:?} in {corners:?}");
                assert_eq!(shape.distance(float(p)) == 0.0, inside);
            }
        }
    }
}

#[test]
fn corners_and_edges_are_inside() {
    let square = polygon(&[[0, 0], [1, 0], [1, 1], [0, 1]]);
    for p in [[0.0, 0.0], [1.0, 1.0], [0.5, 1.0], [1.0, 0.5], [0.0, 0.3], [0.5, 0.0]] {
        assert!(square.contains(p), "{p:?}");
    }
    for p in [[-1e-9, 0.5], [0.5, 1.0 + 1e-9], [2.0, 0.0], [-1.0, 1.0], [0.5, f64::NAN]] {
        assert!(!square.contains(p), "{p:?}");
    }
}

#[test]
fn distance_is_that_of_the_nearest_edge_or_corner() {
    let square = polygon(&[[0, 0], [1, 0], [1, 1], [0, 1]]);
    for (p, distance) in [([0.5, 3.0], 2.0), ([4.0, 5.0], 5.0), ([0.5, 0.5], 0.0), ([-0.25, 1.0], 0.25)] {
        assert_eq!(square.distance(p), distance, "{p:?}");
    }
}

#[test]
fn paths_cross_a_line_as_in_exact_arithmetic() {
    let mut seed = 3;
    let mut crossings = 0;
    for _ in 0..20_000 {
        let mut place = || [random(&mut seed, 6) as i64, random(&mut seed, 6) as i64];
        let (a, b, p, q) = (place(), place(), place(), place());
        if a == b {
            continue;
        }
        let (from, to) = (exact(a, b, p) >= 0, exact(a, b, q) >= 0);
        let expected = (from != to && meet(a, b, p, q)).then_some(to);
        let line = Segment::new(float(a), float(b));
        assert_eq!(line.crossed(float(p), float(q)), expected, "{a:?} {b:?} {p:?} {q:?}");
        assert_eq!(line.touches(&Segment::new(float(p), float(q))), meet(a, b, p, q));
        crossings += usize::from(expected.is_some());
    }
    assert!(crossings > 1000);
}

#[test]
fn forward_is_to_the_right_as_seen_on_the_screen() {
    // From left to right: below is to the right.
    let line = Segment::new([0.0, 0.5], [1.0, 0.5]);
    assert_eq!(line.crossed([0.5, 0.4], [0.5, 0.6]), Some(true));
    assert_eq!(line.crossed([0.5, 0.6], [0.5, 0.4]), Some(false));
    // A stop on the line is on its right: the step onto it counts, the next one does not.
    assert_eq!(line.crossed([0.5, 0.4], [0.5, 0.5]), Some(true));
    assert_eq!(line.crossed([0.5, 0.5], [0.5, 0.6]), None);
    assert_eq!(line.crossed([1.5, 0.4], [1.5, 0.6]), None);
}

#[test]
fn polygons_that_touch_themselves_are_found() {
    type Corners = &'static [[i64; 2]];
    let simple: [Corners; 3] = [
        &[[0, 0], [1, 0], [0, 1]],
        &[[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]],
        &[[0, 0], [2, 0], [4, 0], [2, 3]],
    ];
    for corners in simple {
        assert_eq!(polygon(corners).self_intersection(), None, "{corners:?}");
    }
    let bad: [(Corners, (usize, usize)); 5] = [
        // An hourglass, a spike, a spike over a corner, a corner on an edge, all corners on one line.
        (&[[0, 0], [2, 2], [2, 0], [0, 2]], (0, 2)),
        (&[[0, 0], [4, 0], [2, 0], [2, 3]], (0, 1)),
        (&[[0, 0], [4, 0], [4, 4], [4, 0]], (0, 2)),
        (&[[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], (0, 2)),
        (&[[0, 0], [1, 1], [2, 2]], (0, 2)),
    ];
    for (corners, edges) in bad {
        assert_eq!(polygon(corners).self_intersection(), Some(edges), "{corners:?}");
    }
}
