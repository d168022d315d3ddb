//! Requests: redirects, authentication, timeouts.

use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;

use http_auth::{PasswordClient, PasswordParams};
use url::Url;

use super::super::network::{Address, Fault, Patience, seconds};
use super::connection::{self, Content, Response, method};
use super::stream::{Certificates, distrust};
use crate::error::shown_address;

/// Most redirects that are followed per request.
const MOST_REDIRECTS: usize = 5;
/// What to do about a certificate.
const TRUST: &str = "ca, a file with the camera's certificate or that of who has signed it: `openssl s_client -connect \
    HOST:443 -showcerts </dev/null`, and compare its fingerprint with the camera's own page";

/// An HTTP client for one camera.
pub(in crate::source) struct Client {
    address: Address,
    patience: Patience,
    certificates: Certificates,
    /// Answers the camera's last challenge.
    login: Option<PasswordClient>,
}

impl Client {
    pub(crate) fn new(address: Address, patience: Patience, ca: Option<PathBuf>) -> Self {
        Self { address, patience, certificates: Certificates::new(ca), login: None }
    }

    /// Fetches the address, follows redirects and answers a Basic or Digest challenge.
    pub(super) fn get(&mut self) -> Result<Response, Fault> {
        self.exchange(None)
    }

    /// The same with something of this media type that is sent along; the answer as text, at most so many bytes of it.
    pub(in crate::source) fn post(&mut self, media: &str, body: &str, most: u64) -> Result<String, Fault> {
        let response = self.exchange(Some((media, body)))?;
        let mut bytes = Vec::new();
        // A server that keeps the connection open is done when it has sent what it promised.
        let most = response.body.length.unwrap_or(most).min(most);
        match response.body.take(most).read_to_end(&mut bytes) {
            Err(error) if bytes.is_empty() => {
                Err(Fault::new(format!("no answer ({})", reason(&error)), "one that can be read"))
            }
            _ => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    fn exchange(&mut self, content: Content<'_>) -> Result<Response, Fault> {
        let mut url = self.address.url.clone();
        let mut challenged = false;
        for _ in 0..=MOST_REDIRECTS {
            let mut response = self.ask(&url, content)?;
            // The same request again, with the password.
            if response.status == 401
                && !challenged
                && self.is_home(&url)
                && self.take_challenge(&response)?
            {
                challenged = true;
                response = self.ask(&url, content)?;
            }
            match response.status {
                200 => return Ok(response),
                301 | 302 | 303 | 307 | 308 => url = redirected(&url, &response)?,
                code => return Err(self.refusal(code)),
            }
        }
        Err(Fault::new(format!("more than {MOST_REDIRECTS} redirects"), "the address that they lead to"))
    }

    fn ask(&mut self, url: &Url, content: Content<'_>) -> Result<Response, Fault> {
        let authorization = self.authorization(url, content)?;
        let refused = |error: crate::error::Error| {
            Fault::new(error.to_string(), "a file of certificates (PEM) that can be read: ca")
        };
        let tls =
            (url.scheme() == "https").then(|| self.certificates.config()).transpose().map_err(refused)?;
        connection::ask(url, content, authorization.as_deref(), self.patience.connect, tls).map_err(|error| {
            if let Some(found) = distrust(&error) {
                return Fault::new(found, TRUST);
            }
            let usual = if url.scheme() == "https" { 443 } else { 80 };
            let expected =
                format!("a camera that answers: are the address and the port right (usually {usual})?");
            let found = match error.kind() {
                ErrorKind::TimedOut => format!("no answer within {}", seconds(self.patience.connect)),
                _ => reason(&error),
            };
            Fault::new(found, expected)
        })
    }

    /// The answer to the last challenge, if `url` may have it.
    fn authorization(&mut self, url: &Url, content: Content<'_>) -> Result<Option<String>, Fault> {
        if !self.is_home(url) {
            return Ok(None);
        }
        let (Some(credentials), Some(login)) = (&self.address.credentials, &mut self.login) else {
            return Ok(None);
        };
        let answer = login.respond(&PasswordParams {
            username: &credentials.user,
            password: &credentials.password,
            uri: &url[url::Position::BeforePath..url::Position::AfterQuery],
            method: method(content),
            body: Some(content.map_or("", |(_, body)| body).as_bytes()),
        });
        answer.map(Some).map_err(|error| {
            Fault::new(format!("a challenge that cannot be answered ({error})"), "Basic or Digest")
        })
    }

    /// Answers the challenge of `response`, to nobody.
    ///
    /// # Errors
    /// Why it cannot be answered.
    #[cfg(any(test, fuzzing))]
    pub(super) fn answers<S>(&mut self, url: &Url, response: &Response<S>) -> Result<(), Fault> {
        self.take_challenge(response)?;
        self.authorization(url, None).map(|_| ())
    }

    /// Whether the camera's password may be sent to `url`: to the camera itself, also if it asks for TLS.
    fn is_home(&self, url: &Url) -> bool {
        let home = &self.address.url;
        let is_upgrade = (home.scheme(), url.scheme()) == ("http", "https") && home.host() == url.host();
        url.origin() == home.origin() || is_upgrade
    }

    /// Stores the challenge of `response`; `false` if there is no password to answer it with.
    fn take_challenge<S>(&mut self, response: &Response<S>) -> Result<bool, Fault> {
        if self.address.credentials.is_none() {
            return Ok(false);
        }
        let mut builder = PasswordClient::builder();
        for challenge in response.all("www-authenticate") {
            builder = builder.challenges(challenge);
        }
        let login = builder.build();
        let login = login
            .map_err(|error| Fault::new(format!("no challenge to answer ({error})"), "Basic or Digest"))?;
        self.login = Some(login);
        Ok(true)
    }

    fn refusal(&self, code: u16) -> Fault {
        match code {
            401 | 403 if self.address.credentials.is_some() => Fault::new(
                format!("user or password refused ({code})"),
                "the camera's own user and password, special characters percent-encoded (@ is %40)",
            ),
            401 | 403 => Fault::new(
                format!("no user and password ({code})"),
                "http://user:password@…, special characters percent-encoded (@ is %40)",
            ),
            404 => Fault::new(
                "nothing at this path (404)",
                "the path of the camera's Motion JPEG stream or snapshot",
            ),
            code => Fault::new(format!("a refusal ({code})"), "a camera that sends its pictures"),
        }
    }
}

/// Where `response` to `url` leads.
pub(super) fn redirected<S>(url: &Url, response: &Response<S>) -> Result<Url, Fault> {
    let target = response.header("location").and_then(|location| url.join(location).ok());
    let expected = "the address of a stream or picture";
    let target = target.ok_or_else(|| Fault::new("a redirect to nowhere", expected))?;
    match target.scheme() {
        "http" if url.scheme() == "https" => {
            let found = format!("a redirect from TLS to {}", shown_address(target.as_str()));
            Err(Fault::new(found, "a camera that stays with https://, or its http:// address"))
        }
        "http" | "https" => Ok(target),
        other => Err(Fault::new(format!("a redirect to {other}://"), expected)),
    }
}

/// Why reading has failed.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "no bytes in time".to_owned(),
        _ => error.to_string(),
    }
}
