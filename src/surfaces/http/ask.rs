//! Questions: what a picture shows, embeddings as OpenAI's clients ask for them, what was seen.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::app::App;
use super::arguments::body;
use super::request::Request;
use super::response::Response;
use crate::report::{PictureReport, rounded};
use crate::sinks::{Recalled, write_jsonl};
use crate::source::Picture;
use crate::surfaces::Asked;

/// Most inputs of one request.
const INPUTS: usize = 256;
/// Most characters of a text.
const LONGEST: usize = 2000;
/// Most that a search finds, and how many if nothing is said.
const MOST: usize = 1000;
const USUAL: usize = 10;

/// What a posted picture shows of what is looked for.
pub(super) async fn detect(app: &App, request: &Request) -> Result<Response, Response> {
    let threshold = match request.head.query("threshold") {
        None => None,
        Some(text) => {
            let score = text.parse::<f32>().ok().filter(|score| (0.0..=1.0).contains(score));
            Some(score.ok_or_else(|| {
                Response::refused(400, "threshold", &format!("{text:?}"), "a score, 0 to 1")
            })?)
        }
    };
    let picture = decoded(app, request.body.clone()).await?;
    let (width, height) = (picture.width, picture.height);
    let findings = app.ask(|oracle, told| oracle.detect(picture, threshold, told)).await?;
    let report = PictureReport { path: "", width, height, names: &[], findings: &findings };
    let mut line = Vec::new();
    let written = write_jsonl(&mut line, &report);
    let mut value: Value = written.ok().and_then(|()| serde_json::from_slice(&line).ok()).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.remove("path");
    }
    Ok(Response::json(&value))
}

/// The one model that there is.
pub(super) fn models(app: &App) -> Result<Response, Response> {
    let id = space(app)?;
    let model = json!({ "id": id, "object": "model", "created": 0, "owned_by": "edgeclip" });
    Ok(Response::json(&json!({ "object": "list", "data": [model] })))
}

#[derive(Deserialize)]
struct AskedEmbeddings {
    model: Option<String>,
    input: Inputs,
    encoding_format: Option<String>,
    modality: Option<String>,
    dimensions: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Inputs {
    One(String),
    Several(Vec<String>),
}

/// Embeddings of texts, and of pictures as data URLs.
pub(super) async fn embeddings(app: &App, request: &Request) -> Result<Response, Response> {
    let asked: AskedEmbeddings = body(request)?;
    let id = space(app)?;
    let name = id.split('@').next().unwrap_or_default();
    if let Some(model) = asked.model.as_deref().filter(|model| ![name, &id].contains(model)) {
        return Err(Response::refused(404, "model", &format!("{model:?}"), &format!("{name} or {id}")));
    }
    if asked.dimensions.is_some() {
        return Err(Response::refused(400, "dimensions", "a number", "none: all of them are given"));
    }
    let as_base64 = match asked.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => return Err(Response::refused(400, "encoding_format", other, "float or base64")),
    };
    let inputs = match asked.input {
        Inputs::One(input) => vec![input],
        Inputs::Several(inputs) => inputs,
    };
    if inputs.is_empty() || inputs.len() > INPUTS {
        return Err(Response::refused(400, "input", &format!("{} of them", inputs.len()), "1 to 256"));
    }
    let are_pictures = match asked.modality.as_deref() {
        None => inputs.iter().all(|input| input.starts_with("data:image/")),
        Some("text") => false,
        Some("image") => true,
        Some(other) => return Err(Response::refused(400, "modality", other, "text or image")),
    };
    let words: usize =
        if are_pictures { 0 } else { inputs.iter().map(|text| text.split_whitespace().count()).sum() };
    let rows = if are_pictures { of_pictures(app, &inputs).await? } else { of_texts(app, inputs).await? };
    let data = rows.iter().enumerate().map(|(index, row)| {
        let embedding = if as_base64 {
            json!(STANDARD.encode(row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()))
        } else {
            json!(row)
        };
        json!({ "object": "embedding", "index": index, "embedding": embedding })
    });
    Ok(Response::json(&json!({
        "object": "list", "data": data.collect::<Vec<_>>(), "model": id,
        "usage": { "prompt_tokens": words, "total_tokens": words },
    })))
}

