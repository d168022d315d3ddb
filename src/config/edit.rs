//! Changes of a configuration file: what people have written stays as it is, comments and all.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use crate::error::{Error, Result};
use crate::events::{Line, Zone};
use crate::privacy::Mask;

/// What is to be in the file; what is `None` stays.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    /// What to look for, in place of a vocabulary file.
    pub prompts: Option<&'a [String]>,
    /// The vocabulary file, in place of prompts.
    pub vocab: Option<&'a Path>,
    /// Lowest scores by label.
    pub thresholds: BTreeMap<&'a str, f32>,
    /// Places by the source's address.
    pub places: Vec<(&'a str, ChangedPlaces<'a>)>,
}

/// Places of one source.
#[derive(Debug, Default)]
pub(crate) struct ChangedPlaces<'a> {
    /// Its zones.
    pub zones: Option<&'a [Zone]>,
    /// Its lines.
    pub lines: Option<&'a [Line]>,
    /// Its masks.
    pub masks: Option<&'a [Mask]>,
}

/// The text of a configuration file, called `name` in errors, with the changes; and the keys that have changed.
///
/// # Errors
/// [`Error::Settings`] if it is no TOML, or has no such source.
pub(crate) fn edited(name: &str, text: &str, changes: &Changes<'_>) -> Result<(String, Vec<&'static str>)> {
    let mut keys = Vec::new();
    let parsed: std::result::Result<DocumentMut, _> = text.parse();
    let mut document =
        parsed.map_err(|error| Error::settings(name, error.to_string(), "a configuration file"))?;
    if let Some(prompts) = changes.prompts {
        document.remove("vocab");
        put(document.as_table_mut(), "prompt", prompts)?;
        keys.push("prompt");
    }
    if let Some(vocab) = changes.vocab {
        document.remove("prompt");
        put(document.as_table_mut(), "vocab", vocab)?;
        keys.push("vocab");
    }
    if !changes.thresholds.is_empty() {
        let labels = document.entry("label").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        // In either notation.
        let as_tables = std::mem::take(labels).into_array_of_tables().unwrap_or_default();
        *labels = Item::ArrayOfTables(as_tables);
        let Item::ArrayOfTables(labels) = labels else { return Ok((document.to_string(), keys)) };
        for (label, threshold) in &changes.thresholds {
            let is_it = |table: &&mut Table| table.get("name").and_then(Item::as_str) == Some(label);
            let threshold = short(*threshold);
            if let Some(table) = labels.iter_mut().find(is_it) {
                set(table, "threshold", threshold.into());
                continue;
            }
            let mut table = Table::new();
            table.insert("name", value(*label));
            table.insert("threshold", value(threshold));
            labels.push(table);
        }
        keys.push("label");
    }
    for (url, places) in &changes.places {
        let sources = document.get_mut("source").and_then(Item::as_array_of_tables_mut);
        let source = sources.and_then(|sources| {
            sources.iter_mut().find(|source| source.get("url").and_then(Item::as_str) == Some(url))
        });
        let Some(source) = source else {
            let found = format!("no [[source]] with url = {:?}", crate::error::shown_address(url));
            return Err(Error::settings(name, found, "the source whose places are to be saved"));
        };
        let mut note = |key| {
            if !keys.contains(&key) {
                keys.push(key);
            }
        };
        if let Some(zones) = places.zones {
            put(source, "zone", zones)?;
            note("source.zone");
        }
        if let Some(lines) = places.lines {
            put(source, "line", lines)?;
            note("source.line");
        }
        if let Some(masks) = places.masks {
            put(source, "mask", masks)?;
            note("source.mask");
        }
    }
    Ok((document.to_string(), keys))
}

/// Puts a value on one line; lists of tables as well, since tables of their own would have to stand at the end.
fn put<T: Serialize + ?Sized>(table: &mut Table, key: &str, what: &T) -> Result<()> {
    let bug = |error: &dyn std::fmt::Display| Error::bug(format!("TOML: {error}"));
    let text = toml::to_string(&BTreeMap::from([(key, what)])).map_err(|error| bug(&error))?;
    let mut made: DocumentMut = text.parse().map_err(|error| bug(&error))?;
    let Some(item) = made.remove(key) else {
        // An empty list of tables is written as nothing.
        set(table, key, Array::new().into());
        return Ok(());
    };
    let plain = item.into_value().map_err(|_| Error::bug("TOML without a value"))?;
    set(table, key, plain);
    Ok(())
}

/// Puts a value in the place of another, between the comments that are there.
fn set(table: &mut Table, key: &str, mut new: Value) {
    match table.get_mut(key) {
        Some(old) => {
            if let Some(before) = old.as_value() {
                *new.decor_mut() = before.decor().clone();
            }
            *old = Item::Value(new);
        }
        None => drop(table.insert(key, Item::Value(new))),
    }
}

/// With the digits that tell it from its neighbours.
fn short(score: f32) -> f64 {
    score.to_string().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{parse, resolve};

    #[test]
    fn what_people_have_written_stays() {
        let text = "# My yard.\nprompt = \"cat, dog\"  # pets\nfps = 5\n\n[[source]]\nurl = \"rtsp://u:p@cam/x\" # front\n\n\
            [[source.zone]]\nname = \"old\"\nbox = [0, 0, 1, 1]\n\n[[source]]\nurl = \"b\"\n\n[[label]]\nname = \"cat\"\nmin_area = 0.1\n";
        let zone: Zone = serde_json::from_str(r#"{"name":"new","points":[[0,0],[0.3,0],[1,1]]}"#).unwrap();
        let prompts = ["cat".to_owned(), "van = our van".to_owned()];
        let places = ChangedPlaces { zones: Some(&[zone]), lines: Some(&[]), masks: None };
        let changes = Changes {
            prompts: Some(&prompts),
            vocab: None,
            thresholds: BTreeMap::from([("cat", 0.3), ("van", 0.45)]),
            places: vec![("rtsp://u:p@cam/x", places)],
        };
        let (after, keys) = edited("x", text, &changes).unwrap();
        assert_eq!(keys, ["prompt", "label", "source.zone", "source.line"]);
        for kept in
            ["# My yard.", "# pets", "fps = 5\n", "url = \"rtsp://u:p@cam/x\" # front", "min_area = 0.1"]
        {
            assert!(after.contains(kept), "{after}");
        }
        let settings = resolve(parse("x", &after).unwrap()).unwrap();
        assert_eq!(settings.source[0].zone[0].name, "new");
        assert_eq!(settings.source[0].zone[0].points[1], [0.3, 0.0]);
        assert!(settings.source[0].line.is_empty() && settings.source[1].zone.is_empty());
        let scores: Vec<_> =
            settings.label.iter().map(|label| (label.name.as_str(), label.threshold)).collect();
        assert_eq!(scores, [("cat", Some(0.3)), ("van", Some(0.45))]);
        assert!(after.contains("threshold = 0.45\n"), "{after}");
        // Once more, nothing changes.
        assert_eq!(edited("x", &after, &changes).unwrap().0, after);
        let vocab = Changes { vocab: Some(Path::new("a.vocab.safetensors")), ..Changes::default() };
        let (after, keys) = edited("x", &after, &vocab).unwrap();
        assert!(
            keys == ["vocab"]
                && !after.contains("prompt =")
                && after.contains("vocab = \"a.vocab.safetensors\"")
        );
        let elsewhere = Changes { places: vec![("c", ChangedPlaces::default())], ..Changes::default() };
        assert!(edited("x", text, &elsewhere).unwrap_err().to_string().contains("no [[source]] with url"));
    }
}
