//! What a request says besides its method: the open parts of its path, its body.

use serde::de::DeserializeOwned;

use super::request::Request;
use super::response::Response;

/// The part of the path that stands for `{…}`.
pub(super) fn part(request: &Request, at: usize) -> &str {
    request.parts.get(at).map_or("", String::as_str)
}

/// The body as JSON.
///
/// # Errors
/// It is none, or has other keys.
pub(super) fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Response> {
    serde_json::from_slice(&request.body).map_err(|error| {
        let text = error.to_string();
        let (found, expected) =
            text.split_once(", expected ").unwrap_or((&text, "the JSON that openapi.json describes"));
        Response::refused(400, "body", found, expected)
    })
}
