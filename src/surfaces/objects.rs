//! Tracks as Frigate tells of them: each has a beginning, changes and an end, and what it looked like at its best.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

use super::topics::digits;
use crate::events::Event;
use crate::geometry::Rect;
use crate::report::{FrameReport, rounded};
use crate::track::Track;

/// A box that overlaps an earlier one by less has moved (intersection over union).
const SAME_PLACE: f32 = 0.6;
/// What has not moved for so long stands still.
const STILL: Duration = Duration::from_secs(10);
/// A better picture of an object is told no more often than this.
const PAUSE: Duration = Duration::from_secs(2);
/// By how much the score of a better picture exceeds that of the best so far.
const BETTER: f32 = 0.02;

/// The objects of one source.
#[derive(Debug, Default)]
pub(super) struct Objects {
    all: BTreeMap<u64, Object>,
}

/// An object that is there.
#[derive(Debug)]
struct Object {
    id: String,
    track: Track,
    start: SystemTime,
    seen: SystemTime,
    best: Best,
    zones: Vec<String>,
    entered: Vec<String>,
    /// Where it was when it last moved, and when.
    place: Rect,
    moved: SystemTime,
    moves: u32,
    still_looks: u32,
    /// As it was last told.
    told: Value,
    told_at: SystemTime,
}

#[derive(Debug, Clone, Copy)]
struct Best {
    score: f32,
    time: SystemTime,
    rect: Rect,
}

/// Something to tell of an object.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    /// `new`, `update` or `end`.
    pub kind: &'static str,
    pub id: String,
    pub label: Arc<str>,
    pub score: f32,
    /// The payload: kind, before and after.
    pub payload: String,
    /// Whether there is no better picture of it.
    pub is_best: bool,
    /// Whether it was called otherwise before.
    pub renamed: bool,
}

/// Objects of one name: all of them, and those that do not stand still.
#[cfg(any(test, feature = "mqtt"))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub all: u32,
    pub active: u32,
}

#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'a str,
    before: &'a Value,
    after: &'a Value,
}

impl Object {
    fn new(source: &str, track: &Track, report: &FrameReport) -> Self {
        let start = report.time.checked_sub(track.age).unwrap_or(report.time);
        let seconds = unix(start);
        Self {
            id: format!("{seconds:.6}-{}", letters(&format!("{source}/{}/{seconds}", track.id))),
            track: track.clone(),
            start,
            seen: report.time,
            best: Best { score: track.score, time: report.time, rect: track.rect },
            zones: Vec::new(),
            entered: Vec::new(),
            place: track.rect,
            moved: start,
            moves: 0,
            still_looks: 0,
            told: Value::Null,
            told_at: report.time,
        }
    }

    /// Brings it up to its track. True if the picture is the best so far.
    fn follow(&mut self, track: &Track, report: &FrameReport) -> bool {
        if track.seen {
            self.seen = report.time;
            if self.place.iou(&track.rect) < SAME_PLACE {
                (self.place, self.moved, self.still_looks) = (track.rect, report.time, 0);
                self.moves += 1;
            } else if report.looked {
                self.still_looks += 1;
            }
        }
        self.track = track.clone();
        let better = track.seen && track.score > self.best.score;
        if better {
            self.best = Best { score: track.score, time: report.time, rect: track.rect };
        }
        better
    }

    fn is_still(&self, now: SystemTime) -> bool {
        now.duration_since(self.moved).is_ok_and(|since| since >= STILL)
    }

    fn state(&self, camera: &str, end: Option<SystemTime>, pictures: bool) -> Value {
        let Track { label, score, rect, .. } = &self.track;
        let still = self.is_still(self.seen);
        let best = serde_json::json!({
            "frame_time": unix(self.best.time), "box": corners(&self.best.rect), "area": area(&self.best.rect),
            "region": corners(&self.best.rect), "score": rounded(self.best.score, 4), "attributes": [],
        });
        serde_json::json!({
            "id": self.id, "camera": camera, "frame_time": unix(self.seen), "snapshot": best, "label": &**label,
            "sub_label": null, "top_score": rounded(self.best.score, 4), "false_positive": false,
            "start_time": unix(self.start), "end_time": end.map(unix), "score": rounded(*score, 4),
            "box": corners(rect), "area": area(rect),
            "ratio": rounded((rect.x1 - rect.x0) / (rect.y1 - rect.y0).max(1.0), 2), "region": corners(rect),
            "active": !still, "stationary": still, "motionless_count": self.still_looks,
            "position_changes": self.moves, "current_zones": self.zones, "entered_zones": self.entered,
            "has_clip": false, "has_snapshot": pictures, "attributes": {}, "current_attributes": [],
            "pending_loitering": false, "max_severity": "alert", "track": self.track.id,
        })
    }