async fn of_texts(app: &App, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Response> {
    let odd = |text: &&String| text.trim().is_empty() || text.chars().count() > LONGEST;
    if let Some(text) = texts.iter().find(odd) {
        let found = format!("a text of {} characters", text.chars().count());
        return Err(Response::refused(400, "input", &found, "1 to 2000"));
    }
    app.ask(|oracle, told| oracle.embed_texts(texts, told)).await
}

async fn of_pictures(app: &App, urls: &[String]) -> Result<Vec<Vec<f32>>, Response> {
    let mut rows = Vec::new();
    for url in urls {
        let data = url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
        let bytes = data.and_then(|(_, data)| STANDARD.decode(data.trim()).ok());
        let refuse = || {
            let found: String = url.chars().take(24).collect();
            let expected = "data:image/jpeg;base64,…; nothing is fetched";
            Response::refused(400, "input", &format!("{found:?}"), expected)
        };
        let picture = decoded(app, bytes.ok_or_else(refuse)?).await?;
        rows.push(app.ask(|oracle, told| oracle.embed_picture(picture, told)).await?);
    }
    Ok(rows)
}

/// What was seen.
pub(super) async fn search(app: &App, request: &Request) -> Result<Response, Response> {
    let head = &request.head;
    if !app.facts.history {
        return Err(Response::problem(404, "nothing is kept that could be searched: --history FOLDER would"));
    }
    let sentence = head.query("q").map(str::trim).unwrap_or_default().to_owned();
    if sentence.is_empty() || sentence.chars().count() > LONGEST {
        return Err(Response::refused(400, "q", &format!("{sentence:?}"), "a sentence, such as q=a+red+car"));
    }
    let count = match head.query("count") {
        None => USUAL,
        Some(text) => text
            .parse()
            .ok()
            .filter(|count| (1..=MOST).contains(count))
            .ok_or_else(|| Response::refused(400, "count", &format!("{text:?}"), "1 to 1000"))?,
    };
    let inventory = app.inventory()?;
    let cameras = head.query_list("camera").into_iter().map(|id| app.camera(id));
    let cameras: Vec<usize> = cameras.collect::<Result<_, _>>()?;
    let sources = cameras.iter().filter_map(|place| inventory.sources.get(*place));
    let text = |key: &str| head.query(key).filter(|text| !text.is_empty()).map(str::to_owned);
    let asked = Asked {
        sentence,
        since: text("since"),
        until: text("until"),
        sources: sources.map(|source| source.name.to_string()).collect(),
        labels: head.query_list("label").into_iter().map(str::to_owned).collect(),
        count,
    };
    let Recalled { found, compared, other_networks } =
        app.ask(|oracle, told| oracle.recall(asked, told)).await?;
    let state = app.board.read();
    let results = found.iter().map(|(score, found)| {
        let mut value = serde_json::to_value(&found.seen).unwrap_or_default();
        if let Some(map) = value.as_object_mut() {
            let camera = state.source(&found.seen.source).and_then(|place| state.ids.get(place));
            map.insert("camera".to_owned(), json!(camera));
            map.insert("score".to_owned(), json!(score.map(|score| rounded(score, 4))));
            map.insert("cosine".to_owned(), json!(rounded(found.cosine, 4)));
        }
        value
    });
    let results: Vec<Value> = results.collect();
    Ok(Response::json(&json!({ "results": results, "compared": compared, "other_networks": other_networks })))
}

/// The name of the space that vectors are in.
fn space(app: &App) -> Result<String, Response> {
    let inventory = app.inventory()?;
    Ok(format!("{}@{}", inventory.model, inventory.space))
}

/// A picture, decoded by a process of its own.
async fn decoded(app: &App, bytes: Vec<u8>) -> Result<Picture, Response> {
    let decoder = Arc::clone(&app.decoder);
    let decoding = spawn_blocking(move || decoder.decode("picture".to_owned(), &bytes));
    match decoding.await {
        Ok(decoded) => decoded.map_err(Response::from),
        Err(error) => Err(Response::problem(500, &format!("internal error: {error}"))),
    }
}
