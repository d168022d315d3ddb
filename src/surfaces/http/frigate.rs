//! Answers as Frigate gives them, for its clients.

use serde_json::{Map, Value, json};

use super::app::App;
use super::request::Request;
use super::response::Response;
use crate::sinks::Status;
use crate::surfaces::stats::stats as frigate_stats;

/// Most objects of an answer, and how many there are if nothing is said.
const MOST: usize = 200;
const USUAL: usize = 100;

/// Cameras, zones and labels.
pub(super) fn config(app: &App) -> Result<Response, Response> {
    let inventory = app.inventory()?;
    let ids = app.board.read().ids.clone();
    let labels: Vec<&str> =
        inventory.labels.iter().filter(|label| label.has_boxes).map(|label| &*label.name).collect();
    let cameras = ids.iter().zip(&inventory.sources).map(|(id, source)| {
        let zones = source.events.zones.iter().map(|zone| {
            let objects = if zone.labels.is_empty() { json!(labels) } else { json!(zone.labels) };
            (zone.name.clone(), json!({ "objects": objects, "coordinates": [] }))
        });
        let pictures = app.settings.pictures;
        let camera = json!({
            "name": id, "enabled": source.on, "zones": zones.collect::<Map<_, _>>(),
            "objects": { "track": labels, "filters": {} }, "detect": { "enabled": source.on },
            "snapshots": { "enabled": pictures }, "record": { "enabled": false, "enabled_in_config": false },
            "audio": { "enabled": false, "enabled_in_config": false }, "motion": { "enabled": true },
            "onvif": { "host": "" }, "birdseye": { "enabled": false }, "ui": { "order": 0, "dashboard": true },
            "live": { "streams": {} }, "review": { "alerts": { "enabled": true }, "detections": { "enabled": true } },
            "ffmpeg": { "inputs": [] }, "webui_url": null, "best_image_timeout": 60,
        });
        (id.clone(), camera)
    });
    let prefix = app.facts.topic_prefix.as_deref().unwrap_or("frigate");
    Ok(Response::json(&json!({
        "version": env!("CARGO_PKG_VERSION"), "cameras": cameras.collect::<Map<_, _>>(),
        "mqtt": { "enabled": app.facts.topic_prefix.is_some(), "topic_prefix": prefix, "client_id": "edgeclip" },
        "model": { "path": inventory.model, "labelmap": {} }, "detectors": { "edgeclip": { "type": "cpu" } },
        "go2rtc": { "streams": {} }, "birdseye": { "enabled": false, "restream": false }, "camera_groups": {},
        "classification": { "custom": {} }, "face_recognition": { "enabled": false }, "lpr": { "enabled": false },
    })))
}

/// Rates and temperatures.
pub(super) fn stats(app: &App) -> Result<Response, Response> {
    app.inventory()?;
    let state = app.board.read();
    let known = state.ids.iter().zip(&state.cameras);
    let known = known.filter_map(|(id, camera)| Some((id.clone(), camera.status.as_ref()?.0.clone())));
    let (ids, all): (Vec<String>, Vec<Status>) = known.unzip();
    let mut stats = frigate_stats(&ids, &all);
    if let Some(service) = stats.get_mut("service").and_then(Value::as_object_mut) {
        service.insert("uptime".to_owned(), app.uptime().as_secs().into());
        service.insert("latest_version".to_owned(), env!("CARGO_PKG_VERSION").into());
        service.insert("storage".to_owned(), json!({}));
    }
    Ok(Response::json(&stats))
}

/// Objects, the newest first.
pub(super) fn events(app: &App, request: &Request) -> Response {
    let head = &request.head;
    let limit = head.query("limit").and_then(|text| text.parse().ok()).unwrap_or(USUAL).min(MOST);
    // Clients say `all` for what they do not narrow.
    let list = |key: &str| -> Vec<String> {
        let all = [head.query_list(key), head.query_list(&format!("{key}s"))].concat();
        all.into_iter().filter(|item| *item != "all").map(str::to_owned).collect()
    };
    let (cameras, labels, zones) = (list("camera"), list("label"), list("zone"));
    let time = |key: &str| head.query(key).and_then(|text| text.parse::<f64>().ok());
    let (before, after) = (time("before"), time("after"));
    let in_progress = head.query("in_progress") == Some("1");
    let of = |value: &Value, key: &str, names: &[String]| {
        names.is_empty() || value[key].as_str().is_some_and(|found| names.iter().any(|name| name == found))
    };
    let fits = |value: &Value| {
        let start = value["start_time"].as_f64().unwrap_or_default();
        let entered = value["entered_zones"].as_array().map_or(&[][..], Vec::as_slice);
        of(value, "camera", &cameras)
            && of(value, "label", &labels)
            && (zones.is_empty()
                || zones.iter().any(|zone| entered.iter().any(|found| found == zone.as_str())))
            && before.is_none_or(|before| start < before)
            && after.is_none_or(|after| start > after)
            && (!in_progress || value["end_time"].is_null())
    };
    let state = app.board.read();
    let found: Vec<Value> = state
        .objects
        .iter()
        .rev()
        .map(|(_, value)| value)
        .filter(|value| fits(value))
        .take(limit)
        .map(listed)
        .collect();
    Response::json(&found)
}

pub(super) fn event(app: &App, id: &str) -> Result<Response, Response> {
    let state = app.board.read();
    let found = state.objects.iter().rev().find(|(known, _)| known == id);
    found.map(|(_, value)| Response::json(&listed(value))).ok_or_else(|| {
        Response::refused(404, "event", &format!("{id:?}"), "the id of one of the last 200 objects")
    })
}

/// As it is listed, which differs from what topics say in a few keys.
fn listed(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        let zones = map.get("entered_zones").cloned().unwrap_or_else(|| json!([]));
        map.insert("zones".to_owned(), zones);
        map.insert("retain_indefinitely".to_owned(), json!(false));
        map.insert("plus_id".to_owned(), Value::Null);
        let data = json!({
            "box": map.get("box"), "region": map.get("region"), "score": map.get("score"),
            "top_score": map.get("top_score"), "type": "object", "attributes": [],
        });
        map.insert("data".to_owned(), data);
    }
    value
}
