//! Live pictures: one, or a stream of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::app::{App, Reading};
use super::arguments::part;
use super::board::{Board, Look, Shot, Watching};
use super::guard::later;
use super::request::Request;
use super::response::{Body, Response, Stream};
use super::viewer::jpeg;

/// How old a picture may be that is handed out once more.
const NEW: Duration = Duration::from_millis(100);
/// How long to wait for one.
const PATIENCE: Duration = Duration::from_secs(5);
/// What stands between the pictures of a stream.
const BOUNDARY: &str = "frame";

/// The newest picture of a source; at its own size, with boxes, if it is to be `full`.
pub(super) async fn frame(app: &App, request: &Request, full: bool) -> Result<Response, Response> {
    let (camera, look) = asked(app, request)?;
    if let Some(id) = request.head.query("held") {
        return held(app, camera, id).await;
    }
    let look = if full { Look::Full } else { look };
    let mut changes = app.board.changes();
    let since = app.board.ask(camera, look);
    let found = timeout(PATIENCE, async {
        loop {
            changes.borrow_and_update();
            if let Some(shot) = shot(&app.board, camera, look)
                && (shot.version > since || shot.at.elapsed() < NEW)
            {
                return Some(shot);
            }
            changes.changed().await.ok()?;
        }
    });
    let Some(shot) = found.await.ok().flatten() else { return Err(later(5, "no frame has come within 5 s")) };
    let (width, height) = shot.size;
    Ok(Response::new(200, "image/jpeg", Body::Shared(Arc::clone(&shot.jpeg)))
        .with("X-Frame", shot.frame.to_string())
        .with("X-Width", width.to_string())
        .with("X-Height", height.to_string()))
}

/// A frame that is held.
async fn held(app: &App, camera: usize, id: &str) -> Result<Response, Response> {
    let held = app.board.held(camera, id);
    let held =
        held.ok_or_else(|| Response::refused(404, "held", &format!("{id:?}"), "a frame that is held"))?;
    let (width, shown) = (app.settings.stream_width, Arc::clone(&held));
    let encoded = spawn_blocking(move || jpeg(&shown.picture, width)).await;
    let encoded = encoded.map_err(|error| Response::problem(500, &format!("internal error: {error}")))?;
    let picture = &held.picture;
    Ok(Response::new(200, "image/jpeg", Body::Own(encoded?))
        .with("X-Frame", held.frame.to_string())
        .with("X-Width", picture.width.to_string())
        .with("X-Height", picture.height.to_string()))
}

/// Pictures one after the other, as fast as they are made and taken.
pub(super) fn stream(app: &Arc<App>, request: &Request) -> Result<Response, Response> {
    let (camera, look) = asked(app, request)?;
    let stream = Pictures {
        camera,
        look,
        last: 0,
        changes: app.board.changes(),
        board: Arc::clone(&app.board),
        _watching: app.board.watch(camera, look),
        _reading: app.stream()?,
    };
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    Ok(Response::new(200, &kind, Body::Stream(Box::new(stream))))
}

fn asked(app: &App, request: &Request) -> Result<(usize, Look), Response> {
    let camera = app.camera(part(request, 0))?;
    let look = match request.head.query("boxes") {
        None | Some("0" | "false") => Look::Plain,
        Some("1" | "true" | "") => Look::Boxes,
        Some(other) => return Err(Response::refused(400, "boxes", &format!("{other:?}"), "0 or 1")),
    };
    Ok((camera, look))
}

fn shot(board: &Board, camera: usize, look: Look) -> Option<Arc<Shot>> {
    board.read().cameras.get(camera)?.shot(look).cloned()
}

struct Pictures {
    camera: usize,
    look: Look,
    /// The version of the last picture that was sent.
    last: u64,
    changes: watch::Receiver<u64>,
    board: Arc<Board>,
    _watching: Watching,
    _reading: Reading,
}

impl Stream for Pictures {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send + '_>> {
        Box::pin(async move {
            loop {
                self.changes.borrow_and_update();
                let shot = shot(&self.board, self.camera, self.look).filter(|shot| shot.version > self.last);
                if let Some(shot) = shot {
                    self.last = shot.version;
                    let head = format!(
                        "--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nX-Frame: {}\r\n\r\n",
                        shot.jpeg.len(),
                        shot.frame
                    );
                    return Some([head.as_bytes(), &shot.jpeg, b"\r\n"].concat());
                }
                self.changes.changed().await.ok()?;
            }
        })
    }
}
