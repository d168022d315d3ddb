//! The kinds of scenes that trackers are tried on.

use super::random::Random;
use super::world::{Faults, NAMES, PICTURE, Path, Scene, Thing};
use crate::geometry::Rect;

/// Seconds of each scene.
const LENGTH: f64 = 20.0;

const USUAL: Faults =
    Faults { jitter: 0.02, miss: 0.05, weak: 0.1, false_alarms: 0.1, flip: 0.1, shake: 0.0 };

/// A kind of scene: its name, and how to make one from a seed.
pub(crate) type Kind = (&'static str, fn(&mut Random) -> Scene);

pub(crate) const KINDS: [Kind; 10] = [
    ("plain", |random| scene(strollers(6, (40.0, 110.0), random), USUAL)),
    ("crowd", |random| scene(strollers(20, (30.0, 90.0), random), USUAL)),
    ("crossings", crossings),
    ("occlusions", occlusions),
    ("returns", returns),
    ("fast", |random| scene(strollers(5, (120.0, 300.0), random), USUAL)),
    ("faint", |random| {
        let faults = Faults { miss: 0.15, weak: 0.35, false_alarms: 0.7, jitter: 0.04, ..USUAL };
        scene(strollers(6, (40.0, 110.0), random), faults)
    }),
    ("shake", |random| scene(strollers(6, (40.0, 110.0), random), Faults { shake: 6.0, ..USUAL })),
    ("names", |random| scene(strollers(6, (40.0, 110.0), random), Faults { flip: 0.35, ..USUAL })),
    ("parked", parked),
];

fn scene(things: Vec<Thing>, faults: Faults) -> Scene {
    Scene { things, pillars: Vec::new(), faults, length: LENGTH }
}

/// A person's or a dog's size and name, in half of the cases each.
fn body(random: &mut Random) -> (usize, (f64, f64)) {
    let scale = random.between(0.6, 1.2);
    if random.chance(0.5) { (0, (50.0 * scale, 110.0 * scale)) } else { (1, (80.0 * scale, 60.0 * scale)) }
}

/// Things that walk about, `speed` pixels a second, turn at the picture's edges, sometimes turn or stop within it.
fn strollers(count: usize, speed: (f64, f64), random: &mut Random) -> Vec<Thing> {
    let stroll = |random: &mut Random| {
        let (name, size) = body(random);
        let place = |random: &mut Random| {
            [random.between(size.0, PICTURE.0 - size.0), random.between(size.1, PICTURE.1 - size.1)]
        };
        let pace = random.between(speed.0, speed.1);
        let [mut x, mut y] = place(random);
        let mut points = vec![[0.0, x, y]];
        let mut t = 0.0;
        while t < LENGTH {
            let [next_x, next_y] = place(random);
            t += (next_x - x).hypot(next_y - y).max(1.0) / pace;
            (x, y) = (next_x, next_y);
            points.push([t, x, y]);
            if random.chance(0.3) {
                t += random.between(0.5, 2.0);
                points.push([t, x, y]);
            }
        }
        Thing { name, size, path: Path { points, sway: (random.between(0.0, 4.0), 1.0) } }
    };
    (0..count).map(|_| stroll(random)).collect()
}

/// Goes from one side to the other between two times, at height `y`.
fn passer(name: usize, size: (f64, f64), y: f64, (from, to): (f64, f64), (start, end): (f64, f64)) -> Thing {
    let path = Path { points: vec![[start, from, y], [end, to, y]], sway: (2.0, 1.5) };
    Thing { name, size, path }
}

/// Pairs of one name that meet halfway, again and again.
fn crossings(random: &mut Random) -> Scene {
    let mut things = Vec::new();
    for lane in 0..3 {
        let y = 100.0 + 140.0 * f64::from(lane);
        let (name, size) = (random.below(NAMES.len()), (50.0, 110.0));
        for turned in [false, true] {
            let pace = random.between(5.0, 9.0);
            let (mut left, mut t) = (!turned, -random.between(0.0, 2.0));
            let mut points = Vec::new();
            while t < LENGTH + pace {
                points.push([t, if left { 60.0 } else { PICTURE.0 - 60.0 }, y + random.between(-20.0, 20.0)]);
                left = !left;
                t += pace;
            }
            things.push(Thing { name, size, path: Path { points, sway: (2.0, 1.3) } });
        }
    }
    scene(things, USUAL)
}

/// People behind pillars.
fn occlusions(random: &mut Random) -> Scene {
    let things = strollers(5, (60.0, 120.0), random);
    let pillar = |x: f32| Rect { x0: x, y0: 0.0, x1: x + 70.0, y1: PICTURE.1 as f32 };
    Scene { pillars: vec![pillar(130.0), pillar(290.0), pillar(450.0)], ..scene(things, USUAL) }
}

/// Things that walk out of the picture and come back a moment later, and some that only pass.
fn returns(random: &mut Random) -> Scene {
    let mut things = Vec::new();
    for lane in 0..3 {
        let (name, size) = body(random);
        let y = 100.0 + 130.0 * f64::from(lane);
        let mut points = vec![[0.0, random.between(150.0, 300.0), y]];
        let mut t = 0.0;
        while t < LENGTH {
            t += random.between(2.0, 4.0);
            points.push([t, PICTURE.0 + size.0, y]);
            t += random.between(0.1, 0.5);
            points.push([t, PICTURE.0 + size.0, y]);
            t += random.between(2.0, 4.0);
            points.push([t, random.between(150.0, 400.0), y]);
        }
        things.push(Thing { name, size, path: Path { points, sway: (2.0, 1.0) } });
    }
    for index in 0..4 {
        let (name, size) = body(random);
        let start = 5.0 * f64::from(index);
        let (from, to) = (-size.0, PICTURE.0 + size.0);
        let y = random.between(80.0, 400.0);
        things.push(passer(name, size, y, (from, to), (start, start + random.between(4.0, 7.0))));
    }
    scene(things, USUAL)
}

/// Things that stand close together, and passers in front of them.
fn parked(random: &mut Random) -> Scene {
    let mut things = Vec::new();
    for group in 0..3 {
        let name = random.below(NAMES.len());
        for place in 0..2 {
            let (x, y) =
                (120.0 + 200.0 * f64::from(group) + 30.0 * f64::from(place), random.between(200.0, 260.0));
            let points = vec![[0.0, x, y], [LENGTH, x, y]];
            things.push(Thing { name, size: (70.0, 90.0), path: Path { points, sway: (0.0, 1.0) } });
        }
    }
    for index in 0..4 {
        let (name, size) = body(random);
        let start = 5.0 * f64::from(index);
        let way =
            if random.chance(0.5) { (-size.0, PICTURE.0 + size.0) } else { (PICTURE.0 + size.0, -size.0) };
        things.push(passer(name, size, 250.0, way, (start, start + random.between(4.0, 6.0))));
    }
    scene(things, USUAL)
}
