//! Requests: redirects, authentication, timeouts.

use std::io::{self, ErrorKind};

use http_auth::{PasswordClient, PasswordParams};
use url::Url;

use super::super::network::{Address, Fault, Patience, seconds};
use super::connection::{self, Response};
use crate::error::shown_address;

/// Most redirects that are followed per request.
const MOST_REDIRECTS: usize = 5;
/// What to do about `https://`.
pub(super) const NO_TLS: &str =
    "http://: use the camera's plain port, or a relay on this machine that takes off TLS (stunnel, nginx)";

/// An HTTP client for one camera.
pub(super) struct Client {
    address: Address,
    patience: Patience,
    /// Answers the camera's last challenge.
    login: Option<PasswordClient>,
}

impl Client {
    pub(crate) fn new(address: Address, patience: Patience) -> Self {
        Self { address, patience, login: None }
    }

    /// Fetches the address, follows redirects and answers a Basic or Digest challenge.
    pub(crate) fn get(&mut self) -> Result<Response, Fault> {
        let mut url = self.address.url.clone();
        let mut challenged = false;
        for _ in 0..=MOST_REDIRECTS {
            let mut response = self.ask(&url)?;
            // The same request again, with the password.
            if response.status == 401
                && !challenged
                && self.is_home(&url)
                && self.take_challenge(&response)?
            {
                challenged = true;
                response = self.ask(&url)?;
            }
            match response.status {
                200 => return Ok(response),
                301 | 302 | 303 | 307 | 308 => url = redirected(&url, &response)?,
                code => return Err(self.refusal(code)),
            }
        }
        Err(Fault::new(format!("more than {MOST_REDIRECTS} redirects"), "the address that they lead to"))
    }

    fn ask(&mut self, url: &Url) -> Result<Response, Fault> {
        let authorization = self.authorization(url)?;
        connection::get(url, authorization.as_deref(), self.patience.connect).map_err(|error| {
            let expected = "a camera that answers: are the address and the port right (usually 80)?";
            let found = match error.kind() {
                ErrorKind::TimedOut => format!("no answer within {}", seconds(self.patience.connect)),
                _ => reason(&error),
            };
            Fault::new(found, expected)
        })
    }

    /// The answer to the last challenge, if `url` may have it.
    fn authorization(&mut self, url: &Url) -> Result<Option<String>, Fault> {
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
            method: "GET",
            body: Some(&[]),
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
        self.authorization(url).map(|_| ())
    }

    /// Whether the camera's password may be sent to `url`.
    fn is_home(&self, url: &Url) -> bool {
        url.origin() == self.address.url.origin()
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
        "http" => Ok(target),
        "https" => Err(Fault::new(format!("a redirect to {}", shown_address(target.as_str())), NO_TLS)),
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
