//! Names of topics, and of entities at Home Assistant.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::surfaces::Inventory;

/// Names of first levels that have a meaning of their own.
const RESERVED: [&str; 13] = [
    "available",
    "dropped",
    "error",
    "events",
    "onvif-ej",
    "prompts",
    "reviews",
    "stats",
    "threshold",
    "tracked_object_update",
    "triggers",
    "vocabulary",
    "camera_activity",
];

/// Which level stands for which source and zone: all of them differ, whatever people call them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Topics {
    pub prefix: String,
    /// One per source.
    pub sources: Vec<String>,
    /// By the names of zones. Zones of several sources by one name are one.
    pub zones: BTreeMap<String, String>,
}

impl Topics {
    /// The levels for what an inventory holds.
    pub(super) fn new(prefix: &str, inventory: &Inventory) -> Self {
        let mut used: Vec<String> = RESERVED.map(str::to_owned).to_vec();
        let mut free = |text: &str| {
            let level = level(text);
            let taken = |name: &String| used.contains(name);
            let mut numbered = (2..).map(|count| format!("{level}_{count}"));
            let name = Some(level.clone())
                .filter(|name| !taken(name))
                .or_else(|| numbered.find(|name| !taken(name)));
            let name = name.unwrap_or(level);
            used.push(name.clone());
            name
        };
        let sources = inventory.sources.iter().map(|source| free(&source.name)).collect();
        let mut zones = BTreeMap::new();
        for zone in inventory.sources.iter().flat_map(|source| &source.events.zones) {
            if !zones.contains_key(&zone.name) {
                zones.insert(zone.name.clone(), free(&zone.name));
            }
        }
        Self { prefix: prefix.to_owned(), sources, zones }
    }

    /// The topic with these levels behind the prefix.
    #[cfg(any(test, feature = "mqtt"))]
    pub(super) fn topic(&self, levels: &[&str]) -> String {
        let mut topic = self.prefix.clone();
        for level in levels {
            topic.push('/');
            topic.push_str(level);
        }
        topic
    }
}

/// `text` as one level of a topic: `red bus`, `dev_video0`, `rtsp_192.168.1.20_stream2`.
pub(super) fn level(text: &str) -> String {
    let is_free = |c: char| !matches!(c, '/' | '+' | '#' | ':' | '$' | '"' | '\\') && !c.is_control();
    let parts: Vec<&str> = text.split(|c: char| !is_free(c)).filter(|part| !part.is_empty()).collect();
    let level: String = parts.join("_").chars().take(64).collect();
    if level.trim().is_empty() { "x".to_owned() } else { level }
}

/// `text` as Home Assistant takes it for an id: ASCII letters, digits, `-` and `_`. Where that leaves less than
/// there was, a few digits tell it from others.
#[cfg(any(test, feature = "mqtt"))]
pub(super) fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '_' };
    let slug: String = text.chars().map(plain).take(40).collect();
    let is_whole = !text.is_empty()
        && slug.len() == text.len()
        && text.chars().all(|c| c == ' ' || plain(c) == c.to_ascii_lowercase());
    if is_whole { slug } else { format!("{}_{}", slug.trim_matches('_'), digits(text)) }
}

/// Eight hexadecimal digits that stand for `text`.
pub(super) fn digits(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Settings;
    use crate::surfaces::WatchedSource;

    #[test]
    fn every_name_has_a_level_of_its_own() {
        let zones = |names: &[&str]| {
            let zone = |name: &&str| serde_json::json!({"name": name, "box": [0, 0, 1, 1]});
            serde_json::from_value(serde_json::json!({"zone": names.iter().map(zone).collect::<Vec<_>>()}))
                .unwrap()
        };
        let source = |name: &str, events: Settings| WatchedSource {
            name: name.into(),
            events,
            masks: Vec::new(),
            on: true,
        };
        let inventory = Inventory {
            prompts: None,
            vocabulary: None,
            labels: Vec::new(),
            sources: vec![
                source("/dev/video0", zones(&["gate", "events", "dev/video0"])),
                source("dev:video0", zones(&["gate", "Tür 3"])),
                source("rtsp://192.168.1.20/stream2", Settings::default()),
            ],
            model: String::new(),
            unsaved: false,
            space: String::new(),
        };
        let topics = Topics::new("a/b", &inventory);
        assert_eq!(topics.sources, ["dev_video0", "dev_video0_2", "rtsp_192.168.1.20_stream2"]);
        let zones: Vec<&str> = topics.zones.values().map(String::as_str).collect();
        assert_eq!(zones, ["Tür 3", "dev_video0_3", "events_2", "gate"]);
        assert_eq!(topics.topic(&["gate", "red bus"]), "a/b/gate/red bus");
        assert_eq!([level("#+/"), level(""), level("a\u{0}b")], ["x", "x", "a_b"]);
    }

    #[test]
    fn ids_are_plain_and_differ() {
        assert_eq!([slug("Red bus"), slug("a-b_c1")], ["red_bus", "a-b_c1"]);
        let odd = ["犬", "猫", "Tür", "a/b", "", &"x".repeat(80)];
        let slugs = odd.map(slug);
        for (text, slug) in odd.iter().zip(&slugs) {
            assert!(
                slug.len() > 8 && slug.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c)),
                "{text}: {slug}"
            );
        }
        assert_ne!(slugs[0], slugs[1]);
    }
}
