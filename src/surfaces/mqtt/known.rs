//! What there is to publish for an inventory: topics that the broker keeps, with the values that they begin with.

use std::collections::BTreeMap;

use crate::surfaces::topics::{Topics, level};
use crate::surfaces::{Inventory, Label};

/// Most names with counts of their own: each has several topics and entities.
const LABELS: usize = 250;

/// An inventory with its topics.
#[derive(Debug)]
pub(super) struct Known {
    pub inventory: Inventory,
    pub topics: Topics,
    /// Every topic whose value is kept, with what it begins with, if that is known.
    pub values: BTreeMap<String, Option<String>>,
}

impl Known {
    /// Of an inventory; `pictures` tells whether pictures are sent.
    pub(super) fn new(prefix: &str, mut inventory: Inventory, pictures: bool) -> Self {
        if inventory.labels.len() > LABELS {
            let count = inventory.labels.len();
            tracing::warn!(
                "mqtt: found {count} names, expected at most {LABELS} to have counts of their own; the others have events"
            );
            inventory.labels.truncate(LABELS);
        }
        let topics = Topics::new(prefix, &inventory);
        let mut known = Self { inventory, topics, values: BTreeMap::new() };
        known.values = known.initial(pictures);
        known
    }

    fn initial(&self, pictures: bool) -> BTreeMap<String, Option<String>> {
        let mut values = BTreeMap::new();
        let mut add = |levels: &[&str], value: Option<&str>| {
            values.insert(self.topics.topic(levels), value.map(str::to_owned));
        };
        for (source, name) in self.inventory.sources.iter().zip(&self.topics.sources) {
            let boxes = self.inventory.labels.iter().filter(|label| label.has_boxes);
            for label in boxes.map(|label| level(&label.name)).chain(["all".to_owned()]) {
                add(&[name, &label], Some("0"));
                add(&[name, &label, "active"], Some("0"));
            }
            for tag in self.tags(&source.events.scene.tags) {
                add(&[name, "tag", &level(&tag.name)], Some("OFF"));
            }
            for line in &source.events.lines {
                for label in labels_in(&self.inventory, &line.labels) {
                    for direction in ["forward", "backward"] {
                        add(&[name, "line", &level(&line.name), &level(&label.name), direction], Some("0"));
                    }
                }
            }
            for zone in &source.events.zones {
                if zone.prompts.is_empty() {
                    let Some(place) = self.topics.zones.get(&zone.name) else { continue };
                    for label in labels_in(&self.inventory, &zone.labels) {
                        add(&[place, &level(&label.name)], Some("0"));
                    }
                    add(&[place, "all"], Some("0"));
                } else {
                    add(&[name, "classification", &level(&zone.name)], None);
                }
            }
            let switch = |on: bool| Some(if on { "ON" } else { "OFF" });
            add(&[name, "detect", "state"], switch(source.on));
            add(&[name, "enabled", "state"], switch(source.on));
            add(&[name, "snapshots", "state"], switch(pictures));
            add(&[name, "status"], None);
        }
        add(&["prompts", "state"], Some(self.inventory.prompts.as_deref().unwrap_or_default()));
        if let Some(file) = &self.inventory.vocabulary {
            add(&["vocabulary", "state"], Some(file));
        }
        for label in &self.inventory.labels {
            let threshold = format!("{:.3}", label.threshold);
            add(&["threshold", &level(&label.name), "state"], Some(&threshold));
        }
        add(&["stats"], None);
        values
    }

    /// Names of which it is told whether the whole picture shows them: those that are tags, and those that the
    /// settings list.
    pub(super) fn tags<'a>(&'a self, listed: &'a [String]) -> impl Iterator<Item = &'a Label> {
        let is_tag = |label: &&Label| !label.has_boxes || listed.iter().any(|name| **name == *label.name);
        self.inventory.labels.iter().filter(is_tag)
    }

    /// The place of a source, by its name.
    pub(super) fn source(&self, name: &str) -> Option<usize> {
        self.inventory.sources.iter().position(|source| *source.name == *name)
    }
}

/// The names with boxes that count in a place with this list of names.
pub(super) fn labels_in<'a>(
    inventory: &'a Inventory,
    accepted: &'a [String],
) -> impl Iterator<Item = &'a Label> {
    let counts = |label: &&Label| accepted.is_empty() || accepted.iter().any(|name| **name == *label.name);
    inventory.labels.iter().filter(|label| label.has_boxes).filter(counts)
}
