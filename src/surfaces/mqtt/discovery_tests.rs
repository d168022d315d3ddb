use std::collections::BTreeSet;

use super::super::samples::{inventory, known};
use super::*;

fn board() -> Board {
    Board { id: "3f2a".to_owned(), name: "Gate camera".to_owned(), pictures: true, commands: true }
}

#[test]
fn the_message_has_what_home_assistant_asks_for() {
    let known = known();
    let message = board().message(&known, &BTreeMap::new());
    assert_eq!(board().topic("homeassistant"), "homeassistant/device/edgeclip_3f2a/config");
    assert_eq!(message["dev"]["ids"][0], "edgeclip_3f2a");
    assert_eq!(message["o"]["name"], "edgeclip");
    assert_eq!(message["avty_t"], "edgeclip/3f2a/available");
    let entities = message["cmps"].as_object().unwrap();
    let mut ids = BTreeSet::new();
    for (key, entity) in entities {
        assert!(key.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c)), "{key}");
        assert!(entity["p"].is_string() && entity["name"].is_string(), "{entity}");
        assert!(ids.insert(entity["uniq_id"].as_str().unwrap()), "{entity}");
        // Whatever is shown is published.
        let shown = entity.get("stat_t").and_then(Value::as_str);
        assert!(shown.is_none_or(|topic| known.values.contains_key(topic)), "{entity}");
    }
    let expected = [
        ("yard_person_count", "sensor"),
        ("yard_person", "binary_sensor"),
        ("yard_red_bus_snapshot", "image"),
        ("zone_drive_person", "binary_sensor"),
        ("yard_line_door_person_forward", "sensor"),
        ("yard_state_gate", "sensor"),
        ("yard_tag_rain", "binary_sensor"),
        ("yard_detect", "switch"),
        ("yard_snapshot_now", "button"),
        ("dev_video0_fps", "sensor"),
        ("prompts", "text"),
        ("threshold_red_bus", "number"),
    ];
    for (key, platform) in expected {
        let found = entities.iter().find(|(found, _)| found.starts_with(key) && found.len() <= key.len() + 9);
        assert_eq!(
            found.map(|(_, entity)| &entity["p"]),
            Some(&json!(platform)),
            "{key}: {:?}",
            entities.keys()
        );
    }
    assert_eq!(entities["yard_state_gate"]["ops"], json!(["open", "closed gate"]));
    // Only people count in that zone, and at that line.
    assert!(!entities.keys().any(|key| key.starts_with("zone_drive_red") || key.contains("door_red")));
}

#[test]
fn entities_that_are_gone_are_removed_once() {
    let before = entities_in(board().message(&known(), &BTreeMap::new()).to_string().as_bytes());
    let mut fewer = inventory();
    fewer.labels.retain(|label| &*label.name != "red bus");
    let fewer = Known::new("edgeclip/3f2a", fewer, true);
    let message = board().message(&fewer, &before);
    assert_eq!(message["cmps"]["yard_red_bus_count"], json!({ "p": "sensor" }));
    assert_eq!(message["cmps"]["threshold_red_bus"], json!({ "p": "number" }));
    assert!(message["cmps"]["yard_person"]["uniq_id"].is_string());
    assert!(entities_in(b"nonsense").is_empty());
}

#[test]
fn without_pictures_and_commands_there_is_nothing_to_see_or_to_set() {
    let board = Board { pictures: false, commands: false, ..board() };
    let entities = entities_in(board.message(&known(), &BTreeMap::new()).to_string().as_bytes());
    let platforms: BTreeSet<&str> = entities.values().map(String::as_str).collect();
    assert_eq!(platforms, BTreeSet::from(["binary_sensor", "sensor"]));
}
