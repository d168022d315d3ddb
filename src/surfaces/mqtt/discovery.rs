//! What Home Assistant is told of this board: one device, with an entity for all that is looked for and all that
//! can be set.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::client::ONLINE;
use super::known::{Known, labels_in};
use crate::surfaces::Label;
use crate::surfaces::topics::{digits, level, slug};

/// Longest text that Home Assistant takes.
const TEXT: usize = 255;
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// Who this board is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Board {
    pub id: String,
    pub name: String,
    /// Whether pictures are sent.
    pub pictures: bool,
    /// Whether commands are obeyed.
    pub commands: bool,
}

/// The entities, by their keys.
#[derive(Debug, Default)]
struct Entities(Map<String, Value>);

impl Board {
    /// The topic of the one message, behind the prefix of discovery.
    pub(super) fn topic(&self, prefix: &str) -> String {
        format!("{prefix}/device/edgeclip_{}/config", self.id)
    }

    /// The message. `before` holds the entities of an earlier one by their keys, those of which are removed that
    /// are not in this one.
    pub(super) fn message(&self, known: &Known, before: &BTreeMap<String, String>) -> Value {
        let mut entities = self.entities(known).0;
        for (key, platform) in before {
            if !entities.contains_key(key) {
                entities.insert(key.clone(), json!({ "p": platform }));
            }
        }
        let version = env!("CARGO_PKG_VERSION");
        let mut origin = json!({ "name": "edgeclip", "sw": version });
        if !HOME.is_empty() {
            origin["url"] = HOME.into();
        }
        json!({
            "dev": {
                "ids": [format!("edgeclip_{}", self.id)], "name": self.name, "mf": "edgeclip",
                "mdl": known.inventory.model, "sw": version,
            },
            "o": origin,
            "avty_t": known.topics.topic(&["available"]),
            "avty_tpl": format!("{{{{ 'online' if value == '{ONLINE}' else 'offline' }}}}"),
            "cmps": entities,
        })
    }

    fn entities(&self, known: &Known) -> Entities {
        let mut entities = Entities::default();
        let inventory = &known.inventory;
        let alone = inventory.sources.len() == 1;
        for (source, camera) in inventory.sources.iter().zip(&known.topics.sources) {
            // With one camera, its name adds nothing.
            let titled =
                |text: &str| if alone { capital(text) } else { capital(&format!("{camera} {text}")) };
            let topic = |levels: &[&str]| known.topics.topic(&[&[camera.as_str()][..], levels].concat());
            let mut add = |key: &[&str], platform: &str, name: &str, rest: Value| {
                self.add(
                    &mut entities,
                    &[&[camera.as_str()][..], key].concat(),
                    platform,
                    &titled(name),
                    rest,
                );
            };
            for label in inventory.labels.iter().filter(|label| label.has_boxes) {
                let name = &*label.name;
                let state = topic(&[&level(name)]);
                add(&[name, "count"], "sensor", &format!("{name} count"), count(&state));
                add(&[name], "binary_sensor", name, occupied(&state));
                if self.pictures {
                    let picture = json!({ "image_topic": topic(&[&level(name), "snapshot"]) });
                    add(&[name, "snapshot"], "image", &format!("{name} picture"), picture);
                }
            }
            for tag in known.tags(&source.events.scene.tags) {
                let state = json!({ "stat_t": topic(&["tag", &level(&tag.name)]) });
                add(&["tag", &tag.name], "binary_sensor", &format!("{} in the picture", tag.name), state);
            }
            for line in &source.events.lines {
                for Label { name, .. } in labels_in(inventory, &line.labels) {
                    for direction in ["forward", "backward"] {
                        let state = topic(&["line", &level(&line.name), &level(name), direction]);
                        let counter = json!({ "stat_t": state, "stat_cla": "total_increasing" });
                        let title = format!("{} {name} {direction}", line.name);
                        add(&["line", &line.name, name, direction], "sensor", &title, counter);
                    }
                }
            }
            for zone in source.events.zones.iter().filter(|zone| !zone.prompts.is_empty()) {
                let names = zone
                    .prompts
                    .iter()
                    .map(|prompt| prompt.split_once('=').map_or(&**prompt, |(name, _)| name).trim());
                let state = json!({
                    "stat_t": topic(&["classification", &level(&zone.name)]), "dev_cla": "enum",
                    "ops": names.collect::<Vec<_>>(),
                });
                add(&["state", &zone.name], "sensor", &zone.name, state);
            }
            self.diagnostics(&topic(&["status"]), &mut add);
            if self.commands {
                let switch = json!({
                    "stat_t": topic(&["detect", "state"]), "cmd_t": topic(&["detect", "set"]), "ent_cat": "config",
                });
                add(&["detect"], "switch", "detect", switch);
            }
            if self.commands && self.pictures {
                let switch = json!({
                    "stat_t": topic(&["snapshots", "state"]), "cmd_t": topic(&["snapshots", "set"]),
                    "ent_cat": "config",
                });
                add(&["snapshots"], "switch", "send pictures", switch);
                add(
                    &["snapshot_now"],
                    "button",
                    "picture now",
                    json!({ "cmd_t": topic(&["snapshot", "request"]) }),
                );
                add(&["picture"], "image", "picture", json!({ "image_topic": topic(&["snapshot"]) }));
            }
        }
        self.zones(known, &mut entities);
        if self.commands {
            self.settings(known, &mut entities);
        }
        entities
    }