    /// What has become of it since it was told last.
    fn change(
        &mut self,
        kind: &'static str,
        camera: &str,
        end: Option<SystemTime>,
        pictures: bool,
        is_best: bool,
    ) -> Change {
        let after = self.state(camera, end, pictures);
        let before = if self.told.is_null() { after.clone() } else { std::mem::take(&mut self.told) };
        let payload = serde_json::to_string(&Payload { r#type: kind, before: &before, after: &after });
        self.told = after;
        self.told_at = self.seen;
        Change {
            kind,
            id: self.id.clone(),
            label: Arc::clone(&self.track.label),
            score: self.track.score,
            payload: payload.unwrap_or_default(),
            is_best,
            renamed: false,
        }
    }
}

impl Objects {
    /// Brings all up to a report of the source that topics call `camera`. `zone` gives the level of a zone.
    pub(super) fn follow(
        &mut self,
        camera: &str,
        report: &FrameReport,
        pictures: bool,
        zone: impl Fn(&str) -> Option<String>,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for event in &report.events {
            // One that was gone before this frame.
            if let Event::Disappear { track, .. } = event
                && let Some(mut object) = self.all.remove(track)
            {
                let end = Some(object.seen);
                object.zones.clear();
                changes.push(object.change("end", camera, end, pictures, false));
            }
        }
        for track in &report.tracks {
            let is_new = !self.all.contains_key(&track.id);
            let object = self.all.entry(track.id).or_insert_with(|| Object::new(camera, track, report));
            let was_still = object.is_still(object.seen);
            let (told_score, label) = (object.best.score, Arc::clone(&object.track.label));
            let better = object.follow(track, report);
            let mut changed = was_still != object.is_still(object.seen) || label != track.label;
            for event in &report.events {
                let (name, enters) = match event {
                    Event::Enter { zone, track: id, .. } if *id == track.id => (zone, true),
                    Event::Leave { zone, track: id, .. } if *id == track.id => (zone, false),
                    _ => continue,
                };
                let Some(level) = zone(name) else { continue };
                object.zones.retain(|other| *other != level);
                if enters {
                    if !object.entered.contains(&level) {
                        object.entered.push(level.clone());
                    }
                    object.zones.push(level);
                }
                changed = true;
            }
            let due = object.seen.duration_since(object.told_at).is_ok_and(|since| since >= PAUSE);
            let is_best = is_new || better && (due || changed) && track.score > told_score + BETTER;
            if is_new || changed || is_best {
                let kind = if is_new { "new" } else { "update" };
                let renamed = label != track.label;
                changes.push(Change { renamed, ..object.change(kind, camera, None, pictures, is_best) });
            }
        }
        changes
    }

    /// The id of what has this track, as long as it is there.
    #[cfg(feature = "serve")]
    pub(super) fn id(&self, track: u64) -> Option<&str> {
        self.all.get(&track).map(|object| object.id.as_str())
    }

    /// The end of all of them: the program ends.
    #[cfg(any(test, feature = "mqtt"))]
    pub(super) fn end(&mut self, camera: &str, pictures: bool) -> Vec<Change> {
        let all = std::mem::take(&mut self.all).into_values();
        all.map(|mut object| object.change("end", camera, Some(object.seen), pictures, false)).collect()
    }

    /// How many objects there are by name.
    #[cfg(any(test, feature = "mqtt"))]
    pub(super) fn counts(&self) -> BTreeMap<Arc<str>, Count> {
        let mut counts: BTreeMap<Arc<str>, Count> = BTreeMap::new();
        for object in self.all.values() {
            let count = counts.entry(Arc::clone(&object.track.label)).or_default();
            count.all += 1;
            count.active += u32::from(!object.is_still(object.seen));
        }
        counts
    }
}

/// Seconds since 1970 with 6 decimals, as Frigate has them.
pub(super) fn unix(time: SystemTime) -> f64 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    (seconds * 1e6).round() / 1e6
}

fn corners(rect: &Rect) -> [i64; 4] {
    [rect.x0, rect.y0, rect.x1, rect.y1].map(|edge| edge.round() as i64)
}

fn area(rect: &Rect) -> i64 {
    let [x0, y0, x1, y1] = corners(rect);
    (x1 - x0) * (y1 - y0)
}

/// Six letters that stand for `text`.
fn letters(text: &str) -> String {
    let letter = |digit: char| char::from(b'a' + digit.to_digit(16).unwrap_or_default() as u8);
    digits(text).chars().take(6).map(letter).collect()
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
