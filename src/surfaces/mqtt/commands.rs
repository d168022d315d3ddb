//! Commands that come over MQTT.

use super::known::Known;
use crate::surfaces::Command;
use crate::surfaces::topics::level;

/// What a message asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    /// Something of the loop.
    Loop(Command),
    /// To send pictures of a source, or not.
    Pictures { source: usize, on: bool },
    /// A picture of a source, now.
    Picture { source: usize },
}

/// Topics that commands come on, behind the prefix.
pub(super) const TOPICS: [&str; 7] = [
    "prompts/set",
    "vocabulary/set",
    "threshold/+/set",
    "+/detect/set",
    "+/enabled/set",
    "+/snapshots/set",
    "+/snapshot/request",
];

/// What a message on a topic behind the prefix asks for.
///
/// # Errors
/// What was found and what was expected.
pub(super) fn parse(known: &Known, topic: &str, payload: &[u8]) -> Result<Asked, String> {
    let text = std::str::from_utf8(payload)
        .map_err(|_| "found bytes that are no UTF-8, expected text".to_owned())?;
    let text = text.trim();
    let levels: Vec<&str> = topic.split('/').collect();
    let source = |name: &str| {
        let found = known.topics.sources.iter().position(|source| source == name);
        found.ok_or_else(|| format!("found {name}, expected a source: {}", known.topics.sources.join(", ")))
    };
    let switch = || match text.to_ascii_uppercase().as_str() {
        "ON" => Ok(true),
        "OFF" => Ok(false),
        _ => Err(format!("found {text:?}, expected ON or OFF")),
    };
    match levels.as_slice() {
        ["prompts", "set"] => Ok(Asked::Loop(Command::Prompts(text.to_owned()))),
        ["vocabulary", "set"] if text.contains(['/', '\0']) || text.starts_with('.') => {
            Err(format!("found {text:?}, expected the name of a file beside the vocabulary"))
        }
        ["vocabulary", "set"] => Ok(Asked::Loop(Command::Vocabulary(text.to_owned()))),
        ["threshold", name, "set"] => {
            let labels = &known.inventory.labels;
            let found = labels.iter().find(|label| level(&label.name) == *name);
            let label =
                found.ok_or_else(|| format!("found the label {name}, expected one that is looked for"))?;
            let score = text.parse::<f32>().ok().filter(|score| (0.0..=1.0).contains(score));
            let score = score.ok_or_else(|| format!("found {text:?}, expected a score, 0 to 1"))?;
            Ok(Asked::Loop(Command::Threshold { label: label.name.to_string(), score }))
        }
        [name, "detect" | "enabled", "set"] => {
            Ok(Asked::Loop(Command::Detect { source: source(name)?, on: switch()? }))
        }
        [name, "snapshots", "set"] => Ok(Asked::Pictures { source: source(name)?, on: switch()? }),
        [name, "snapshot", "request"] => Ok(Asked::Picture { source: source(name)? }),
        _ => Err("found a topic without a meaning here".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::known;
    use super::*;

    #[test]
    fn commands_are_read_and_others_refused() {
        let known = known();
        let asked = |topic: &str, payload: &str| parse(&known, topic, payload.as_bytes());
        let prompts = |text: &str| Ok(Asked::Loop(Command::Prompts(text.to_owned())));
        assert_eq!(asked("prompts/set", " red bus, cat\n"), prompts("red bus, cat"));
        let vocabulary = Command::Vocabulary("street.vocab.safetensors".to_owned());
        assert_eq!(asked("vocabulary/set", "street.vocab.safetensors"), Ok(Asked::Loop(vocabulary)));
        let threshold = Command::Threshold { label: "red bus".to_owned(), score: 0.5 };
        assert_eq!(asked("threshold/red bus/set", "0.5"), Ok(Asked::Loop(threshold)));
        let detect = Ok(Asked::Loop(Command::Detect { source: 1, on: false }));
        assert_eq!(asked("dev_video0/detect/set", "off"), detect);
        assert_eq!(asked("dev_video0/enabled/set", "OFF"), detect);
        assert_eq!(asked("yard/snapshots/set", "ON"), Ok(Asked::Pictures { source: 0, on: true }));
        assert_eq!(asked("yard/snapshot/request", ""), Ok(Asked::Picture { source: 0 }));
        for (topic, payload, part) in [
            ("threshold/red bus/set", "50", "found \"50\", expected a score, 0 to 1"),
            ("threshold/red bus/set", "NaN", "expected a score"),
            ("threshold/cat/set", "0.5", "found the label cat"),
            ("vocabulary/set", "../x", "expected the name of a file beside the vocabulary"),
            ("yard/detect/set", "1", "found \"1\", expected ON or OFF"),
            ("attic/detect/set", "ON", "found attic, expected a source: yard, dev_video0"),
            ("prompts", "x", "without a meaning"),
        ] {
            let error = asked(topic, payload).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert!(parse(&known, "prompts/set", b"\xff").unwrap_err().contains("UTF-8"));
    }
}
