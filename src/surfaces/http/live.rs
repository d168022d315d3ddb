//! What happens, as it happens: Server-Sent Events.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::app::{App, Reading};
use super::board::{Board, Following};
use super::request::Request;
use super::response::{Body, Response, Stream};
use super::state::measured;

/// A reader is told no more often than this.
const PAUSE: Duration = Duration::from_millis(100);
/// How often silence is broken, so that a connection that is gone is noticed.
const ALIVE: Duration = Duration::from_secs(15);
/// What may be asked for.
const TYPES: [&str; 4] = ["frame", "event", "status", "changed"];
/// Most events that are told at once.
const BATCH: usize = 100;

/// Begins to tell.
pub(super) fn stream(app: &Arc<App>, request: &Request) -> Result<Response, Response> {
    app.inventory()?;
    let head = &request.head;
    let cameras = head.query_list("camera").into_iter().map(|id| app.camera(id));
    let cameras: Vec<usize> = cameras.collect::<Result<_, _>>()?;
    let types = head.query_list("types");
    if let Some(other) = types.iter().find(|kind| !TYPES.contains(kind)) {
        return Err(Response::refused(400, "types", &format!("{other:?}"), &TYPES.join(", ")));
    }
    let wants = TYPES.map(|kind| types.is_empty() || types.contains(&kind));
    let board = Arc::clone(&app.board);
    let last = head.get("last-event-id").or_else(|| head.query("after"));
    let state = board.read();
    let (version, happened) = (state.version, state.happened);
    drop(state);
    // What happened in an earlier run is not known here any more: all of this one is new.
    let next = last.map_or(happened, |id| board.event_number(id).map_or(0, |number| number + 1));
    let telling = Telling {
        cameras,
        wants,
        seen: version,
        next,
        begun: false,
        changes: board.changes(),
        _following: wants.first().is_some_and(|frames| *frames).then(|| board.follow()),
        board,
        _reading: app.stream()?,
    };
    Ok(Response::new(200, "text/event-stream", Body::Stream(Box::new(telling)))
        .with("X-Accel-Buffering", "no"))
}

struct Telling {
    /// Those that are told of; all if empty.
    cameras: Vec<usize>,
    /// In the order of [`TYPES`].
    wants: [bool; TYPES.len()],
    /// The version up to which all is told.
    seen: u64,
    /// The number of the event that is told next.
    next: u64,
    begun: bool,
    changes: watch::Receiver<u64>,
    board: Arc<Board>,
    _following: Option<Following>,
    _reading: Reading,
}

impl Telling {
    /// All that is new; of frames and states the newest alone.
    fn news(&mut self) -> String {
        let [frames, events, statuses, changed] = self.wants;
        let mut out = String::new();
        let board = Arc::clone(&self.board);
        let state = board.read();
        if changed && state.changed > self.seen {
            message(&mut out, "changed", None, "{}");
        }
        let is_told = |camera: usize| self.cameras.is_empty() || self.cameras.contains(&camera);
        if events {
            let new = state.events.iter().filter(|event| event.number >= self.next);
            let mut told = None;
            for event in new.take(BATCH) {
                told = Some(event.number + 1);
                if is_told(event.camera) {
                    message(&mut out, "event", Some(&event.id), &event.json.to_string());
                }
            }
            self.next = told.unwrap_or(self.next);
        }
        for (place, camera) in state.cameras.iter().enumerate().filter(|(place, _)| is_told(*place)) {
            if let Some(seen) = camera.seen.as_ref().filter(|seen| frames && seen.version > self.seen) {
                message(&mut out, "frame", None, &seen.json);
            }
            if let Some((status, version)) = &camera.status
                && statuses
                && *version > self.seen
            {
                let mut value = measured(status);
                if let Some(map) = value.as_object_mut() {
                    map.insert("camera".to_owned(), json!(state.ids.get(place)));
                }
                message(&mut out, "status", None, &value.to_string());
            }
        }
        self.seen = state.version;
        out
    }
}

impl Stream for Telling {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send + '_>> {
        Box::pin(async move {
            if !self.begun {
                self.begun = true;
                return Some(b"retry: 2000\n\n".to_vec());
            }
            sleep(PAUSE).await;
            loop {
                self.changes.borrow_and_update();
                let news = self.news();
                if !news.is_empty() {
                    return Some(news.into_bytes());
                }
                match timeout(ALIVE, self.changes.changed()).await {
                    Ok(changed) => changed.ok()?,
                    Err(_) => return Some(b": alive\n\n".to_vec()),
                }
            }
        })
    }
}

/// One message. JSON has no line breaks.
fn message(out: &mut String, kind: &str, id: Option<&str>, data: &str) {
    if let Some(id) = id {
        out.push_str(&format!("id: {id}\n"));
    }
    out.push_str(&format!("event: {kind}\ndata: {data}\n\n"));
}
