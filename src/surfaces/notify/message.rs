//! What a message says: a template, filled with what has happened.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::events::Event;
use crate::report::{EventRecord, FrameReport};
use crate::sinks::event_line;

/// What has happened, under the names that templates have for it.
pub(super) struct Facts(Map<String, Value>);

impl Facts {
    /// Of this event: the keys of its line in JSON, and `message` by `template`, or in words of our own.
    ///
    /// # Errors
    /// [`Error::Bug`] if the event has no line.
    pub(super) fn of(report: &FrameReport, event: &Event, template: Option<&str>) -> Result<Self> {
        let line = event_line(report, event)?;
        let Ok(Value::Object(facts)) = serde_json::from_str(&line) else {
            return Err(Error::bug("an event whose line is no object"));
        };
        let mut facts = Self(facts);
        let message = match template {
            Some(template) => facts.filled(template),
            None => in_words(&EventRecord::of(event), &report.source),
        };
        facts.0.insert("message".to_owned(), message.into());
        Ok(facts)
    }

    pub(super) fn message(&self) -> String {
        self.filled("{message}")
    }

    /// The event as its line has it, with a picture if there is one.
    pub(super) fn line(&self, picture: Option<String>) -> Value {
        let mut line = self.0.clone();
        line.extend(picture.map(|picture| ("picture".to_owned(), picture.into())));
        Value::Object(line)
    }

    /// `template` with every `{name}` that is known replaced; those that are not here are left out, others stay.
    pub(super) fn filled(&self, template: &str) -> String {
        let (mut text, mut rest) = (String::new(), template);
        while let Some((before, from)) = rest.split_once('{') {
            text.push_str(before);
            match from.split_once('}').filter(|(name, _)| is_name(name)) {
                Some((name, behind)) => {
                    match self.0.get(name) {
                        Some(Value::String(value)) => text.push_str(value),
                        Some(Value::Null) | None => {}
                        Some(value) => text.push_str(&value.to_string()),
                    }
                    rest = behind;
                }
                None => {
                    text.push('{');
                    rest = from;
                }
            }
        }
        text + rest
    }

    /// JSON whose strings are templates; one that is a name alone becomes what that is.
    pub(super) fn filled_json(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => {
                let alone = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                match alone.filter(|name| is_name(name)) {
                    Some(name) => self.0.get(name).cloned().unwrap_or(Value::Null),
                    None => self.filled(text).into(),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.filled_json(item)).collect(),
            Value::Object(items) => items
                .iter()
                .map(|(key, item)| (key.clone(), self.filled_json(item)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// The same, where `{picture}` is one.
    pub(super) fn with_picture(mut self, picture: Option<String>) -> Self {
        self.0.extend(picture.map(|picture| ("picture".to_owned(), picture.into())));
        self
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// `person enters gate (front door)`
fn in_words(record: &EventRecord<'_>, source: &str) -> String {
    let label = record.label.unwrap_or("something");
    let place = record.place().unwrap_or_default();
    let stayed = record.stayed.unwrap_or_default();
    let what = match record.event.name() {
        "appear" => format!("{label} appears"),
        "disappear" => format!("{label} has gone after {stayed:.0} s"),
        "enter" => format!("{label} enters {place}"),
        "leave" => format!("{label} leaves {place} after {stayed:.0} s"),
        "dwell" => format!("{label} has been in {place} for {stayed:.0} s"),
        "cross" => format!("{label} crosses {place} ({})", record.direction.unwrap_or_default()),
        "occupancy" => format!("{} × {label} in {place}", record.count.unwrap_or_default()),
        "state" => format!("{place}: {}", record.state.unwrap_or_default()),
        _ if record.present == Some(false) => format!("no more {label}"),
        _ => label.to_owned(),
    };
    format!("{what} ({source})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::events;
    use crate::sinks::tests::frame_report;

    fn facts(index: usize, template: Option<&str>) -> Facts {
        let report = frame_report();
        Facts::of(&report, &events()[index], template).unwrap()
    }

    #[test]
    fn templates_are_filled_and_nothing_breaks_out_of_json() {
        let enter = facts(2, Some("{label} #{track} at {zone} {nothing}{ {X} }"));
        assert_eq!(enter.message(), "person #7 at gate, \"east\" { {X} }");
        let template = serde_json::json!({
            "text": "<b>{message}</b>", "list": [1, true, "{track}", "{count}"], "deep": {"zone": "{zone}"}
        });
        let filled = enter.filled_json(&template);
        assert_eq!(filled["text"], "<b>person #7 at gate, \"east\" { {X} }</b>");
        assert_eq!(filled["list"], serde_json::json!([1, true, 7, null]));
        assert_eq!(filled["deep"]["zone"], "gate, \"east\"");
        assert_eq!(enter.line(Some("data:x".to_owned()))["picture"], "data:x");
    }

    #[test]
    fn every_kind_has_words() {
        let words: Vec<String> = (0..10).map(|index| facts(index, None).message()).collect();
        let source = frame_report().source;
        let expected = [
            "person appears",
            "person has gone after 12 s",
            "person enters gate, \"east\"",
            "person leaves gate, \"east\" after 2 s",
            "person has been in gate, \"east\" for 10 s",
            "person crosses kerb (forward)",
            "2 × person in gate, \"east\"",
            "door: an open door",
            "door: a closed door",
            "rain",
        ];
        assert_eq!(words, expected.map(|words| format!("{words} ({source})")));
    }
}
