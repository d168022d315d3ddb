//! Where messages go: an address, and what it takes to be let in.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use crate::config::{By, Notify};
use crate::error::{Error, Result, shown_address};
use crate::system::{Trust, first_line, tls_client};

/// Who serves Telegram's bots, and Pushover, unless the settings say otherwise.
const TELEGRAM: &str = "https://api.telegram.org";
const PUSHOVER: &str = "https://api.pushover.net";

/// To where a rule connects.
pub(crate) struct Address {
    url: Url,
    /// A name or a number.
    pub host: String,
    pub port: u16,
    /// Whether the host is a name.
    pub is_name: bool,
    /// For messages: scheme, host and path, unless the path is a secret.
    pub shown: String,
}

impl Address {
    /// Of this rule.
    ///
    /// # Errors
    /// [`Error::Settings`] if it is none that can be used, or the file with it cannot be read.
    pub(crate) fn of(rule: &Notify) -> Result<Self> {
        let name = rule.by.name();
        let (text, is_secret) = match (&rule.url, &rule.url_file, rule.by) {
            (Some(url), ..) => (url.clone(), false),
            (None, Some(file), _) => (String::from_utf8_lossy(&first_line(file)?).into_owned(), true),
            (None, None, By::Telegram) => (TELEGRAM.to_owned(), false),
            (None, None, _) => (PUSHOVER.to_owned(), false),
        };
        let shown = if is_secret {
            let rest = text.split_once("://").map_or("", |(_, rest)| rest);
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            format!("{name} at {}", host.rsplit('@').next().unwrap_or_default())
        } else {
            shown_address(&text)
        };
        let refuse = |found: String| {
            Error::settings(format!("notify ({shown})"), found, "https://host/… or http://host/…")
        };
        let url = Url::parse(&text).map_err(|error| refuse(format!("an invalid address ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse(format!("the scheme {}://", url.scheme())));
        }
        let (host, is_name) = match url.host() {
            Some(Host::Domain(name)) => (name.to_owned(), true),
            Some(Host::Ipv4(address)) => (address.to_string(), false),
            Some(Host::Ipv6(address)) => (address.to_string(), false),
            None => return Err(refuse("no host".to_owned())),
        };
        let port = url.port_or_known_default().unwrap_or(443);
        Ok(Self { url, host, port, is_name, shown })
    }
}

/// The same with its secrets and certificates.
pub(super) struct Target {
    pub by: By,
    pub address: Address,
    pub token: Option<String>,
    pub to: String,
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Target {
    /// Reads the files that a rule names.
    ///
    /// # Errors
    /// [`Error::Settings`] if one cannot be read or holds something else.
    pub(super) fn new(rule: &Notify) -> Result<Self> {
        let address = Address::of(rule)?;
        let token = rule.token_file.as_deref().map(first_line).transpose()?;
        let token = token.map(|token| String::from_utf8_lossy(&token).trim().to_owned());
        let tls = if address.url.scheme() == "https" {
            let trust = Trust { file: rule.ca.as_deref(), setting: "notify.ca", peer: "a server" };
            let mut config = tls_client(trust)?.with_no_client_auth();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            let name = ServerName::try_from(address.host.clone()).map_err(|error| {
                Error::settings(
                    "notify.url",
                    format!("the host {} ({error})", address.host),
                    "a name or an address",
                )
            })?;
            Some((Arc::new(config), name))
        } else {
            None
        };
        Ok(Self { by: rule.by, address, token, to: rule.to.clone().unwrap_or_default(), tls })
    }

    /// `Host:` of requests.
    pub(super) fn host(&self) -> &str {
        &self.address.url[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// Path and query, followed by `more`.
    pub(super) fn path(&self, more: &str) -> String {
        let path =
            self.address.url[url::Position::BeforePath..url::Position::AfterQuery].trim_end_matches('/');
        let path = format!("{path}{more}");
        if path.is_empty() { "/".to_owned() } else { path }
    }

    /// User and password of the address, as Basic has them.
    pub(super) fn basic(&self) -> Option<String> {
        use base64::Engine;
        let url = &self.address.url;
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
        (!url.username().is_empty()).then(|| base64::engine::general_purpose::STANDARD.encode(login))
    }
}
