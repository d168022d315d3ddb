//! Scenes with known truth, and a detector with known faults that looks at them.

use std::sync::Arc;
use std::time::Duration;

use super::metrics::Boxes;
use super::random::Random;
use crate::geometry::Rect;
use crate::track::Observation;

/// Width and height of the picture.
pub(crate) const PICTURE: (f64, f64) = (640.0, 480.0);
/// What things can be called.
pub(crate) const NAMES: [&str; 4] = ["person", "dog", "parcel", "bicycle"];
/// Dimension of embeddings.
const DIMENSION: usize = 32;
/// A thing is true while at least this share of it is visible.
const VISIBLE: f64 = 0.3;
/// Of two detections that overlap more, suppression leaves the nearer.
const SUPPRESSED: f32 = 0.65;

/// How a thing moves: places at times, straight lines between them that are joined smoothly, and swaying around them.
pub(crate) struct Path {
    /// Seconds, centre x, centre y; by time.
    pub points: Vec<[f64; 3]>,
    /// Pixels to each side, and how often a second.
    pub sway: (f64, f64),
}

/// Seconds that a turn takes, because nothing turns at once.
const TURN: f64 = 0.5;

impl Path {
    fn at(&self, t: f64) -> (f64, f64) {
        const TIMES: usize = 8;
        let moments = (0..TIMES).map(|i| self.sharp(t + TURN * ((i as f64 + 0.5) / TIMES as f64 - 0.5)));
        let (x, y) = moments.fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
        (x / TIMES as f64, y / TIMES as f64)
    }

    /// Before the corners are rounded.
    fn sharp(&self, t: f64) -> (f64, f64) {
        let after = self.points.iter().position(|p| p[0] > t).unwrap_or(self.points.len() - 1).max(1);
        let (a, b) = (self.points[after - 1], self.points[after]);
        let share = ((t - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0);
        let sway = self.sway.0 * (std::f64::consts::TAU * self.sway.1 * t).sin();
        (a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]) + sway)
    }
}

/// Something real. Later things of a scene are nearer and hide earlier ones.
pub(crate) struct Thing {
    /// Index of its name.
    pub name: usize,
    /// Width and height halfway down the picture.
    pub size: (f64, f64),
    pub path: Path,
}

/// What the detector and the camera do wrong.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    /// Standard deviation of an edge, in sides of the box.
    pub jitter: f64,
    /// Probability that a visible thing is not detected.
    pub miss: f64,
    /// Probability that it stays below its threshold.
    pub weak: f64,
    /// False alarms a frame.
    pub false_alarms: f64,
    /// Probability of a wrong name.
    pub flip: f64,
    /// Standard deviation of the camera's place, in pixels, anew in each frame.
    pub shake: f64,
}

/// A scene, what is in front of it, and how it is looked at.
pub(crate) struct Scene {
    pub things: Vec<Thing>,
    /// Hide everything; nobody detects them.
    pub pillars: Vec<Rect>,
    pub faults: Faults,
    /// Seconds.
    pub length: f64,
}

/// What was detected at one place.
pub(crate) struct Seen {
    pub rect: Rect,
    pub labels: Vec<(Arc<str>, f32)>,
    pub confident: bool,
    pub embedding: Vec<f32>,
}

impl Seen {
    pub(crate) fn observation(&self) -> Observation<'_> {
        let Self { rect, labels, confident, embedding } = self;
        Observation { rect: *rect, labels, confident: *confident, embedding: Some(embedding) }
    }
}

/// One frame: the truth, and what was detected.
pub(crate) struct Frame {
    pub clock: Duration,
    /// Ids are indices of things.
    pub truth: Boxes,
    pub seen: Vec<Seen>,
}

fn direction(random: &mut Random) -> Vec<f64> {
    let v: Vec<f64> = (0..DIMENSION).map(|_| random.normal()).collect();
    unit(&v)
}

fn unit(v: &[f64]) -> Vec<f64> {
    let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter().map(|x| x / length).collect()
}

