//! Reports as they are asked for: the sink in front of the board.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use image::RgbImage;
use image::imageops::thumbnail;
use serde_json::{Value, json};

use super::board::{Board, Happened, Look, Seen, Shot, State};
use crate::error::Result;
use crate::events::{Event, EventKind};
use crate::report::{EventRecord, FrameReport};
use crate::sinks::{Painter, PictureSink, Sink, corners, frame_line, live_jpeg, unix};
use crate::source::Picture;
use crate::surfaces::objects::{Change, Objects};

/// Widest picture of an event, in pixels.
const EVENT_WIDTH: u32 = 640;
/// No source has pictures of events made more often.
const EVENT_PAUSE: Duration = Duration::from_millis(500);
/// Widest picture that is handed out at its own size.
const FULL: u32 = u32::MAX;

/// What is made of pictures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures {
    /// Widest live picture, in pixels.
    pub width: u32,
    /// Least time between two of a source.
    pub pause: Duration,
}

/// Puts reports on the board.
pub(super) struct Viewer {
    board: Arc<Board>,
    painter: Painter,
    pictures: Pictures,
    /// By the name of the source.
    sources: HashMap<Arc<str>, Source>,
}

#[derive(Default)]
struct Source {
    objects: Objects,
    pictured: Option<Instant>,
}

impl Viewer {
    pub(super) fn new(board: Arc<Board>, painter: Painter, pictures: Pictures) -> Self {
        Self { board, painter, pictures, sources: HashMap::new() }
    }

    fn show(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        // The painter sees every report: frames without a look show boxes as in the last one.
        self.painter.follow(report);
        let now = Instant::now();
        let (camera, id, wanted, is_followed, hold) = {
            let state = self.board.read();
            let Some(camera) = state.source(&report.source) else { return Ok(()) };
            let Some((known, id)) = state.cameras.get(camera).zip(state.ids.get(camera)) else {
                return Ok(());
            };
            let wanted = picture.map_or_else(Vec::new, |_| known.wants(now, self.pictures.pause));
            (camera, id.clone(), wanted, state.followers > 0, known.hold)
        };
        let source = self.sources.entry(Arc::clone(&report.source)).or_default();
        let before = ids(&source.objects, report);
        let changes = source.objects.follow(&id, report, picture.is_some(), |zone| Some(zone.to_owned()));
        let after = ids(&source.objects, report);
        let ids = before.into_iter().zip(after).map(|(before, after)| after.or(before)).collect::<Vec<_>>();
        let best: Vec<&Change> = changes.iter().filter(|change| change.is_best).collect();
        let happens = !best.is_empty() || ids.iter().any(Option::is_some);
        let due = source.pictured.is_none_or(|last| now.duration_since(last) >= EVENT_PAUSE);
        let mut drawn = None;
        let mut shots = Vec::new();
        for look in wanted {
            let Some(picture) = picture else { break };
            let jpeg = match look {
                Look::Plain => jpeg(picture, self.pictures.width)?,
                Look::Boxes => {
                    jpeg(boxed(&mut drawn, &mut self.painter, picture, report), self.pictures.width)?
                }
                Look::Full => jpeg(boxed(&mut drawn, &mut self.painter, picture, report), FULL)?,
            };
            shots.push((look, Arc::new(jpeg)));
        }
        let mut pictured = None;
        if let Some(picture) = picture.filter(|_| happens && due) {
            source.pictured = Some(now);
            pictured =
                Some(Arc::new(jpeg(boxed(&mut drawn, &mut self.painter, picture, report), EVENT_WIDTH)?));
        }
        let line = is_followed.then(|| frame_line(report)).transpose()?;
        let line = line.map(|line| Arc::new(line.replacen('{', &format!("{{\"camera\":{},", json!(id)), 1)));
        let held = picture.filter(|_| hold).cloned();
        let board = &self.board;
        board.write(|state| {
            put(state, camera, report, line, now);
            for (look, jpeg) in shots {
                let size = (report.width, report.height);
                let shot = Shot { jpeg, frame: report.frame, size, version: state.version, at: now };
                state.show(camera, look, shot);
            }
            if let Some(picture) = held {
                state.hold(camera, report.frame, picture);
            }
            for change in &changes {
                let after: Option<Value> = serde_json::from_str(&change.payload).ok();
                let after = after.and_then(|mut payload| payload.get_mut("after").map(Value::take));
                after.into_iter().for_each(|after| state.object(&change.id, after));
            }
            for (index, (event, object)) in report.events.iter().zip(&ids).enumerate() {
                let number = state.happened;
                state.happened += 1;
                let event_id = board.event_id(number);
                // Of things that have gone, the frame shows nothing.
                let shows = object.is_some() && !matches!(event, Event::Disappear { .. });
                let shows = shows || matches!(event, Event::State { .. } | Event::Tag { .. });
                let pictured = pictured.as_ref().filter(|_| shows);
                if let Some(jpeg) = pictured {
                    state.keep_picture(event_id.clone(), Arc::clone(jpeg));
                }
                let json = describe(&event_id, &id, report, event, object.as_deref(), pictured.is_some());
                let label = EventRecord::of(event).label.map(Into::into);
                state.happen(Happened {
                    id: event_id,
                    number,
                    camera,
                    kind: EventKind::of(event).name(),
                    label,
                    features: report.features.get(index).cloned().flatten(),
                    json,
                });
            }
            for change in best {
                pictured.iter().for_each(|jpeg| state.keep_picture(change.id.clone(), Arc::clone(jpeg)));
            }
        });
        Ok(())
    }
}

