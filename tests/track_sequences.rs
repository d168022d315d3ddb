//! The tracker on generated sequences whose truth is known. `--nocapture` prints the tables of `docs/tracking.md`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "tracking/greedy.rs"]
mod greedy;
#[path = "tracking/metrics.rs"]
mod metrics;
#[path = "tracking/random.rs"]
mod random;
#[path = "tracking/scenes.rs"]
mod scenes;
#[path = "tracking/world.rs"]
mod world;

use edgeclip::track::{Observation, Settings, Tracker};

use greedy::Greedy;
use metrics::{Boxes, Score, evaluate};
use random::Random;
use scenes::{KINDS, Kind};
use world::Frame;

const RATES: [f64; 4] = [2.0, 5.0, 15.0, 30.0];
const SEEDS: u64 = 5;

/// What is left out of the tracker to see what it is worth.
#[derive(Debug, Clone, Default)]
struct Without {
    embedding: bool,
    weak: bool,
}

/// Frames of every seed of a kind at a rate.
fn sequences(kind: &Kind, rate: f64) -> Vec<Vec<Frame>> {
    (0..SEEDS).map(|seed| (kind.1)(&mut Random::new(seed)).frames(rate, seed + 100)).collect()
}

fn observations<'a>(frame: &'a Frame, without: &Without) -> Vec<Observation<'a>> {
    let all = frame.seen.iter().map(|seen| seen.observation());
    let kept = all.filter(|o| o.confident || !without.weak);
    kept.map(|o| Observation { embedding: o.embedding.filter(|_| !without.embedding), ..o }).collect()
}

fn follow(frames: &[Frame], settings: &Settings, without: &Without) -> Score {
    let mut tracker = Tracker::new(settings.clone()).unwrap();
    let pairs: Vec<(Boxes, Boxes)> = frames
        .iter()
        .map(|frame| {
            let update = tracker.update(frame.clock, &observations(frame, without));
            let seen = update.tracks.iter().filter(|t| t.seen).map(|t| (t.id, t.rect));
            (frame.truth.clone(), seen.collect())
        })
        .collect();
    evaluate(&pairs)
}

fn follow_greedily(frames: &[Frame]) -> Score {
    let mut tracker = Greedy::new();
    let pairs: Vec<(Boxes, Boxes)> = frames
        .iter()
        .map(|frame| {
            let seen = tracker.update(frame.clock, &observations(frame, &Without::default()));
            (frame.truth.clone(), seen)
        })
        .collect();
    evaluate(&pairs)
}

fn over(kinds: &[Kind], rates: &[f64], mut score: impl FnMut(&[Frame]) -> Score) -> Score {
    let all = kinds.iter().flat_map(|kind| rates.iter().flat_map(move |&rate| sequences(kind, rate)));
    all.map(|frames| score(&frames)).sum()
}

fn cell(score: &Score) -> String {
    format!("{:5.3} {:5.3} {:4}", score.mota(), score.idf1(), score.switches)
}

#[test]
fn table() {
    let settings = Settings::default();
    for kind in &KINDS {
        let row =
            RATES.map(|rate| cell(&over(&[*kind], &[rate], |f| follow(f, &settings, &Without::default()))));
        let greedy = RATES.map(|rate| cell(&over(&[*kind], &[rate], follow_greedily)));
        println!("{:11} | {} | greedy {}", kind.0, row.join(" | "), greedy.join(" | "));
    }
    let no = Without::default();
    let still = Settings { speed: 0.0, acceleration: 0.0, shake: 1.0, ..settings.clone() };
    let variants: Vec<(&str, Settings, Without)> = vec![
        ("full", settings.clone(), no.clone()),
        ("no kalman", still, no.clone()),
        ("no weak", settings.clone(), Without { weak: true, ..no.clone() }),
        ("no embedding", settings.clone(), Without { embedding: true, ..no.clone() }),
        ("no gate", Settings { gate: 0.0, ..settings.clone() }, no.clone()),
    ];
    for (name, settings, without) in variants {
        let row = RATES.map(|rate| cell(&over(&KINDS, &[rate], |f| follow(f, &settings, &without))));
        println!("{name:14} | {}", row.join(" | "));
    }
    println!(
        "greedy         | {}",
        RATES.map(|rate| cell(&over(&KINDS, &[rate], follow_greedily))).join(" | ")
    );
}
