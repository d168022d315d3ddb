//! Settings of notifications: `[[notify]]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::events::EventKind;

/// Whom to tell of which events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Notify {
    /// How.
    pub by: By,
    /// Where: of a webhook or a topic of ntfy, its address; else that of the service, if it is another than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// File whose first line is that address, where the path is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// File whose first line is the token of the bot or program, or of whoever posts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Chat of Telegram, or user or group of Pushover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// File (PEM) with the certificates that vouch for the server; else those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Kinds of events that are told.
    pub when: Vec<EventKind>,
    /// Names that are told of; all, if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label: Vec<String>,
    /// The same of zones and lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zone: Vec<String>,
    /// The same of sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<String>,
    /// From when to when, by the clock of this machine: `22:00-06:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Seconds after a message in which there is no other of this rule.
    pub at_most_once_in: u32,
    /// Whether the picture goes along.
    pub pictures: bool,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What a webhook gets, JSON; else the line of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Ways to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    #[default]
    Webhook,
    Ntfy,
    Telegram,
    Pushover,
}

impl By {
    /// As in the settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
            Self::Telegram => "telegram",
            Self::Pushover => "pushover",
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            by: By::Webhook,
            url: None,
            url_file: None,
            token_file: None,
            to: None,
            ca: None,
            when: vec![EventKind::Appear, EventKind::Enter, EventKind::Cross, EventKind::State],
            label: Vec::new(),
            zone: Vec::new(),
            source: Vec::new(),
            hours: None,
            at_most_once_in: 60,
            pictures: false,
            message: None,
            body: None,
        }
    }
}

impl Notify {
    /// Checks that the values fit each other.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the first that does not.
    pub(super) fn check(&self, index: usize) -> Result<()> {
        let refuse = |key: &str, found: &str, expected: &str| {
            Err(Error::settings(format!("notify {} ({}).{key}", index + 1, self.by.name()), found, expected))
        };
        let is_service = matches!(self.by, By::Telegram | By::Pushover);
        if self.url.is_some() && self.url_file.is_some() {
            return refuse("url", "url and url_file", "one of them");
        }
        if !is_service && self.url.is_none() && self.url_file.is_none() {
            return refuse("url", "no url", "https://…, or url_file, whose first line it is");
        }
        if is_service && self.token_file.is_none() {
            return refuse(
                "token_file",
                "no file",
                "a file whose first line is the token of the bot or program",
            );
        }
        if is_service && self.to.is_none() {
            return refuse("to", "nobody", "the id of a chat (telegram), or the key of a user (pushover)");
        }
        if !is_service && let Some(to) = &self.to {
            return refuse("to", to, "nothing: url says where to");
        }
        if self.by != By::Webhook && self.body.is_some() {
            return refuse("body", "a body", "message: a body is for a webhook");
        }
        if let Some(body) = &self.body
            && let Err(error) = serde_json::from_str::<serde_json::Value>(body)
        {
            return refuse("body", &error.to_string(), "JSON, such as {\"text\": \"{message}\"}");
        }
        if self.when.is_empty() {
            return refuse(
                "when",
                "no event",
                "appear, disappear, enter, leave, dwell, cross, occupancy, state or tag",
            );
        }
        if let Some(hours) = self.hours.as_deref().filter(|hours| parse_hours(hours).is_none()) {
            return refuse("hours", hours, "from and to, such as 22:00-06:00");
        }
        Ok(())
    }

    /// From which minute of the day to which.
    #[cfg(feature = "notify")]
    pub(crate) fn minutes(&self) -> Option<(u16, u16)> {
        self.hours.as_deref().and_then(parse_hours)
    }
}

/// `22:00-06:00`
fn parse_hours(text: &str) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':')?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (minutes < 60 && (hours < 24 || (hours, minutes) == (24, 0))).then_some(60 * hours + minutes)
    };
    let (from, to) = text.split_once('-')?;
    Some((minute(from)?, minute(to)?))
}

#[cfg(test)]
mod tests {
    use super::parse_hours;
    use crate::config::{parse, resolve};

    #[test]
    fn what_does_not_fit_is_named() {
        let refusal = |text: &str| {
            resolve(parse("x", &format!("[[notify]]\n{text}")).unwrap()).unwrap_err().to_string()
        };
        for (text, part) in [
            ("", "notify 1 (webhook).url: found no url, expected https://"),
            ("url = 'https://a'\nto = 'x'", "notify 1 (webhook).to: found x, expected nothing"),
            ("by = 'telegram'", "notify 1 (telegram).token_file: found no file"),
            ("by = 'pushover'\ntoken_file = 'x'", "notify 1 (pushover).to: found nobody"),
            ("url = 'https://a'\nhours = '25:00-1:00'", "hours: found 25:00-1:00, expected from and to"),
            ("url = 'https://a'\nwhen = []", "when: found no event"),
            ("url = 'https://a'\nbody = '{'", "body: found EOF"),
            ("by = 'ntfy'\nurl = 'https://a'\nbody = '{}'", "body: found a body, expected message"),
            ("url = 'https://a'\nurl_file = 'x'", "url: found url and url_file"),
        ] {
            assert!(refusal(text).contains(part), "{text}: {}", refusal(text));
        }
        let fits = "[[notify]]\nurl = 'https://a'\nwhen = ['enter', 'tag']\nhours = '22:00-06:00'";
        assert_eq!(resolve(parse("x", fits).unwrap()).unwrap().notify.len(), 1);
        assert_eq!(parse_hours("22:00 - 6:30"), Some((1320, 390)));
        assert_eq!(parse_hours("0:00-24:00"), Some((0, 1440)));
    }
}
