//! Settings of the connection to a broker of MQTT: `[mqtt]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A broker, and what is exchanged with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mqtt {
    /// `mqtt://[user:password@]host[:port]`, or `mqtts://…` over TLS.
    pub url: String,
    /// Who logs in; else as `url` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// File whose first line is the password; a name that is not there is looked for among systemd's credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// File (PEM) with the certificates that vouch for the broker; else those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// File (PEM) with the certificate that this client shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// File (PEM) with the private key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// What tells this board from others, letters, digits, `-` and `_`; else made of the machine's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What people call this board; else `edgeclip` and the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What all topics begin with; else `edgeclip/` and the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Whether Home Assistant is told of this board; if not, it is told that there is none.
    pub discovery: bool,
    /// What topics for Home Assistant begin with.
    pub discovery_prefix: String,
    /// Whether commands are obeyed.
    pub commands: bool,
    /// Whether pictures are sent.
    pub pictures: bool,
    /// Whether lines, stays and zones are also told as ONVIF does.
    pub onvif: bool,
    /// Folder for events that the broker has not taken yet; without one, they are kept in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spool: Option<PathBuf>,
    /// Most megabytes of such events; the oldest are dropped.
    pub spool_mb: u64,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            url: String::new(),
            user: None,
            password_file: None,
            ca: None,
            certificate: None,
            key: None,
            id: None,
            name: None,
            prefix: None,
            discovery: true,
            discovery_prefix: "homeassistant".to_owned(),
            commands: true,
            pictures: false,
            onvif: false,
            spool: None,
            spool_mb: 10,
        }
    }
}

impl Mqtt {
    /// Checks that values are in their ranges and fit each other.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the first that does not.
    pub(super) fn check(&self) -> Result<()> {
        if self.url.is_empty() {
            return Err(Error::settings("mqtt.url", "no url", "mqtt://host or mqtts://host"));
        }
        if self.certificate.is_some() != self.key.is_some() {
            let (found, expected) = if self.key.is_some() {
                ("mqtt.key without mqtt.certificate", "both")
            } else {
                ("mqtt.certificate without mqtt.key", "both")
            };
            return Err(Error::settings("mqtt", found, expected));
        }
        if !(1..=100_000).contains(&self.spool_mb) {
            return Err(Error::settings("mqtt.spool_mb", self.spool_mb.to_string(), "1 to 100000"));
        }
        if let Some(id) = self.id.as_deref().filter(|id| !is_id(id)) {
            let expected = "1 to 32 letters of ASCII, digits, - and _";
            return Err(Error::settings("mqtt.id", id, expected));
        }
        let prefixes = [
            ("mqtt.prefix", self.prefix.as_deref()),
            ("mqtt.discovery_prefix", Some(&self.discovery_prefix)),
        ];
        for (key, prefix) in prefixes {
            if let Some(prefix) = prefix.filter(|prefix| !is_prefix(prefix)) {
                let expected = "levels joined by /, none of them empty, without + and #, at most 100 bytes";
                return Err(Error::settings(key, format!("{prefix:?}"), expected));
            }
        }
        Ok(())
    }
}

fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=32).contains(&text.len()) && text.chars().all(fits)
}

fn is_prefix(text: &str) -> bool {
    let fits = |level: &str| {
        !level.is_empty() && !level.contains(|c: char| matches!(c, '+' | '#') || c.is_control())
    };
    text.len() <= 100 && !text.starts_with('$') && text.split('/').all(fits)
}

#[cfg(test)]
mod tests {
    use crate::config::{parse, resolve};

    #[test]
    fn what_does_not_fit_is_named() {
        let refusal =
            |text: &str| resolve(parse("x", &format!("[mqtt]\n{text}")).unwrap()).unwrap_err().to_string();
        for (text, part) in [
            ("prefix = 'a'", "mqtt.url: found no url, expected mqtt://host"),
            ("url = 'mqtt://b'\nkey = 'k'", "mqtt: found mqtt.key without mqtt.certificate"),
            ("url = 'mqtt://b'\nspool_mb = 0", "mqtt.spool_mb: found 0, expected 1 to 100000"),
            ("url = 'mqtt://b'\nid = 'a b'", "mqtt.id: found a b, expected 1 to 32 letters"),
            ("url = 'mqtt://b'\nprefix = 'a/+'", "mqtt.prefix: found \"a/+\", expected levels"),
            ("url = 'mqtt://b'\nprefix = 'a//b'", "mqtt.prefix: found \"a//b\""),
            ("url = 'mqtt://b'\ndiscovery_prefix = ''", "mqtt.discovery_prefix: found \"\""),
        ] {
            assert!(refusal(text).contains(part), "{text}: {}", refusal(text));
        }
        let unknown = parse("x", "[mqtt]\nurl = 'mqtt://b'\npasswordfile = 'x'").unwrap_err().to_string();
        assert!(
            unknown.contains("line 3: found the unknown key passwordfile, expected password_file"),
            "{unknown}"
        );
    }
}
