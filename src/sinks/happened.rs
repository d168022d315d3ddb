//! Events as flat records, the same in every sink.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use super::json::rounded;
use crate::error::Error;
use crate::events::Event;

/// The kinds of [`Event`], to choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// [`Event::Appear`]
    Appear,
    /// [`Event::Disappear`]
    Disappear,
    /// [`Event::Enter`]
    Enter,
    /// [`Event::Leave`]
    Leave,
    /// [`Event::Dwell`]
    Dwell,
    /// [`Event::Cross`]
    Cross,
    /// [`Event::Occupancy`]
    Occupancy,
    /// [`Event::State`]
    State,
    /// [`Event::Tag`]
    Tag,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Appear,
        Self::Disappear,
        Self::Enter,
        Self::Leave,
        Self::Dwell,
        Self::Cross,
        Self::Occupancy,
        Self::State,
        Self::Tag,
    ];

    /// The kind of `event`.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Appear { .. } => Self::Appear,
            Event::Disappear { .. } => Self::Disappear,
            Event::Enter { .. } => Self::Enter,
            Event::Leave { .. } => Self::Leave,
            Event::Dwell { .. } => Self::Dwell,
            Event::Cross { .. } => Self::Cross,
            Event::Occupancy { .. } => Self::Occupancy,
            Event::State { .. } => Self::State,
            Event::Tag { .. } => Self::Tag,
        }
    }

    /// As it is printed: `enter`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appear => "appear",
            Self::Disappear => "disappear",
            Self::Enter => "enter",
            Self::Leave => "leave",
            Self::Dwell => "dwell",
            Self::Cross => "cross",
            Self::Occupancy => "occupancy",
            Self::State => "state",
            Self::Tag => "tag",
        }
    }
}

impl FromStr for EventKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = Self::ALL.into_iter().find(|kind| kind.name() == text);
        let expected = || format!("one of {}", Self::ALL.map(Self::name).join(", "));
        named.ok_or_else(|| Error::input("event", format!("{text:?}"), expected()))
    }
}

/// One event. What its kind does not have is left out of JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Happened<'a> {
    pub event: EventKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stayed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwards: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backwards: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Before<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// What was there before.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Before<'a> {
    Count(u32),
    State(Option<&'a str>),
}

impl<'a> Happened<'a> {
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

    /// The zone's or the line's name.
    pub fn place(&self) -> Option<&'a str> {
        self.zone.or(self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::tests::events;

    #[test]
    fn kinds_are_read_as_they_are_printed() {
        for kind in EventKind::ALL {
            assert_eq!(kind.name().parse::<EventKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let error = "Enter".parse::<EventKind>().unwrap_err().to_string();
        assert!(error.starts_with("event: found \"Enter\", expected one of appear, disappear, "), "{error}");
    }

    #[test]
    fn every_kind_has_its_own_keys() {
        let lines: Vec<String> =
            events().iter().map(|event| serde_json::to_string(&Happened::of(event)).unwrap()).collect();
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
