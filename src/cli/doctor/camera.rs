//! Checks of cameras.

use std::path::Path;

use serde_json::json;

use super::check::{Check, State};
use super::network;
use crate::error::{Error, Result};
use crate::source::{self, Camera, Offers, Wish};

const NAME: &str = "camera";

/// One check per camera. With `wanted`, only that one, which must work.
pub(crate) fn checks(wanted: Option<&Path>) -> Vec<Check> {
    if let Some(address) = wanted.and_then(Path::to_str).filter(|name| is_address(name)) {
        return vec![network::check(NAME, address)];
    }
    if let Some(path) = wanted {
        let opened = Camera::open(path, &Wish::default(), &[], None);
        let check = opened.map(|camera| {
            let found = format!("{}: {}", path.display(), camera.mode());
            Check::ok(NAME, found, json!({ "path": path, "mode": camera.mode().to_string() }))
        });
        return vec![check.unwrap_or_else(|error| Check::failed(NAME, &error))];
    }
    let found = source::cameras();
    if found.is_empty() {
        let advice = "plug one in; for one of a board's own, pipe it in (docs/boards.md); pictures need none";
        return vec![Check::ok(NAME, "none", json!(null)).but(State::Warning, advice)];
    }
    let usable = found.iter().any(Result::is_ok);
    let check = |camera: Result<Offers>| match camera {
        Ok(camera) => Check::ok(NAME, text(&camera), details(&camera)),
        // One good camera is enough; but missing permission is what the user came to ask about.
        Err(error) if usable || !is_permission(&error) => {
            Check { state: State::Warning, ..Check::failed(NAME, &error) }
        }
        Err(error) => Check::failed(NAME, &error),
    };
    found.into_iter().map(check).collect()
}

fn is_address(name: &str) -> bool {
    (name.contains("://") && !name.starts_with("v4l2://")) || source::is_program(name)
}

fn is_permission(error: &Error) -> bool {
    error.found() == Some(source::NO_PERMISSION)
}

fn text(camera: &Offers) -> String {
    let formats = camera.formats.iter().map(|offer| offer.format.to_string()).collect::<Vec<_>>();
    format!("{}: {} ({}), {}", camera.path.display(), camera.card, camera.driver, formats.join(" "))
}

fn details(camera: &Offers) -> serde_json::Value {
    let format = |offer: &source::Offer| json!({ "format": offer.format.to_string(), "sizes": offer.sizes });
    json!({
        "path": camera.path, "card": camera.card, "driver": camera.driver,
        "formats": camera.formats.iter().map(format).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_camera_must_work() {
        let checks = checks(Some(Path::new("/dev/video99")));
        assert_eq!((checks.len(), checks[0].state), (1, State::Error));
        assert!(checks[0].found.contains("/dev/video99"), "{checks:?}");
    }
}
