//! Where the broker is, and who logs in there.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::config::Mqtt;
use crate::error::{Error, Result, shown_address};
use crate::system::first_line;

const EXPECTED: &str = "mqtt://[user:password@]host[:port], or mqtts://… over TLS, special characters of the password percent-encoded";

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// A name or a number, an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the host is a name that has to be looked up.
    pub is_name: bool,
    /// Whether to talk over TLS.
    pub tls: bool,
    /// For messages: without user and password.
    pub shown: String,
}

/// Who logs in.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub user: Option<String>,
    pub password: Option<Vec<u8>>,
}

/// The password is never printed.
impl fmt::Debug for Login {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Address {
    /// The broker in the settings.
    ///
    /// # Errors
    /// [`Error::Settings`] if its `url` is no such address.
    pub(crate) fn of(settings: &Mqtt) -> Result<Self> {
        let shown = shown_address(&settings.url);
        let refuse = |found: String| Error::settings(format!("mqtt.url {shown}"), found, EXPECTED);
        let url =
            Url::parse(&settings.url).map_err(|error| refuse(format!("an invalid address ({error})")))?;
        let tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            other => return Err(refuse(format!("the scheme {other}://"))),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("something behind host and port".to_owned()));
        }
        // Hosts of schemes that are not the web's are not taken apart.
        let host = url.host().ok_or_else(|| refuse("no host".to_owned()))?;
        let (host, is_name) = match host {
            Host::Domain(name) => {
                (percent_decode_str(name).decode_utf8_lossy().into_owned(), name.parse::<IpAddr>().is_err())
            }
            Host::Ipv4(address) => (address.to_string(), false),
            Host::Ipv6(address) => (address.to_string(), false),
        };
        let usual = if tls { 8883 } else { 1883 };
        Ok(Self { host, port: url.port().unwrap_or(usual), is_name, tls, shown })
    }
}

impl Login {
    /// The login in the settings; reads the file with the password.
    ///
    /// # Errors
    /// [`Error::Settings`] if the file cannot be read.
    pub(super) fn of(settings: &Mqtt) -> Result<Self> {
        let url = Url::parse(&settings.url).ok();
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let of_url = url.as_ref().map(Url::username).filter(|user| !user.is_empty()).map(decoded);
        let user = settings.user.clone().or(of_url);
        let password = match &settings.password_file {
            Some(file) => Some(first_line(file)?),
            None => url.as_ref().and_then(Url::password).map(|text| decoded(text).into_bytes()),
        };
        if password.is_some() && user.is_none() {
            return Err(Error::settings(
                "mqtt",
                "a password without a user",
                "mqtt.user, or a user in mqtt.url",
            ));
        }
        Ok(Self { user, password })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn settings(url: &str) -> Mqtt {
        Mqtt { url: url.to_owned(), ..Mqtt::default() }
    }

    #[test]
    fn addresses_are_taken_apart() {
        for (url, host, port, is_name, tls) in [
            ("mqtt://broker", "broker", 1883, true, false),
            ("mqtts://u:p%40ss@10.0.0.5/", "10.0.0.5", 8883, false, true),
            ("mqtt://[fe80::1]:99", "fe80::1", 99, false, false),
        ] {
            let found = Address::of(&settings(url)).unwrap();
            let expected = (host.to_owned(), port, is_name, tls);
            assert_eq!((found.host, found.port, found.is_name, found.tls), expected, "{url}");
        }
        for (url, part) in [
            ("http://secret@b", "found the scheme http://, expected mqtt://"),
            ("mqtt://u:secret@b/topic", "found something behind host and port"),
            ("broker:1883", "found the scheme broker://"),
            ("broker", "found an invalid address (relative URL without a base)"),
            ("mqtt:///x", "found "),
        ] {
            let error = Address::of(&settings(url)).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_password_is_that_of_the_file_else_that_of_the_address() {
        let login = |settings: &Mqtt| Login::of(settings).map_err(|error| error.to_string());
        let of = |user: &str, password: &[u8]| Login {
            user: Some(user.to_owned()),
            password: Some(password.to_owned()),
        };
        let mut asked = settings("mqtts://u:p%40ss@b");
        assert_eq!(login(&asked).unwrap(), of("u", b"p@ss"));
        assert!(!format!("{:?}", login(&asked)).contains("p@ss"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        asked.password_file = Some(file.clone());
        assert!(login(&asked).unwrap_err().contains("password"));
        fs::write(&file, "\n").unwrap();
        assert!(login(&asked).unwrap_err().contains("found a first line of 0 bytes, expected a password"));
        fs::write(&file, "hunter2\r\nnotes\n").unwrap();
        assert_eq!(login(&asked).unwrap(), of("u", b"hunter2"));
        asked.user = Some("v".to_owned());
        assert_eq!(login(&asked).unwrap(), of("v", b"hunter2"));
        assert!(
            login(&Mqtt { password_file: Some(file), ..settings("mqtt://b") })
                .unwrap_err()
                .contains("mqtt.user")
        );
        assert_eq!(login(&settings("mqtt://b")).unwrap(), Login::default());
    }
}
