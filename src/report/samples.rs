//! Events that tests of several rooms use.

use std::sync::Arc;
use std::time::Duration;

use crate::events::Event;

/// One event of each kind, two of a state: the first and a later one.
pub(crate) fn events() -> Vec<Event> {
    let (zone, door): (Arc<str>, Arc<str>) = ("gate, \"east\"".into(), "door".into());
    let label: Arc<str> = "person".into();
    let (track, open): (u64, Arc<str>) = (7, "an open door".into());
    let seconds = Duration::from_secs_f64;
    vec![
        Event::Appear { track, label: label.clone() },
        Event::Disappear { track, label: label.clone(), stayed: seconds(12.345_6) },
        Event::Enter { zone: zone.clone(), track, label: label.clone() },
        Event::Leave { zone: zone.clone(), track, label: label.clone(), stayed: seconds(2.5) },
        Event::Dwell { zone: zone.clone(), track, label: label.clone(), stayed: seconds(10.0) },
        Event::Cross {
            line: "kerb".into(),
            track,
            label: label.clone(),
            forward: true,
            forwards: 3,
            backwards: 1,
        },
        Event::Occupancy { zone, label, count: 2, before: 1 },
        Event::State { zone: door.clone(), state: open.clone(), before: None, probability: 0.912_34 },
        Event::State { zone: door, state: "a closed door".into(), before: Some(open), probability: 0.8 },
        Event::Tag { label: "rain".into(), present: true, score: 0.75 },
    ]
}
