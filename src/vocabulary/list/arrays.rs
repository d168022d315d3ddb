//! Arrays and objects of JSON that hold names.

use serde_json::Value;

/// Keys under which files of labels keep the names.
const LISTS: [&str; 4] = ["names", "categories", "classes", "labels"];
/// Keys under which an object keeps its name.
const NAMES: [&str; 3] = ["name", "label", "class"];

/// Whether a whole text, with its line ends, is an array.
pub(in crate::vocabulary) fn is_array(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{'])
}

/// The names in JSON as other programs write it: arrays, at any depth, of texts or of objects with a name; objects by
/// number (`{"0": "cat"}`) or with numbers (`{"cat": 0}`); objects with one of these under [`LISTS`].
pub(super) fn json(text: &str) -> Option<Vec<String>> {
    let mut into = Vec::new();
    let value = is_array(text).then(|| serde_json::from_str(text).ok()).flatten()?;
    names(value, &mut into).map(|()| into)
}

fn names(value: Value, into: &mut Vec<String>) -> Option<()> {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(values) => values.into_iter().try_for_each(|value| names(value, into))?,
        Value::Object(map) if map.is_empty() => {}
        Value::Object(map) if map.keys().all(|key| key.parse::<u32>().is_ok()) => {
            let mut pairs: Vec<_> = map.into_iter().collect();
            pairs.sort_by_key(|(key, _)| key.parse::<u32>().unwrap_or_default());
            pairs.into_iter().try_for_each(|(_, value)| names(value, into))?;
        }
        Value::Object(map) if map.values().all(Value::is_u64) => {
            let mut pairs: Vec<_> = map.into_iter().collect();
            pairs.sort_by_key(|(_, value)| value.as_u64());
            into.extend(pairs.into_iter().map(|(key, _)| key));
        }
        Value::Object(mut map) => {
            let name = NAMES.iter().find_map(|key| map.get(*key).filter(|name| name.is_string()).cloned());
            let value = name.or_else(|| LISTS.iter().find_map(|key| map.remove(*key)))?;
            names(value, into)?;
        }
        _ => return None,
    }
    Some(())
}
