//! Short scripts of what frames show, for tests.

use super::*;
use crate::geometry::Rect;
use crate::track::Track;

/// Width and height of the pictures, in pixels.
const SIZE: (u32, u32) = (1000, 500);

/// Runs an engine over scripts and returns its events as text.
pub(super) struct Script {
    pub engine: Engine,
    pub size: (u32, u32),
}

impl Script {
    /// `settings` is TOML.
    pub(crate) fn new(settings: &str) -> Self {
        Self { engine: Engine::new(&toml::from_str(settings).unwrap()).unwrap(), size: SIZE }
    }

    pub(crate) fn reload(&mut self, settings: &str) {
        self.engine.reload(&toml::from_str(settings).unwrap()).unwrap();
    }

    /// One line per frame, `SECONDS ITEM …`. Items: `1:person@.3,.5` is track 1 with the middle of its lower
    /// edge at that point, a tenth of the picture wide and a fifth high; suffixes are `?` if it was not seen,
    /// `*.4` for its score (default .9), `x.5` for half the size. `tag=.7`: probability of a tag. `#0=.7/.2`:
    /// probabilities of the prompts of zone 0. `-`: the detector did not run.
    ///
    /// Returns the events, one line per event, without appear and disappear.
    pub(crate) fn run(&mut self, frames: &str) -> Vec<String> {
        let mut events = Vec::new();
        for line in frames.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (seconds, items) = line.split_once(' ').unwrap_or((line, ""));
            let mut out = Vec::new();
            self.frame(seconds.parse().unwrap(), items, &mut out);
            events.extend(out.iter().map(|event| format!("{seconds} {}", text(event))));
        }
        events.retain(|line| !line.contains("appear"));
        events
    }

    /// Runs one frame and appends all of its events to `out`.
    pub(crate) fn frame(&mut self, seconds: f64, items: &str, out: &mut Vec<Event>) {
        let (mut tracks, mut tags, mut states, mut looked) = (Vec::new(), Vec::new(), Vec::new(), true);
        let number = |text: &str| text.parse::<f32>().unwrap();
        for item in items.split_whitespace() {
            if item == "-" {
                looked = false;
            } else if let Some(state) = item.strip_prefix('#') {
                let (zone, values) = state.split_once('=').unwrap();
                states.push((zone.parse().unwrap(), values.split('/').map(number).collect()));
            } else if let Some((name, value)) = item.split_once('=') {
                tags.push((Arc::from(name), number(value)));
            } else {
                tracks.push(track(item, self.size));
            }
        }
        let clock = Duration::from_secs_f64(seconds);
        let (width, height) = self.size;
        let scene = Scene { clock, width, height, tracks: &tracks, tags: &tags, states: &states, looked };
        self.engine.update(&scene, out);
    }
}

fn track(item: &str, (width, height): (u32, u32)) -> Track {
    let (item, seen) = item.strip_suffix('?').map_or((item, true), |item| (item, false));
    let (item, scale) = item.split_once('x').unwrap_or((item, "1"));
    let (item, score) = item.split_once('*').unwrap_or((item, ".9"));
    let (id, rest) = item.split_once(':').unwrap();
    let (label, place) = rest.split_once('@').unwrap();
    let (x, y) = place.split_once(',').unwrap();
    let [x, y, scale] = [x, y, scale].map(|text| text.parse::<f32>().unwrap());
    let (w, h) = (width as f32, height as f32);
    let rect =
        Rect { x0: (x - 0.05 * scale) * w, y0: (y - 0.2 * scale) * h, x1: (x + 0.05 * scale) * w, y1: y * h };
    Track {
        id: id.parse().unwrap(),
        label: label.into(),
        score: score.parse().unwrap(),
        rect,
        velocity: [0.0, 0.0],
        seen,
        age: Duration::ZERO,
    }
}

/// An event as text.
pub(super) fn text(event: &Event) -> String {
    let seconds = |time: &Duration| time.as_secs_f64();
    match event {
        Event::Appear { track, label } => format!("appear {track} {label}"),
        Event::Disappear { track, label, stayed } => {
            format!("disappear {track} {label} after {}", seconds(stayed))
        }
        Event::Enter { zone, track, label } => format!("enter {zone} {track} {label}"),
        Event::Leave { zone, track, label, stayed } => {
            format!("leave {zone} {track} {label} after {}", seconds(stayed))
        }
        Event::Dwell { zone, track, label, stayed } => {
            format!("dwell {zone} {track} {label} for {}", seconds(stayed))
        }
        Event::Cross { line, track, label, forward, forwards, backwards } => {
            let way = if *forward { "forward" } else { "backward" };
            format!("cross {line} {track} {label} {way} {forwards}/{backwards}")
        }
        Event::Occupancy { zone, label, count, before } => {
            format!("occupancy {zone} {label} {before} to {count}")
        }
        Event::State { zone, state, before, probability } => {
            let before = before.as_deref().unwrap_or("nothing");
            format!("state {zone} {before} to {state} {probability:.2}")
        }
        Event::Tag { label, present, score } => format!("tag {label} {present} {score:.2}"),
    }
}

/// Numbers from 0 to `below` − 1, the same in every run (xorshift, Marsaglia 2003).
pub(super) fn random(seed: &mut u64, below: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 20) % below
}
