//! Which observation belongs to which target: ByteTrack's stages, and one for things that moved too far to overlap.

use std::time::Duration;

use crate::geometry::Rect;

use super::assignment::assign;
use super::target::Target;
use super::{Observation, Settings};

/// Boxes beyond this many pixels are no places in a picture.
const FARTHEST: f32 = 1e6;
/// Largest ratio of the sides of two boxes that do not overlap and are yet one thing.
const SIDE_RATIO: f32 = 3.0;

/// A target's place in the list, with the box in which it is expected.
type Expected = (usize, Rect);

/// Gives observations to targets, which are predicted to `clock`, and returns the sure ones that nobody took.
pub(super) fn associate<'a, 'o>(
    targets: &mut [Target],
    clock: Duration,
    observations: &'o [Observation<'a>],
    settings: &Settings,
) -> Vec<&'o Observation<'a>> {
    let places = observations.iter().filter(|o| is_place(&o.rect));
    let (mut sure, mut weak): (Vec<_>, Vec<_>) = places.partition(|o| o.confident);
    let expected = targets.iter().enumerate().map(|(index, target)| (index, target.motion.rect()));
    let (mut known, mut new): (Vec<Expected>, Vec<Expected>) =
        expected.partition(|(index, _)| targets[*index].id.is_some());

    let mut stage = |who: &mut Vec<Expected>, what: &mut Vec<&Observation<'a>>, gain: &Gain| {
        pair(targets, who, what, clock, settings, gain);
    };
    let overlapping: &Gain = &|target, rect, o| overlap(target, rect, o, settings.min_iou, settings);
    let overlapping_well: &Gain =
        &|target, rect, o| overlap(target, rect, o, settings.min_iou_weak, settings);
    let lost = Duration::from_secs_f32(settings.lost_seconds);
    let near: &Gain = &|target, rect, o| match clock.saturating_sub(target.last_seen) <= lost {
        true => nearness(target, rect, o, settings),
        false => 0.0,
    };
    stage(&mut known, &mut sure, overlapping);
    stage(&mut known, &mut weak, overlapping_well);
    stage(&mut new, &mut sure, overlapping);
    known.append(&mut new);
    stage(&mut known, &mut sure, near);
    sure
}

/// What it is worth to give an observation to a target that is expected in a box; 0 for never.
type Gain<'g> = dyn Fn(&Target, &Rect, &Observation) -> f32 + 'g;

/// Pairs what fits best and takes it out of both lists.
fn pair<'a>(
    targets: &mut [Target],
    who: &mut Vec<Expected>,
    what: &mut Vec<&Observation<'a>>,
    clock: Duration,
    settings: &Settings,
    gain: &Gain,
) {
    let worth = |row: usize, column: usize| {
        let (index, rect) = &who[row];
        gain(&targets[*index], rect, what[column])
    };
    let pairs = assign(who.len(), what.len(), worth);
    let mut taken = vec![false; what.len()];
    for ((index, _), column) in who.iter().zip(&pairs) {
        if let Some(column) = *column {
            targets[*index].observe(clock, what[column], settings);
            taken[column] = true;
        }
    }
    let mut pairs = pairs.into_iter();
    who.retain(|_| pairs.next().flatten().is_none());
    let mut taken = taken.into_iter();
    what.retain(|_| taken.next() == Some(false));
}

/// IoU, with equal looks as a bonus; 0 where it is below `least`. What has no embedding is judged by its place alone.
fn overlap(target: &Target, rect: &Rect, seen: &Observation, least: f32, settings: &Settings) -> f32 {
    let iou = rect.iou(&seen.rect);
    if iou > 0.0 && iou >= least { iou + looks(target, seen, settings) } else { 0.0 }
}

fn looks(target: &Target, seen: &Observation, settings: &Settings) -> f32 {
    if settings.embedding_weight == 0.0 {
        return 0.0;
    }
    settings.embedding_weight * target.similarity(seen).unwrap_or(1.0).max(0.0)
}

/// Nearness of the centre to where it is expected, 1 at the place and 0 at the gate, with equal looks as a bonus; 0 where place,
/// size or looks are too different.
fn nearness(target: &Target, rect: &Rect, seen: &Observation, settings: &Settings) -> f32 {
    let farthest = settings.reach * target.motion.size() as f32;
    let apart = (rect.x0 + rect.x1 - seen.rect.x0 - seen.rect.x1)
        .hypot(rect.y0 + rect.y1 - seen.rect.y0 - seen.rect.y1)
        / 2.0;
    let alike = |a: f32, b: f32| a <= SIDE_RATIO * b && b <= SIDE_RATIO * a;
    let sides = alike(rect.width(), seen.rect.width()) && alike(rect.height(), seen.rect.height());
    let distance = target.motion.distance(&seen.rect, settings);
    if !(sides && apart <= farthest && distance < settings.gate) {
        return 0.0;
    }
    if target.similarity(seen).is_some_and(|similarity| similarity < settings.min_similarity) {
        return 0.0;
    }
    1.0 - distance / settings.gate + looks(target, seen, settings)
}

/// Whether a box can be followed: finite, in reach, with an area.
fn is_place(rect: &Rect) -> bool {
    let near = [rect.x0, rect.y0, rect.x1, rect.y1].iter().all(|edge| edge.abs() <= FARTHEST);
    near && rect.x1 > rect.x0 && rect.y1 > rect.y0
}
