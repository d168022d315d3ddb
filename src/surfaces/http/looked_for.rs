//! What is looked for, and where: prompts, thresholds, zones, lines, masks.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::app::App;
use super::arguments::{body, part};
use super::request::Request;
use super::response::Response;
use super::state;
use crate::events::{Line, Zone};
use crate::privacy::Mask;
use crate::surfaces::{Command, Inventory, Places};

/// Most characters of all prompts together.
const LONGEST: usize = 32 * 1024;

/// A camera's places, as they are answered.
#[derive(Serialize)]
struct PlacesOf<'a> {
    zones: &'a [Zone],
    lines: &'a [Line],
    masks: &'a [Mask],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPrompts {
    prompts: Option<Listed>,
    vocabulary: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    List(String),
    Each(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedThreshold {
    threshold: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedCamera {
    on: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPlaces {
    zones: Option<Vec<Zone>>,
    lines: Option<Vec<Line>>,
    masks: Option<Vec<Mask>>,
}

pub(super) fn prompts(app: &App) -> Result<Response, Response> {
    let inventory = app.inventory()?;
    Ok(Response::json(&listed(&inventory)))
}

/// What is looked for, as it is told.
pub(super) fn listed(inventory: &Inventory) -> Value {
    let prompts = inventory.prompts.as_deref().map(|list| {
        list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    let labels = inventory.labels.iter().map(|label| {
        json!({ "name": &*label.name, "threshold": threshold(label.threshold), "boxes": label.has_boxes,
            "examples": label.examples })
    });
    json!({ "prompts": prompts, "vocabulary": inventory.vocabulary, "labels": labels.collect::<Vec<_>>() })
}

pub(super) async fn set_prompts(app: &App, request: &Request) -> Result<Response, Response> {
    let command = match body(request)? {
        AskedPrompts { prompts: Some(prompts), vocabulary: None } => Command::Prompts(match prompts {
            Listed::List(list) => list,
            Listed::Each(items) => {
                if let Some(item) = items.iter().find(|item| item.contains(',')) {
                    return Err(Response::refused(
                        400,
                        "prompts",
                        &format!("{item:?}"),
                        "prompts without commas",
                    ));
                }
                items.join(", ")
            }
        }),
        AskedPrompts { prompts: None, vocabulary: Some(file) } => {
            if file.contains(['/', '\0']) || file.starts_with('.') {
                let expected = "the name of a file beside the vocabulary";
                return Err(Response::refused(400, "vocabulary", &format!("{file:?}"), expected));
            }
            Command::Vocabulary(file)
        }
        _ => return Err(Response::refused(400, "body", "both keys, or none", "prompts or vocabulary")),
    };
    if let Command::Prompts(list) = &command
        && list.len() > LONGEST
    {
        return Err(Response::refused(413, "prompts", &format!("{} bytes", list.len()), "at most 32768"));
    }
    app.command(command).await?;
    prompts(app)
}

pub(super) fn thresholds(app: &App) -> Result<Response, Response> {
    let inventory = app.inventory()?;
    let all =
        inventory.labels.iter().map(|label| (label.name.to_string(), threshold(label.threshold).into()));
    Ok(Response::json(&json!({ "thresholds": all.collect::<Map<_, _>>() })))
}

pub(super) async fn set_threshold(app: &App, request: &Request) -> Result<Response, Response> {
    let AskedThreshold { threshold: score } = body(request)?;
    let (inventory, label) = (app.inventory()?, part(request, 0));
    if !inventory.labels.iter().any(|known| *known.name == *label) {
        return Err(Response::refused(
            404,
            "label",
            &format!("{label:?}"),
            "one that is looked for: api/v1/prompts",
        ));
    }
    if !(0.0..=1.0).contains(&score) {
        return Err(Response::refused(400, "threshold", &score.to_string(), "a score, 0 to 1"));
    }
    app.command(Command::Threshold { label: label.to_owned(), score }).await?;
    prompts(app)
}

pub(super) async fn set_camera(app: &App, request: &Request) -> Result<Response, Response> {
    let AskedCamera { on } = body(request)?;
    let source = app.camera(part(request, 0))?;
    app.command(Command::Detect { source, on }).await?;
    state::camera(app, part(request, 0))
}

pub(super) fn places(app: &App, id: &str) -> Result<Response, Response> {
    let (inventory, place) = (app.inventory()?, app.camera(id)?);
    let Some(source) = inventory.sources.get(place) else {
        return Err(Response::problem(404, "no such camera"));
    };
    // Not by way of a `Value`, whose numbers are f64: 0.1 would become 0.10000000149011612.
    Ok(Response::json(&PlacesOf {
        zones: &source.events.zones,
        lines: &source.events.lines,
        masks: &source.masks,
    }))
}

pub(super) async fn set_places(app: &App, request: &Request) -> Result<Response, Response> {
    let AskedPlaces { zones, lines, masks } = body(request)?;
    let source = app.camera(part(request, 0))?;
    app.command(Command::Places { source, places: Places { zones, lines, masks } }).await?;
    places(app, part(request, 0))
}

/// With three decimals, as a number that is written so.
fn threshold(score: f32) -> f64 {
    (f64::from(score) * 1e3).round() / 1e3
}
