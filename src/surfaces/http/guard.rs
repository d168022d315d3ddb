//! Who is answered: tokens, hosts, origins, and how often.

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::request::{Head, Method};
use super::response::Response;
use super::token::Tokens;

/// Requests that an address may make at once, and a second.
const BURST: f64 = 400.0;
const RATE: f64 = 100.0;
/// Wrong tokens that an address may show at once, and a second.
const WRONG_BURST: f64 = 10.0;
const WRONG_RATE: f64 = 0.2;
/// Most addresses that are counted.
const ADDRESSES: usize = 1024;
/// The cookie with the token.
const COOKIE: &str = "edgeclip_token";

/// Decides who is answered.
pub(super) struct Guard {
    tokens: Option<Tokens>,
    /// Names of this machine.
    hosts: Vec<String>,
    is_tls: bool,
    counts: Mutex<HashMap<IpAddr, Counts>>,
}

/// What an address has left.
struct Counts {
    at: Instant,
    requests: f64,
    wrong: f64,
}

impl Guard {
    pub(super) fn new(tokens: Option<Tokens>, hosts: &[String], is_tls: bool) -> Self {
        let own = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let own = own.trim().to_ascii_lowercase();
        let names = ["localhost".to_owned(), format!("{own}.local"), own];
        let hosts = names.into_iter().chain(hosts.iter().map(|name| name.to_ascii_lowercase())).collect();
        Self { tokens, hosts, is_tls, counts: Mutex::default() }
    }

    /// Refuses an address that asks too often.
    pub(super) fn rate(&self, peer: IpAddr, now: Instant) -> Result<(), Response> {
        self.spend(peer, now, |counts| &mut counts.requests)
            .then_some(())
            .ok_or_else(|| later(1, "found more than 100 requests a second from this address"))
    }

    /// Refuses what another site has a browser send, and names that are not this machine's: whoever answers for a
    /// name may let it lead here.
    pub(super) fn origin(&self, head: &Head) -> Result<(), Response> {
        let host = head.get("host").unwrap_or_default();
        if !head.is_old && !self.is_own(host) {
            let expected = "an address of this machine, its name, or one of http.hosts";
            return Err(Response::refused(421, "Host", &format!("{host:?}"), expected));
        }
        let site = head.get("sec-fetch-site").unwrap_or("none");
        // Links from elsewhere may lead to the page, and to it alone.
        let opens_page = head.method == Method::Get
            && head.path.as_slice() == [""]
            && head.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
        if !matches!(site, "same-origin" | "none") && !opens_page {
            return Err(Response::problem(403, "found a request of another site, expected one of this page"));
        }
        let Some(origin) = head.get("origin") else { return Ok(()) };
        let own = origin.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "http" | "https") && rest.eq_ignore_ascii_case(host)
        });
        if own { Ok(()) } else { Err(Response::refused(403, "Origin", origin, "that of this page")) }
    }

    /// Refuses whoever shows no token, or a wrong one.
    pub(super) fn token(&self, head: &Head, peer: IpAddr, now: Instant) -> Result<(), Response> {
        let Some(tokens) = &self.tokens else { return Ok(()) };
        let bearer = head.get("authorization").and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let Some(token) = bearer.or_else(|| cookie(head)) else {
            return Err(unknown(
                "found no token, expected the header Authorization: Bearer TOKEN, with one of `edgeclip token new`",
            ));
        };
        if tokens.accept(token) {
            return Ok(());
        }
        Err(self.wrong(peer, now))
    }

    /// Lets a browser in: the cookie that it shows from then on.
    pub(super) fn log_in(&self, token: &str, peer: IpAddr, now: Instant) -> Result<String, Response> {
        let Some(tokens) = &self.tokens else { return Ok(String::new()) };
        if tokens.accept(token) {
            let secure = if self.is_tls { "; Secure" } else { "" };
            return Ok(format!(
                "{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}"
            ));
        }
        Err(self.wrong(peer, now))
    }

    /// The cookie that ends it.
    pub(super) fn log_out(&self) -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }

    fn wrong(&self, peer: IpAddr, now: Instant) -> Response {
        if self.spend(peer, now, |counts| &mut counts.wrong) {
            return unknown("found a token that is not known, expected one of `edgeclip token new`");
        }
        later(5, "found too many wrong tokens from this address")
    }

    fn is_own(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        name.parse::<IpAddr>().is_ok() || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    fn spend(&self, peer: IpAddr, now: Instant, of: impl Fn(&mut Counts) -> &mut f64) -> bool {
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&peer) {
            // Those that have been quiet for long have all that they may have.
            all.retain(|_, counts| now.duration_since(counts.at).as_secs_f64() * WRONG_RATE < WRONG_BURST);
            if all.len() >= ADDRESSES {
                return false;
            }
        }
        let counts = all.entry(peer).or_insert(Counts { at: now, requests: BURST, wrong: WRONG_BURST });
        let passed = now.duration_since(counts.at).as_secs_f64();
        counts.at = now;
        counts.requests = (counts.requests + passed * RATE).min(BURST);
        counts.wrong = (counts.wrong + passed * WRONG_RATE).min(WRONG_BURST);
        let left = of(counts);
        let may = *left >= 1.0;
        if may {
            *left -= 1.0;
        }
        may
    }
}

fn cookie(head: &Head) -> Option<&str> {
    let mut cookies = head.get("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    cookies.find(|(name, _)| *name == COOKIE).map(|(_, token)| token)
}

fn unknown(message: &str) -> Response {
    Response::problem(401, message).with("WWW-Authenticate", "Bearer realm=\"edgeclip\"")
}

/// Asks to come again after so many seconds.
pub(super) fn later(seconds: u32, message: &str) -> Response {
    let status = if message.starts_with("found") { 429 } else { 503 };
    Response::problem(status, message).with("Retry-After", seconds.to_string())
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
