//! What is answered.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind};

/// Of every answer: it is for whoever asked, once, and no page is made of it.
const COMMON: &str = "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n";

/// An answer.
pub(super) struct Response {
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// What follows the head.
pub(super) enum Body {
    Own(Vec<u8>),
    Shared(Arc<Vec<u8>>),
    Fixed(&'static [u8]),
    /// Goes on until the reader has gone.
    Stream(Box<dyn Stream>),
}

/// Something that comes piece by piece.
pub(super) trait Stream: Send {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send + '_>>;
}

impl Response {
    pub(super) fn new(status: u16, kind: &str, body: Body) -> Self {
        let headers = if kind.is_empty() { Vec::new() } else { vec![("Content-Type", kind.to_owned())] };
        Self { status, headers, body }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::new(200, "text/plain; charset=utf-8", Body::Own(text.into().into_bytes()))
    }

    pub(super) fn json(value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => Self::new(200, "application/json", Body::Own(bytes)),
            Err(error) => Self::problem(500, &format!("internal error: {error}")),
        }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self::new(status, "", Body::Fixed(b""))
    }

    /// Something that is wrong.
    pub(super) fn problem(status: u16, message: &str) -> Self {
        Self::problem_of(status, message, None, None)
    }

    /// The same with what was found and what was expected.
    pub(super) fn refused(status: u16, name: &str, found: &str, expected: &str) -> Self {
        Self::problem_of(
            status,
            &format!("{name}: found {found}, expected {expected}"),
            Some(found),
            Some(expected),
        )
    }

    fn problem_of(status: u16, message: &str, found: Option<&str>, expected: Option<&str>) -> Self {
        let kind = match status {
            401 | 403 => "not_allowed",
            404 | 405 => "not_found",
            408 | 429 | 503 => "later",
            500 => "bug",
            _ => "invalid",
        };
        let value: Value =
            json!({ "error": { "message": message, "type": kind, "found": found, "expected": expected } });
        Self::json(&value).with_status(status)
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The head as it is sent. `keep` says whether the connection stays.
    pub(super) fn head(&self, keep: bool) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            // Names of users' own may be in it.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let has = |name: &str| self.headers.iter().any(|(found, _)| *found == name);
        if !has("Cache-Control") {
            head.push_str("Cache-Control: no-store\r\n");
        }
        if !has("Content-Security-Policy") {
            head.push_str("Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
        }
        head.push_str(COMMON);
        if let Some(length) = self.body.len()
            && self.status != 204
            && self.status != 304
        {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str(if keep { "\r\n" } else { "Connection: close\r\n\r\n" });
        head
    }
}

impl Body {
    /// How many bytes there are; `None` of a stream.
    pub(super) fn len(&self) -> Option<usize> {
        self.bytes().map(<[u8]>::len)
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Own(bytes) => Some(bytes),
            Self::Shared(bytes) => Some(bytes),
            Self::Fixed(bytes) => Some(bytes),
            Self::Stream(_) => None,
        }
    }
}

impl From<Error> for Response {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Bug => 500,
            ErrorKind::Device => 503,
            _ => 422,
        };
        Self::problem_of(status, &error.to_string(), error.found(), error.expected())
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Answer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_what_every_answer_has_and_no_lines_of_others() {
        let response = Response::text("ok").with("X-Name", "a\r\nSet-Cookie: b");
        let head = response.head(true);
        assert!(head.starts_with(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nX-Name: aSet-Cookie: b\r\n"
        ));
        assert!(
            head.contains("\r\nContent-Length: 2\r\n")
                && head.contains("nosniff")
                && head.ends_with("\r\n\r\n")
        );
        let refused = Response::from(Error::settings("zone \"gate\"", "2 points", "at least 3"));
        assert_eq!(refused.status, 422);
        let body: Value = serde_json::from_slice(refused.body.bytes().unwrap()).unwrap();
        assert_eq!(body["error"]["message"], "zone \"gate\": found 2 points, expected at least 3");
        assert_eq!(
            (&body["error"]["found"], &body["error"]["expected"]),
            (&json!("2 points"), &json!("at least 3"))
        );
        assert!(Response::empty(204).head(false).ends_with("Connection: close\r\n\r\n"));
    }
}
