//! Events as flat records, the same in every sink.

use std::time::Duration;

use serde::Serialize;

use crate::events::{Event, EventKind};

/// One event; keys that its kind does not have are left out of JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventRecord<'a> {
    /// Its kind.
    pub event: EventKind,
    /// The zone's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<&'a str>,
    /// The line's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<&'a str>,
    /// The track's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// Name of the track or tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// Length of the stay in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stayed: Option<f64>,
    /// `forward` or `backward` over the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    /// Tracks of this name that have crossed forward so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwards: Option<u64>,
    /// Tracks of this name that have crossed backward so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backwards: Option<u64>,
    /// The prompt that the zone shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'a str>,
    /// Tracks of this name in the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// State or count before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Before<'a>>,
    /// Whether the tag came or went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
    /// Probability of the state, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Probability of the tag, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// What there was before an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Before<'a> {
    /// Tracks in the zone.
    Count(u32),
    /// The state; `None` at the start.
    State(Option<&'a str>),
}

impl<'a> EventRecord<'a> {
    /// The record of `event`.
    pub fn of(event: &'a Event) -> Self {
        let none = Self {
            event: EventKind::of(event),
            zone: None,
            line: None,
            track: None,
            label: None,
            stayed: None,
            direction: None,
            forwards: None,
            backwards: None,
            state: None,
            count: None,
            before: None,
            present: None,
            probability: None,
            score: None,
        };
        let seconds = |stayed: &Duration| Some((stayed.as_secs_f64() * 1e3).round() / 1e3);
        match event {
            Event::Appear { track, label } => Self { track: Some(*track), label: Some(label), ..none },
            Event::Disappear { track, label, stayed } => {
                Self { track: Some(*track), label: Some(label), stayed: seconds(stayed), ..none }
            }
            Event::Enter { zone, track, label } => {
                Self { zone: Some(zone), track: Some(*track), label: Some(label), ..none }
            }
            Event::Leave { zone, track, label, stayed } | Event::Dwell { zone, track, label, stayed } => {
                Self {
                    zone: Some(zone),
                    track: Some(*track),
                    label: Some(label),
                    stayed: seconds(stayed),
                    ..none
                }
            }
            Event::Cross { line, track, label, forward, forwards, backwards } => Self {
                line: Some(line),
                track: Some(*track),
                label: Some(label),
                direction: Some(if *forward { "forward" } else { "backward" }),
                forwards: Some(*forwards),
                backwards: Some(*backwards),
                ..none
            },
            Event::Occupancy { zone, label, count, before } => Self {
                zone: Some(zone),
                label: Some(label),
                count: Some(*count),
                before: Some(Before::Count(*before)),
                ..none
            },
            Event::State { zone, state, before, probability } => Self {
                zone: Some(zone),
                state: Some(state),
                before: Some(Before::State(before.as_deref())),
                probability: Some(rounded(*probability, 4)),
                ..none
            },
            Event::Tag { label, present, score } => {
                Self { label: Some(label), present: Some(*present), score: Some(rounded(*score, 4)), ..none }
            }
        }
    }

    /// Name of the zone or line.
    pub fn place(&self) -> Option<&'a str> {
        self.zone.or(self.line)
    }
}

/// `value` with so many decimals. As f64, whose shortest decimal form then has no more digits than that.
pub(crate) fn rounded(value: f32, decimals: i32) -> f64 {
    let unit = 10f64.powi(decimals);
    (f64::from(value) * unit).round() / unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::events;

    #[test]
    fn every_kind_has_its_own_keys() {
        let lines: Vec<String> =
            events().iter().map(|event| serde_json::to_string(&EventRecord::of(event)).unwrap()).collect();
        let expected = [
            r#"{"event":"appear","track":7,"label":"person"}"#,
            r#"{"event":"disappear","track":7,"label":"person","stayed":12.346}"#,
            r#"{"event":"enter","zone":"gate, \"east\"","track":7,"label":"person"}"#,
            r#"{"event":"leave","zone":"gate, \"east\"","track":7,"label":"person","stayed":2.5}"#,
            r#"{"event":"dwell","zone":"gate, \"east\"","track":7,"label":"person","stayed":10.0}"#,
            r#"{"event":"cross","line":"kerb","track":7,"label":"person","direction":"forward","forwards":3,"backwards":1}"#,
            r#"{"event":"occupancy","zone":"gate, \"east\"","label":"person","count":2,"before":1}"#,
            r#"{"event":"state","zone":"door","state":"an open door","before":null,"probability":0.9123}"#,
            r#"{"event":"state","zone":"door","state":"a closed door","before":"an open door","probability":0.8}"#,
            r#"{"event":"tag","label":"rain","present":true,"score":0.75}"#,
        ];
        assert_eq!(lines, expected);
    }
}
