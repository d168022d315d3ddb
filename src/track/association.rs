//! Which observation belongs to which target: ByteTrack's stages, plus one for objects that moved
//! too far to overlap.

use std::time::Duration;

use crate::geometry::Rect;

use super::assignment::assign;
use super::target::Target;
use super::{Observation, Settings};

/// Largest valid magnitude of a box coordinate, in pixels.
const MAX_COORDINATE: f32 = 1e6;
/// Largest ratio of the sides of two boxes that do not overlap but may still be the same object.
const MAX_SIDE_RATIO: f32 = 3.0;

/// A target's index and the box where it is expected.
type Expected = (usize, Rect);

/// Assigns observations to targets, which are already predicted to `clock`, and returns the
/// confident ones left over.
pub(super) fn associate<'a, 'o>(
    targets: &mut [Target],
    clock: Duration,
    observations: &'o [Observation<'a>],
    settings: &Settings,
) -> Vec<&'o Observation<'a>> {
    let valid = observations.iter().filter(|o| is_valid(&o.rect));
    let (mut confident, mut weak): (Vec<_>, Vec<_>) = valid.partition(|o| o.confident);
    let expected = targets.iter().enumerate().map(|(index, target)| (index, target.motion.rect()));
    let (mut known, mut new): (Vec<Expected>, Vec<Expected>) =
        expected.partition(|(index, _)| targets[*index].id.is_some());

    let mut stage = |expected: &mut Vec<Expected>, candidates: &mut Vec<&Observation<'a>>, gain: &Gain| {
        pair(targets, expected, candidates, clock, settings, gain);
    };
    let overlapping: &Gain = &|target, rect, o| overlap(target, rect, o, settings.min_iou, settings);
    let overlapping_well: &Gain =
        &|target, rect, o| overlap(target, rect, o, settings.min_iou_weak, settings);
    let lost = Duration::from_secs_f32(settings.lost_seconds);
    let near: &Gain = &|target, rect, o| match clock.saturating_sub(target.last_seen) <= lost {
        true => proximity(target, rect, o, settings),
        false => 0.0,
    };
    stage(&mut known, &mut confident, overlapping);
    stage(&mut known, &mut weak, overlapping_well);
    stage(&mut new, &mut confident, overlapping);
    known.append(&mut new);
    stage(&mut known, &mut confident, near);
    confident
}

/// Gain of assigning an observation to a target that is expected in a box; 0 forbids the pair.
type Gain<'g> = dyn Fn(&Target, &Rect, &Observation) -> f32 + 'g;

/// Assigns the best pairs and removes them from both lists.
fn pair<'a>(
    targets: &mut [Target],
    expected: &mut Vec<Expected>,
    candidates: &mut Vec<&Observation<'a>>,
    clock: Duration,
    settings: &Settings,
    gain: &Gain,
) {
    let gain_of = |row: usize, column: usize| {
        let (index, rect) = &expected[row];
        gain(&targets[*index], rect, candidates[column])
    };
    let pairs = assign(expected.len(), candidates.len(), gain_of);
    let mut taken = vec![false; candidates.len()];
    for ((index, _), column) in expected.iter().zip(&pairs) {
        if let Some(column) = *column {
            targets[*index].observe(clock, candidates[column], settings);
            taken[column] = true;
        }
    }
    let mut pairs = pairs.into_iter();
    expected.retain(|_| pairs.next().flatten().is_none());
    let mut taken = taken.into_iter();
    candidates.retain(|_| taken.next() == Some(false));
}

/// IoU plus a bonus for similar appearance; 0 if the IoU is below `least`. Without embeddings,
/// appearance counts as equal.
fn overlap(target: &Target, rect: &Rect, observation: &Observation, least: f32, settings: &Settings) -> f32 {
    let iou = rect.iou(&observation.rect);
    if iou > 0.0 && iou >= least { iou + appearance(target, observation, settings) } else { 0.0 }
}

fn appearance(target: &Target, observation: &Observation, settings: &Settings) -> f32 {
    if settings.embedding_weight == 0.0 {
        return 0.0;
    }
    settings.embedding_weight * target.similarity(observation).unwrap_or(1.0).max(0.0)
}

/// Proximity of the centre to where it is expected, 1 at that point and 0 at the gate, plus a bonus for
/// similar appearance; 0 if position, size or appearance differ too much.
fn proximity(target: &Target, rect: &Rect, observation: &Observation, settings: &Settings) -> f32 {
    let farthest = settings.reach * target.motion.size() as f32;
    let separation = (rect.x0 + rect.x1 - observation.rect.x0 - observation.rect.x1)
        .hypot(rect.y0 + rect.y1 - observation.rect.y0 - observation.rect.y1)
        / 2.0;
    let alike = |a: f32, b: f32| a <= MAX_SIDE_RATIO * b && b <= MAX_SIDE_RATIO * a;
    let sides =
        alike(rect.width(), observation.rect.width()) && alike(rect.height(), observation.rect.height());
    let distance = target.motion.distance(&observation.rect, settings);
    if !(sides && separation <= farthest && distance < settings.gate) {
        return 0.0;
    }
    if target.similarity(observation).is_some_and(|similarity| similarity < settings.min_similarity) {
        return 0.0;
    }
    1.0 - distance / settings.gate + appearance(target, observation, settings)
}

/// Whether a box can be tracked: finite, of valid magnitude, with a positive area.
fn is_valid(rect: &Rect) -> bool {
    let near = [rect.x0, rect.y0, rect.x1, rect.y1].iter().all(|edge| edge.abs() <= MAX_COORDINATE);
    near && rect.x1 > rect.x0 && rect.y1 > rect.y0
}