/// The picture with boxes, drawn once.
fn boxed<'a>(
    drawn: &'a mut Option<Picture>,
    painter: &mut Painter,
    picture: &Picture,
    report: &FrameReport,
) -> &'a Picture {
    drawn.get_or_insert_with(|| {
        let mut drawn = picture.clone();
        painter.annotate(&mut drawn.data, picture.width, picture.height, report);
        drawn
    })
}

/// Ids of the objects of a report's events.
fn ids(objects: &Objects, report: &FrameReport) -> Vec<Option<String>> {
    let id = |event: &Event| objects.id(EventRecord::of(event).track?).map(str::to_owned);
    report.events.iter().map(id).collect()
}

fn put(state: &mut State, camera: usize, report: &FrameReport, line: Option<Arc<String>>, now: Instant) {
    let version = state.version;
    let Some(camera) = state.cameras.get_mut(camera) else { return };
    camera.size = Some((report.width, report.height));
    camera.measures.add(report);
    if report.looked {
        camera.looked = Some(now);
    }
    if let Some(json) = line {
        camera.seen = Some(Seen { json, version });
    }
}

/// An event as it is listed.
fn describe(
    id: &str,
    camera: &str,
    report: &FrameReport,
    event: &Event,
    object: Option<&str>,
    has_picture: bool,
) -> Value {
    let record = EventRecord::of(event);
    let rect = record.track.and_then(|id| report.tracks.iter().find(|track| track.id == id));
    let head = json!({
        "id": id, "camera": camera, "source": &*report.source, "frame": report.frame, "time": unix(report.time),
    });
    let tail = json!({
        "object": object,
        "picture": has_picture.then(|| format!("api/v1/events/{id}/picture.jpg")),
        "box": rect.map(|track| corners(&track.rect)), "width": report.width, "height": report.height,
        "verdict": Value::Null,
    });
    let record = serde_json::to_value(&record).unwrap_or_default();
    let parts = [head, record, tail].into_iter().filter_map(|part| match part {
        Value::Object(map) => Some(map),
        _ => None,
    });
    Value::Object(parts.flatten().collect())
}

/// A picture, made smaller if it is wider than `most`.
pub(super) fn jpeg(picture: &Picture, most: u32) -> Result<Vec<u8>> {
    let (width, height) = (picture.width, picture.height);
    if width <= most {
        return live_jpeg("http", &picture.data, width, height);
    }
    let lower = (u64::from(height) * u64::from(most) / u64::from(width)).max(1) as u32;
    match RgbImage::from_raw(width, height, picture.data.clone()) {
        Some(whole) => live_jpeg("http", thumbnail(&whole, most, lower).as_raw(), most, lower),
        None => live_jpeg("http", &picture.data, width, height),
    }
}

impl Sink for Viewer {
    fn name(&self) -> &str {
        "http"
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        self.show(report, None)
    }
}

impl PictureSink for Viewer {
    fn name(&self) -> &str {
        "http"
    }

    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        self.show(report, picture)
    }
}