    fn zones(&self, known: &Known, entities: &mut Entities) {
        let mut seen = Vec::new();
        for zone in known.inventory.sources.iter().flat_map(|source| &source.events.zones) {
            let Some(place) = known.topics.zones.get(&zone.name) else { continue };
            if !zone.prompts.is_empty() || seen.contains(&&zone.name) {
                continue;
            }
            seen.push(&zone.name);
            for Label { name, .. } in labels_in(&known.inventory, &zone.labels) {
                let state = known.topics.topic(&[place, &level(name)]);
                let title = capital(&format!("{} {name}", zone.name));
                self.add(
                    entities,
                    &["zone", place, name, "count"],
                    "sensor",
                    &format!("{title} count"),
                    count(&state),
                );
                self.add(entities, &["zone", place, name], "binary_sensor", &title, occupied(&state));
            }
        }
    }

    /// What can be set for all sources.
    fn settings(&self, known: &Known, entities: &mut Entities) {
        let topic = |levels: &[&str]| known.topics.topic(levels);
        if known.inventory.prompts.as_ref().is_some_and(|prompts| prompts.len() <= TEXT) {
            let text = json!({
                "stat_t": topic(&["prompts", "state"]), "cmd_t": topic(&["prompts", "set"]), "max": TEXT,
                "ent_cat": "config",
            });
            self.add(entities, &["prompts"], "text", "Prompts", text);
        }
        for label in &known.inventory.labels {
            let number = json!({
                "stat_t": topic(&["threshold", &level(&label.name), "state"]),
                "cmd_t": topic(&["threshold", &level(&label.name), "set"]),
                "min": 0, "max": 1, "step": 0.01, "mode": "box", "ent_cat": "config",
            });
            let title = capital(&format!("{} threshold", label.name));
            self.add(entities, &["threshold", &label.name], "number", &title, number);
        }
    }

    fn diagnostics(&self, status: &str, add: &mut impl FnMut(&[&str], &str, &str, Value)) {
        for (key, name, unit, class, template) in [
            ("fps", "looks per second", "fps", None, "{{ value_json.fps_looked }}"),
            (
                "latency",
                "latency",
                "ms",
                Some("duration"),
                "{{ (value_json.latency_ms or {}).p50 | default(0) }}",
            ),
            ("temperature", "temperature", "°C", Some("temperature"), "{{ value_json.temperature }}"),
        ] {
            let mut sensor = json!({
                "stat_t": status, "val_tpl": template, "unit_of_meas": unit, "stat_cla": "measurement",
                "ent_cat": "diagnostic",
            });
            if let Some(class) = class {
                sensor["dev_cla"] = class.into();
            }
            add(&[key], "sensor", name, sensor);
        }
    }

    fn add(&self, entities: &mut Entities, key: &[&str], platform: &str, name: &str, mut rest: Value) {
        let mut key = key.iter().map(|part| slug(part)).collect::<Vec<_>>().join("_");
        if entities.0.contains_key(&key) {
            key = format!("{key}_{}", digits(name));
        }
        rest["p"] = platform.into();
        rest["name"] = name.into();
        rest["uniq_id"] = format!("edgeclip_{}_{key}", self.id).into();
        entities.0.insert(key, rest);
    }
}

/// The entities of a message by their keys; empty if it is none.
pub(super) fn entities_in(message: &[u8]) -> BTreeMap<String, String> {
    let message: Value = serde_json::from_slice(message).unwrap_or_default();
    let entities = message.get("cmps").and_then(Value::as_object).into_iter().flatten();
    let platform =
        |(key, entity): (&String, &Value)| Some((key.clone(), entity.get("p")?.as_str()?.to_owned()));
    entities.filter_map(platform).collect()
}

fn count(topic: &str) -> Value {
    json!({ "stat_t": topic, "stat_cla": "measurement" })
}

fn occupied(topic: &str) -> Value {
    json!({ "stat_t": topic, "dev_cla": "occupancy", "val_tpl": "{{ 'ON' if value | int(0) > 0 else 'OFF' }}" })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
#[path = "discovery_tests.rs"]
mod tests;
