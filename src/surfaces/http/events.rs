//! What has happened.

use serde_json::{Value, json};

use super::app::App;
use super::board::Happened;
use super::request::Request;
use super::response::{Body, Response};
use crate::events::EventKind;

/// Most events of an answer, and how many there are if nothing is said.
const MOST: usize = 500;
const USUAL: usize = 50;

/// The newest first.
pub(super) fn list(app: &App, request: &Request) -> Result<Response, Response> {
    let head = &request.head;
    let limit = match head.query("limit") {
        None => USUAL,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| Response::refused(400, "limit", &format!("{text:?}"), "1 to 500"))?,
    };
    let number = |key: &str| {
        let asked = head.query(key)?;
        let refuse = || Response::refused(400, key, &format!("{asked:?}"), "the id of an event of this run");
        Some(app.board.event_number(asked).ok_or_else(refuse))
    };
    let (before, after) = (number("before").transpose()?, number("after").transpose()?);
    let cameras = head.query_list("camera").into_iter().map(|id| app.camera(id));
    let cameras: Vec<usize> = cameras.collect::<Result<_, _>>()?;
    let (kinds, labels) = (head.query_list("kind"), head.query_list("label"));
    if let Some(other) = kinds.iter().find(|kind| serde_json::from_value::<EventKind>(json!(kind)).is_err()) {
        let expected = "a kind of event, such as appear or enter";
        return Err(Response::refused(400, "kind", &format!("{other:?}"), expected));
    }
    let fits = |event: &&std::sync::Arc<Happened>| {
        before.is_none_or(|before| event.number < before)
            && after.is_none_or(|after| event.number > after)
            && (cameras.is_empty() || cameras.contains(&event.camera))
            && (kinds.is_empty() || kinds.contains(&event.kind))
            && (labels.is_empty() || event.label.as_deref().is_some_and(|label| labels.contains(&label)))
    };
    let state = app.board.read();
    let found: Vec<&Value> =
        state.events.iter().rev().filter(fits).take(limit).map(|event| &event.json).collect();
    Ok(Response::json(&json!({ "events": found })))
}

pub(super) fn one(app: &App, id: &str) -> Result<Response, Response> {
    let state = app.board.read();
    let found = state.events.iter().rev().find(|event| event.id == id);
    found.map(|event| Response::json(&event.json)).ok_or_else(|| missing(id))
}

/// The picture of an event, or of an object.
pub(super) fn picture(app: &App, id: &str) -> Result<Response, Response> {
    let jpeg = app.board.read().picture(id).ok_or_else(|| {
        Response::refused(404, "picture", &format!("{id:?}"), "one of the last 100 events with pictures")
    })?;
    Ok(Response::new(200, "image/jpeg", Body::Shared(jpeg)).with("Cache-Control", "private, max-age=3600"))
}

pub(super) fn missing(id: &str) -> Response {
    Response::refused(404, "event", &format!("{id:?}"), "the id of one of the last 1000 events")
}
