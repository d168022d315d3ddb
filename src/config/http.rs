//! Settings of the server: `[http]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Where it listens, to whom it answers, and what it hands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// `ADDRESS:PORT`
    pub listen: String,
    /// File with the hashes of tokens, as `edgeclip token new` writes it; a name that is not there is looked for among
    /// systemd's credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// File (PEM) with the certificate that it shows, and those above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// File (PEM) with the private key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Names by which others may call this machine, besides its addresses, `localhost` and its own name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Whether pictures are handed out.
    pub pictures: bool,
    /// Whether commands are obeyed.
    pub commands: bool,
    /// Whether what commands have changed may be saved in the configuration file.
    pub save: bool,
    /// Most pictures a second of a stream.
    pub stream_fps: u32,
    /// Most pixels from left to right of a stream's pictures.
    pub stream_width: u32,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: String::new(),
            token_file: None,
            certificate: None,
            key: None,
            hosts: Vec::new(),
            pictures: false,
            commands: true,
            save: false,
            stream_fps: 10,
            stream_width: 1280,
        }
    }
}

impl Http {
    /// Checks that values are in their ranges and fit each other.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the first that does not.
    pub(super) fn check(&self) -> Result<()> {
        if self.listen.is_empty() {
            return Err(Error::settings("http.listen", "no address", "an address such as 127.0.0.1:8080"));
        }
        if self.certificate.is_some() != self.key.is_some() {
            let found = match self.key {
                Some(_) => "http.key without http.certificate",
                None => "http.certificate without http.key",
            };
            return Err(Error::settings("http", found, "both"));
        }
        let ranges =
            [("http.stream_fps", self.stream_fps, 1, 60), ("http.stream_width", self.stream_width, 64, 7680)];
        for (key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::settings(key, value.to_string(), format!("{least} to {most}")));
            }
        }
        let is_host = |name: &String| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
        };
        if let Some(name) = self.hosts.iter().find(|name| !is_host(name)) {
            let expected = "names without scheme and port, such as camera.example";
            return Err(Error::settings("http.hosts", format!("{name:?}"), expected));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{parse, resolve};

    #[test]
    fn what_does_not_fit_is_named() {
        let refusal =
            |text: &str| resolve(parse("x", &format!("[http]\n{text}")).unwrap()).unwrap_err().to_string();
        for (text, part) in [
            ("pictures = true", "http.listen: found no address, expected an address such as 127.0.0.1:8080"),
            ("listen = '127.0.0.1:1'\nkey = 'k'", "http: found http.key without http.certificate"),
            ("listen = '127.0.0.1:1'\nstream_fps = 0", "http.stream_fps: found 0, expected 1 to 60"),
            ("listen = '127.0.0.1:1'\nhosts = ['http://x']", "http.hosts: found \"http://x\""),
        ] {
            assert!(refusal(text).contains(part), "{text}: {}", refusal(text));
        }
        let unknown = parse("x", "[http]\nlisten = 'a'\npicture = true").unwrap_err().to_string();
        assert!(unknown.contains("line 3: found the unknown key picture, expected pictures"), "{unknown}");
    }
}