/// The weighted sum at length 1.
fn mix(parts: &[(f64, &[f64])]) -> Vec<f64> {
    let sum = |i: usize| parts.iter().map(|(weight, v)| weight * v[i]).sum();
    unit(&(0..DIMENSION).map(sum).collect::<Vec<f64>>())
}

/// Embeddings: cosines around 0.4 between names, 0.75 between things of one name, 0.9 between sights of one thing.
struct Looks {
    common: Vec<f64>,
    names: Vec<Vec<f64>>,
    things: Vec<Vec<f64>>,
}

impl Looks {
    fn new(scene: &Scene, random: &mut Random) -> Self {
        let common = direction(random);
        let names: Vec<_> = NAMES.iter().map(|_| direction(random)).collect();
        let of = |thing: &Thing, own: &[f64]| {
            mix(&[(0.4f64.sqrt(), &common), (0.35f64.sqrt(), &names[thing.name]), (0.5, own)])
        };
        let things = scene.things.iter().map(|thing| of(thing, &direction(random))).collect();
        Self { common, names, things }
    }

    fn sight(clean: &[f64], random: &mut Random) -> Vec<f32> {
        let noise = direction(random);
        mix(&[(1.0, clean), (0.35, &noise)]).into_iter().map(|x| x as f32).collect()
    }
}

fn rect(x: f64, y: f64, width: f64, height: f64) -> Rect {
    let [x0, y0, x1, y1] =
        [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0].map(|v| v as f32);
    Rect { x0, y0, x1, y1 }
}

impl Scene {
    /// Looks `rate` times a second, at times that vary by a fifth.
    pub(crate) fn frames(&self, rate: f64, seed: u64) -> Vec<Frame> {
        let mut random = Random::new(seed);
        let looks = Looks::new(self, &mut random);
        let mut frames = Vec::new();
        let mut t = 0.0;
        while t < self.length {
            frames.push(self.frame(t, &looks, &mut random));
            t += random.between(0.8, 1.2) / rate;
        }
        frames
    }

    fn frame(&self, t: f64, looks: &Looks, random: &mut Random) -> Frame {
        let camera = (self.faults.shake * random.normal(), self.faults.shake * random.normal());
        let places: Vec<Rect> = self
            .things
            .iter()
            .map(|thing| {
                let (x, y) = thing.path.at(t);
                // What is lower in the picture is nearer to the camera.
                let scale = 0.6 + 0.8 * y / PICTURE.1;
                rect(x + camera.0, y + camera.1, thing.size.0 * scale, thing.size.1 * scale)
            })
            .collect();
        let picture = Rect { x0: 0.0, y0: 0.0, x1: PICTURE.0 as f32, y1: PICTURE.1 as f32 };
        let pillars = self.pillars.iter().map(|p| {
            let (dx, dy) = (camera.0 as f32, camera.1 as f32);
            Rect { x0: p.x0 + dx, y0: p.y0 + dy, x1: p.x1 + dx, y1: p.y1 + dy }
        });
        let pillars: Vec<Rect> = pillars.collect();
        let mut frame = Frame { clock: Duration::from_secs_f64(t), truth: Vec::new(), seen: Vec::new() };
        // The nearest first, so that suppression leaves it.
        for (index, place) in places.iter().enumerate().rev() {
            let view = View::new(place, &picture, &places[index + 1..], &pillars);
            if view.share < VISIBLE {
                continue;
            }
            frame.truth.push((index as u64, place.clip(&picture)));
            let blended = match view.hidden_by {
                Some(other) => {
                    let hider = &looks.things[index + 1 + other];
                    mix(&[(view.share, &looks.things[index]), (1.0 - view.share, hider)])
                }
                None => looks.things[index].clone(),
            };
            if let Some(seen) = self.detect(self.things[index].name, place, &view, &blended, random) {
                let seen = Seen { rect: seen.rect.clip(&picture), ..seen };
                if frame.seen.iter().all(|nearer| nearer.rect.iou(&seen.rect) <= SUPPRESSED) {
                    frame.seen.push(seen);
                }
            }
        }
        if random.chance(self.faults.false_alarms) {
            frame.seen.push(self.false_alarm(looks, random));
        }
        // Detections come in no order of things.
        frame.seen.sort_by(|a, b| a.rect.x0.total_cmp(&b.rect.x0));
        frame
    }

