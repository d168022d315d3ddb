//! An inventory that tests of this room use.

use super::known::Known;
use crate::surfaces::{Inventory, Label, WatchedSource};

/// Two sources: a yard with a zone, a zone with states and a line; a camera without any.
pub(super) fn inventory() -> Inventory {
    let label = |name: &str, has_boxes| Label { name: name.into(), has_boxes, threshold: 0.3, examples: 0 };
    let events = serde_json::from_value(serde_json::json!({
        "zone": [
            { "name": "drive", "box": [0, 0, 1, 1], "labels": ["person"] },
            { "name": "gate", "box": [0, 0, 0.5, 1], "prompts": ["open = an open gate", "closed gate"] },
        ],
        "line": [{ "name": "door", "from": [0.5, 0], "to": [0.5, 1], "labels": ["person"] }],
    }))
    .unwrap_or_default();
    let source =
        |name: &str, events| WatchedSource { name: name.into(), events, masks: Vec::new(), on: true };
    Inventory {
        prompts: Some("person, red bus, rain".to_owned()),
        vocabulary: None,
        labels: vec![label("person", true), label("red bus", true), label("rain", false)],
        sources: vec![source("yard", events), source("/dev/video0", crate::events::Settings::default())],
        model: "tiny".to_owned(),
        unsaved: false,
        space: "00000000".to_owned(),
    }
}

/// The same with its topics.
pub(super) fn known() -> Known {
    Known::new("edgeclip/3f2a", inventory(), true)
}
