//! A source's address and credentials.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Error, Result, shown_address};

/// A parsed address.
#[derive(Clone)]
pub(in crate::source) struct Address {
    /// Without user and password.
    pub url: Url,
    /// Name for messages.
    pub name: String,
    /// User and password, if the address has them.
    pub credentials: Option<Credentials>,
}

/// User and password, percent-decoded. No `Debug`, since they must never be printed.
#[derive(Clone)]
pub(in crate::source) struct Credentials {
    /// Name of the user.
    pub user: String,
    /// May be empty.
    pub password: String,
}

impl Address {
    /// Parses `text`, which must have this `scheme`.
    ///
    /// # Errors
    /// [`Error::Settings`] if it is not an address with this scheme and a host.
    pub(crate) fn parse(text: &str, scheme: &str) -> Result<Self> {
        let name = shown_address(text);
        let expected = || {
            format!(
                "{scheme}://[user:password@]host[:port]/path, special characters of the password percent-encoded"
            )
        };
        let mut url = Url::parse(text)
            .map_err(|error| Error::settings(&name, format!("an invalid address ({error})"), expected()))?;
        if url.scheme() != scheme {
            return Err(Error::settings(&name, format!("the scheme {}://", url.scheme()), expected()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(Error::settings(&name, "an address without host", expected()));
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = (!url.username().is_empty()).then(|| Credentials {
            user: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
        });
        // Both fail only without a host.
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| Error::settings(&name, "an address without host", expected()))?;
        Ok(Self { url, name, credentials })
    }

    /// Removes `key`, which is meant for us and not for the camera, from the query and returns its value.
    #[cfg(feature = "rtsp")]
    pub(crate) fn take(&mut self, key: &str) -> Option<String> {
        let query = self.url.query()?.to_owned();
        let ours = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| name == key);
        let value = query.split('&').find(ours)?.split_once('=')?.1.to_owned();
        let rest: Vec<&str> = query.split('&').filter(|pair| !ours(pair)).collect();
        self.url.set_query(Some(rest.join("&").as_str()).filter(|rest| !rest.is_empty()));
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_decoded_and_kept_apart() {
        let address = Address::parse("rtsp://ad%20min:p%40ss@cam:8554/s?a=1", "rtsp").unwrap();
        assert_eq!(address.url.as_str(), "rtsp://cam:8554/s?a=1");
        assert_eq!(address.name, "rtsp://cam:8554/s");
        let Credentials { user, password } = address.credentials.unwrap();
        assert_eq!((user.as_str(), password.as_str()), ("ad min", "p@ss"));
        assert!(Address::parse("http://cam/", "http").unwrap().credentials.is_none());
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for text in [
            "rtsp://admin:se#cret@cam/s",
            "http://admin:secret@cam/s",
            "rtsp:///s",
            "cam:554",
            "rtsp://a:secret@/",
        ] {
            let error = Address::parse(text, "rtsp").err().unwrap().to_string();
            assert!(error.contains("expected rtsp://[user:password@]host"), "{error}");
            assert!(!error.contains("cret"), "{error}");
        }
    }

    #[cfg(feature = "rtsp")]
    #[test]
    fn our_own_keys_do_not_reach_the_camera() {
        let mut address = Address::parse("rtsp://cam/s?channel=1&transport=udp&subtype=0", "rtsp").unwrap();
        assert_eq!(address.take("transport").as_deref(), Some("udp"));
        assert_eq!(address.url.as_str(), "rtsp://cam/s?channel=1&subtype=0");
        assert_eq!(address.take("transport"), None);
        let mut address = Address::parse("rtsp://cam/s?transport=tcp", "rtsp").unwrap();
        assert_eq!(address.take("transport").as_deref(), Some("tcp"));
        assert_eq!(address.url.as_str(), "rtsp://cam/s");
    }
}