    fn detect(
        &self,
        name: usize,
        place: &Rect,
        view: &View,
        looks: &[f64],
        random: &mut Random,
    ) -> Option<Seen> {
        let Faults { jitter, miss, weak, flip, .. } = self.faults;
        let half_hidden = view.share < 0.7;
        if random.chance(miss) {
            return None;
        }
        let confident = !random.chance(if half_hidden { 0.7 } else { weak });
        // Half of the time only the visible part is boxed.
        let base = if half_hidden && random.chance(0.5) { view.visible } else { *place };
        let mut edge = |v: f32, side: f32| v + (jitter * random.normal()) as f32 * side;
        let (w, h) = (base.width(), base.height());
        let rect =
            Rect { x0: edge(base.x0, w), y0: edge(base.y0, h), x1: edge(base.x1, w), y1: edge(base.y1, h) };
        let p = if confident { random.between(0.45, 0.9) } else { random.between(0.1, 0.35) };
        let mut labels = vec![(Arc::from(NAMES[name]), p as f32)];
        if random.chance(flip) {
            let other = (name + 1 + random.below(NAMES.len() - 1)) % NAMES.len();
            labels.insert(0, (Arc::from(NAMES[other]), p as f32));
            labels[1].1 *= 0.6;
        }
        Some(Seen { rect, labels, confident, embedding: Looks::sight(looks, random) })
    }

    fn false_alarm(&self, looks: &Looks, random: &mut Random) -> Seen {
        let (w, h) = (random.between(20.0, 120.0), random.between(20.0, 120.0));
        let place = rect(random.between(0.0, PICTURE.0), random.between(0.0, PICTURE.1), w, h);
        let name = random.below(NAMES.len());
        let own = direction(random);
        let clean = mix(&[(0.6, &looks.common), (0.3, &looks.names[name]), (0.7, &own)]);
        Seen {
            rect: place,
            labels: vec![(Arc::from(NAMES[name]), random.between(0.3, 0.5) as f32)],
            confident: random.chance(0.5),
            embedding: Looks::sight(&clean, random),
        }
    }
}

/// What can be seen of a thing.
struct View {
    /// Of its area, 0 to 1.
    share: f64,
    /// The smallest box around what is visible.
    visible: Rect,
    /// Who of the nearer ones hides most.
    hidden_by: Option<usize>,
}

impl View {
    /// Looks at 12 × 12 points.
    fn new(place: &Rect, picture: &Rect, nearer: &[Rect], pillars: &[Rect]) -> Self {
        const POINTS: usize = 12;
        let inside = |r: &Rect, x: f32, y: f32| x >= r.x0 && x < r.x1 && y >= r.y0 && y < r.y1;
        let (dx, dy) = (place.width() / POINTS as f32, place.height() / POINTS as f32);
        let mut hidden = vec![0; nearer.len()];
        let mut count = 0;
        let mut visible = Rect { x0: place.x1, y0: place.y1, x1: place.x0, y1: place.y0 };
        for point in 0..POINTS * POINTS {
            let (left, top) =
                (place.x0 + (point % POINTS) as f32 * dx, place.y0 + (point / POINTS) as f32 * dy);
            let (x, y) = (left + dx / 2.0, top + dy / 2.0);
            if let Some(hider) = nearer.iter().position(|r| inside(r, x, y)) {
                hidden[hider] += 1;
            } else if inside(picture, x, y) && !pillars.iter().any(|r| inside(r, x, y)) {
                count += 1;
                visible.x0 = visible.x0.min(left);
                visible.y0 = visible.y0.min(top);
                visible.x1 = visible.x1.max(left + dx);
                visible.y1 = visible.y1.max(top + dy);
            }
        }
        let hidden_by = (0..hidden.len()).filter(|&i| hidden[i] > 0).max_by_key(|&i| hidden[i]);
        Self { share: f64::from(count) / (POINTS * POINTS) as f64, visible, hidden_by }
    }
}
