//! What is taught: frames that are held to be drawn on, examples, and what events really were.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::app::App;
use super::arguments::{body, part};
use super::board::Held;
use super::events;
use super::guard::later;
use super::looked_for;
use super::request::Request;
use super::response::Response;
use crate::geometry::Rect;
use crate::surfaces::{Correction, Shown};

/// How long to wait for a frame.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedExample {
    name: String,
    r#box: Option<[f32; 4]>,
    held: Option<String>,
    words: Option<String>,
    #[serde(default)]
    not: bool,
    #[serde(default)]
    whole: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedVerdict {
    right: Option<bool>,
    is: Option<String>,
}

/// Keeps the newest frame for a while.
pub(super) async fn hold(app: &App, request: &Request) -> Result<Response, Response> {
    let camera = app.camera(part(request, 0))?;
    let held = newest(app, camera).await?;
    let (width, height) = (held.picture.width, held.picture.height);
    Ok(Response::json(&json!({ "held": held.id, "frame": held.frame, "width": width, "height": height })))
}

/// Shows an example of a name.
pub(super) async fn example(app: &App, request: &Request) -> Result<Response, Response> {
    let asked: AskedExample = body(request)?;
    let camera = app.camera(part(request, 0))?;
    let held = match &asked.held {
        None => newest(app, camera).await?,
        Some(id) => app.board.held(camera, id).ok_or_else(|| {
            let expected = "the id of a frame that is held: POST api/v1/cameras/CAMERA/hold";
            Response::refused(404, "held", &format!("{id:?}"), expected)
        })?,
    };
    let rect = asked.r#box.filter(|_| !asked.whole).map(|[x0, y0, x1, y1]| Rect { x0, y0, x1, y1 });
    let shown = Shown {
        picture: Arc::clone(&held.picture),
        origin: format!("{} {}", part(request, 0), held.frame),
        rect,
        name: asked.name.clone(),
        words: asked.words,
        counter: asked.not,
    };
    let id = app.ask(|oracle, told| oracle.show(shown, told)).await?;
    let inventory = app.inventory()?;
    let label = inventory.labels.iter().find(|label| *label.name == *asked.name);
    Ok(Response::json(&json!({
        "name": asked.name, "example": id, "examples": label.map_or(0, |label| label.examples),
        "prompts": looked_for::listed(&inventory),
    })))
}

/// Says whether an event named its object rightly.
pub(super) async fn verdict(app: &App, request: &Request) -> Result<Response, Response> {
    let AskedVerdict { right, is } = body(request)?;
    let (right, said) = match (right, &is) {
        (Some(true), None) => (true, "right".to_owned()),
        (Some(false), None) => (false, "wrong".to_owned()),
        (None | Some(false), Some(name)) => (false, name.clone()),
        _ => return Err(Response::refused(400, "body", "neither or both", "right or is")),
    };
    let id = part(request, 0);
    let found = app.board.read().events.iter().rev().find(|event| event.id == id).cloned();
    let event = found.ok_or_else(|| events::missing(id))?;
    let (Some(features), Some(label)) = (event.features.clone(), event.label.clone()) else {
        let expected = "an event of an object, by a model that compares examples";
        return Err(Response::refused(422, "event", "one that has no vector", expected));
    };
    let correction =
        Correction { features, origin: format!("event {id}"), label: label.to_string(), right, is };
    app.ask(|oracle, told| oracle.correct(correction, told)).await?;
    app.board.judge(event.number, &said);
    events::one(app, id)
}

/// The next frame of a source, which is kept from then on.
async fn newest(app: &App, camera: usize) -> Result<Arc<Held>, Response> {
    let mut changes = app.board.changes();
    app.board.want_held(camera);
    let found = timeout(PATIENCE, async {
        loop {
            changes.borrow_and_update();
            if let Some(held) = app.board.take_held(camera) {
                return Some(held);
            }
            changes.changed().await.ok()?;
        }
    });
    found.await.ok().flatten().ok_or_else(|| later(5, "no frame has come within 5 s"))
}
