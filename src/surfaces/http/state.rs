//! How it is: status, health, metrics.

use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use super::app::App;
use super::arguments::body;
use super::board::{Camera, State};
use super::measures::exposition;
use super::request::Request;
use super::response::{Body, Response};
use crate::sinks::{Status, unix, write_status};
use crate::surfaces::Saved;

/// How long ago a look may be where all is well.
const LATELY: Duration = Duration::from_secs(60);
/// Keys of a status line that a camera's state repeats.
const KNOWN: [&str; 4] = ["type", "version", "source", "time"];

/// Whether it looks at frames.
pub(super) fn ready(app: &App) -> Response {
    let state = app.board.read();
    let Some(inventory) = &state.inventory else {
        return Response::problem(503, "the model is being loaded");
    };
    let waits = |(source, camera): (&crate::surfaces::WatchedSource, &Camera)| {
        source.on && camera.looked.is_none_or(|last| last.elapsed() > LATELY)
    };
    let on = inventory.sources.iter().any(|source| source.on);
    let all_wait = inventory.sources.iter().zip(&state.cameras).filter(|(source, _)| source.on).all(waits);
    if on && all_wait {
        return Response::problem(503, "no source has shown a frame for 60 s");
    }
    Response::text("ready\n")
}

/// For Prometheus.
pub(super) fn metrics(app: &App) -> Response {
    let state = app.board.read();
    let (model, space) = state.inventory.as_ref().map_or(("", ""), |known| (&*known.model, &*known.space));
    let build = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("model", model),
        ("space", space),
        ("arch", std::env::consts::ARCH),
    ];
    let names = state.inventory.iter().flat_map(|known| &known.sources).map(|source| source.name.to_string());
    let sources = names.zip(&state.cameras).map(|(name, camera)| {
        (name, camera.measures.clone(), camera.status.as_ref().map(|(status, _)| status.clone()))
    });
    let sources: Vec<_> = sources.collect();
    let build = build.map(|(key, value)| (key, value.to_owned()));
    drop(state);
    let build: Vec<(&str, &str)> = build.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let text = exposition(&build, &sources);
    Response::new(200, "text/plain; version=0.0.4; charset=utf-8", Body::Own(text.into_bytes()))
}

/// All paths.
pub(super) fn openapi() -> Response {
    Response::new(200, "application/json", Body::Fixed(include_bytes!("openapi.json")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    token: String,
}

pub(super) fn log_in(app: &App, request: &Request) -> Result<Response, Response> {
    let LogIn { token } = body(request)?;
    let cookie = app.guard.log_in(&token, request.peer, Instant::now())?;
    let response = Response::empty(204);
    Ok(if cookie.is_empty() { response } else { response.with("Set-Cookie", cookie) })
}

/// The settings as they are now.
pub(super) async fn configuration(app: &App) -> Result<Response, Response> {
    Ok(Response::text(app.ask(|oracle, told| oracle.configuration(told)).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedSave {
    #[serde(default)]
    replace: bool,
}

/// Saves what commands have changed, if whoever asks knows what that replaces.
pub(super) async fn save(app: &App, request: &Request) -> Result<Response, Response> {
    let AskedSave { replace } = body(request)?;
    if !app.settings.save {
        return Err(Response::problem(403, "nothing is saved: http.save = true would let it be"));
    }
    let Saved { files, keys, done } = app.ask(|oracle, told| oracle.save(replace, told)).await?;
    if done {
        return Ok(Response::json(&json!({ "saved": files, "keys": keys })));
    }
    let message = format!("found {}, expected \"replace\": true to change them", files.join(", "));
    let error = json!({ "message": message, "type": "asks", "found": files.join(", "), "expected": "\"replace\": true" });
    let asks = json!({ "error": error, "would_replace": files, "keys": keys });
    Ok(Response::json(&asks).with_status(409))
}

pub(super) fn status(app: &App) -> Result<Response, Response> {
    let inventory = app.inventory()?;
    let state = app.board.read();
    Ok(Response::json(&json!({
        "version": env!("CARGO_PKG_VERSION"), "model": inventory.model,
        "space": format!("{}@{}", inventory.model, inventory.space),
        "time": unix(SystemTime::now()), "uptime": (app.uptime().as_secs_f64() * 1e3).round() / 1e3,
        "ready": state.cameras.iter().any(|camera| camera.looked.is_some()),
        "pictures": app.settings.pictures, "commands": app.settings.commands, "history": app.facts.history,
        "vocabulary_file": inventory.vocabulary,
        "save": app.settings.save, "unsaved": inventory.unsaved, "cameras": all(&state),
    })))
}

pub(super) fn cameras(app: &App) -> Result<Response, Response> {
    app.inventory()?;
    Ok(Response::json(&json!({ "cameras": all(&app.board.read()) })))
}

pub(super) fn camera(app: &App, id: &str) -> Result<Response, Response> {
    let place = app.camera(id)?;
    Ok(Response::json(&one(&app.board.read(), place)))
}

fn all(state: &State) -> Vec<Value> {
    (0..state.ids.len()).map(|place| one(state, place)).collect()
}

fn one(state: &State, place: usize) -> Value {
    let source = state.inventory.as_ref().and_then(|inventory| inventory.sources.get(place));
    let camera = state.cameras.get(place);
    let size = camera.and_then(|camera| camera.size);
    json!({
        "id": state.ids.get(place), "name": source.map(|source| &*source.name), "on": source.is_some_and(|source| source.on),
        "width": size.map(|(width, _)| width), "height": size.map(|(_, height)| height),
        "status": camera.and_then(|camera| camera.status.as_ref()).map(|(status, _)| measured(status)),
    })
}

/// A status without what its camera says already.
pub(super) fn measured(status: &Status) -> Value {
    let mut line = Vec::new();
    let written = write_status(&mut line, status);
    let mut value: Value = written.ok().and_then(|()| serde_json::from_slice(&line).ok()).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        KNOWN.iter().for_each(|key| drop(map.remove(*key)));
    }
    value
}
