//! Kinds of events.

use serde::{Deserialize, Serialize};

use super::Event;

/// The kind of an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_printed() {
        for kind in EventKind::ALL {
            let value = serde_json::to_value(kind).unwrap();
            assert_eq!(value, kind.name());
            assert_eq!(serde_json::from_value::<EventKind>(value).unwrap(), kind);
        }
    }
}
