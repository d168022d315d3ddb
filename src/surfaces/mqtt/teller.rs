//! Reports as messages: the sink in front of the queue.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::onvif;
use super::queue::Queue;
use super::shared::Shared;
use crate::error::Result;
use crate::events::{Event, EventKind};
use crate::report::{FrameReport, rounded};
use crate::sinks::{Painter, PictureSink, Sink, event_line, live_jpeg};
use crate::source::Picture;
use crate::surfaces::objects::{Change, Count, Objects, unix};
use crate::surfaces::topics::level;

/// No topic gets more pictures than one in this time.
const PICTURE: Duration = Duration::from_secs(1);

/// Turns reports into messages.
pub(super) struct Teller {
    name: String,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    onvif: bool,
    /// By the level of each source.
    objects: HashMap<String, Objects>,
    /// How many there are of each name, by zone and by source.
    occupancy: BTreeMap<(String, String), BTreeMap<String, u32>>,
    painter: Painter,
    /// When a picture was last sent.
    sent: HashMap<String, Instant>,
    idle: bool,
}

impl Teller {
    /// For this queue.
    pub(super) fn new(name: String, shared: Arc<Shared>, onvif: bool, painter: Painter) -> Self {
        let queue = Arc::clone(&shared.queue);
        let (objects, occupancy, sent) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Self { name, shared, queue, onvif, objects, occupancy, painter, sent, idle: true }
    }

    fn tell(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        let known = self.shared.known();
        let Some(source) = known.source(&report.source) else { return Ok(()) };
        let Some(camera) = known.topics.sources.get(source) else { return Ok(()) };
        self.idle = report.events.is_empty();
        let set = |levels: &[&str], value: String| {
            let topic = known.topics.topic(levels);
            // What is no longer looked for may still be tracked.
            if known.values.contains_key(&topic) {
                self.queue.set(topic, value);
            }
        };
        for event in &report.events {
            let kind = EventKind::of(event).name();
            self.queue.push(known.topics.topic(&[camera, "event", kind]), event_line(report, event)?);
            if self.onvif
                && let Some((topic, payload)) = onvif::event(report, event)
            {
                self.queue.push(known.topics.topic(&["onvif-ej", &topic]), payload);
            }
            match event {
                Event::State { zone, state, .. } => {
                    set(&[camera, "classification", &level(zone)], state.to_string())
                }
                Event::Tag { label, present, .. } => {
                    set(&[camera, "tag", &level(label)], if *present { "ON" } else { "OFF" }.to_owned());
                }
                Event::Cross { line, label, forwards, backwards, .. } => {
                    for (direction, count) in [("forward", forwards), ("backward", backwards)] {
                        set(&[camera, "line", &level(line), &level(label), direction], count.to_string());
                    }
                }
                Event::Occupancy { zone, label, count, .. } => {
                    let Some(zone) = known.topics.zones.get(&**zone) else { continue };
                    let labels = self.occupancy.entry((zone.clone(), camera.clone())).or_default();
                    labels.insert(label.to_string(), *count);
                    let sources = self.occupancy.iter().filter(|((other, _), _)| other == zone);
                    let all = sources.flat_map(|(_, labels)| labels);
                    let of_label = all.clone().filter(|(other, _)| *other == &**label);
                    set(&[zone, &level(label)], of_label.map(|(_, count)| count).sum::<u32>().to_string());
                    set(&[zone, "all"], all.map(|(_, count)| count).sum::<u32>().to_string());
                }
                _ => {}
            }
        }
        let pictures = self.shared.sends_pictures(source);
        let zone = |name: &str| known.topics.zones.get(name).cloned();
        let objects = self.objects.entry(camera.clone()).or_default();
        let changes = objects.follow(camera, report, pictures, zone);
        let counts = objects.counts();
        let count = |label: &str, count: Count| {
            set(&[camera, label], count.all.to_string());
            set(&[camera, label, "active"], count.active.to_string());
        };
        let mut all = Count::default();
        for label in known.inventory.labels.iter().filter(|label| label.has_boxes) {
            let of_label = counts.get(&label.name).copied().unwrap_or_default();
            all = Count { all: all.all + of_label.all, active: all.active + of_label.active };
            count(&level(&label.name), of_label);
        }
        count("all", all);
        for change in &changes {
            self.idle = false;
            self.queue.push(known.topics.topic(&["events"]), change.payload.clone());
            if change.kind == "new" {
                let Change { id, label, score, .. } = change;
                let trigger = serde_json::json!({
                    "name": &**label, "camera": camera, "event_id": id, "type": "text", "score": rounded(*score, 4),
                });
                self.queue.push(known.topics.topic(&["triggers"]), trigger.to_string());
            }
            if change.renamed {
                let Change { id, label, score, .. } = change;
                let update = serde_json::json!({
                    "type": "classification", "id": id, "camera": camera, "timestamp": unix(report.time),
                    "model": known.inventory.model, "sub_label": &**label, "score": rounded(*score, 4),
                });
                self.queue.push(known.topics.topic(&["tracked_object_update"]), update.to_string());
            }
        }
        // The painter sees every report: frames without a look show boxes as in the last one.
        self.painter.follow(report);
        let asked = picture.is_some() && self.shared.take_request(source);
        let Some(picture) = picture.filter(|_| pictures || asked) else { return Ok(()) };
        let mut topics: Vec<String> = Vec::new();
        if pictures {
            let best = changes.iter().filter(|change| change.is_best);
            topics
                .extend(best.map(|change| known.topics.topic(&[camera, &level(&change.label), "snapshot"])));
        }
        let now = Instant::now();
        let sent = &self.sent;
        topics.retain(|topic| sent.get(topic).is_none_or(|last| now.duration_since(*last) >= PICTURE));
        if asked {
            topics.push(known.topics.topic(&[camera, "snapshot"]));
        }
        if topics.is_empty() {
            return Ok(());
        }
        let mut rgb = picture.data.clone();
        self.painter.annotate(&mut rgb, picture.width, picture.height, report);
        let jpeg = live_jpeg(&self.name, &rgb, picture.width, picture.height)?;
        for topic in topics {
            self.sent.insert(topic.clone(), now);
            self.queue.picture(topic, jpeg.clone());
        }
        Ok(())
    }
}

/// The program ends, and with it all that was there.
impl Drop for Teller {
    fn drop(&mut self) {
        let known = self.shared.known();
        for (camera, objects) in &mut self.objects {
            for change in objects.end(camera, false) {
                self.queue.push(known.topics.topic(&["events"]), change.payload);
            }
        }
    }
}

impl Sink for Teller {
    fn name(&self) -> &str {
        &self.name
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        self.tell(report, None)
    }

    fn was_idle(&self) -> bool {
        self.idle
    }
}

impl PictureSink for Teller {
    fn name(&self) -> &str {
        &self.name
    }

    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        self.tell(report, picture)
    }

    fn was_idle(&self) -> bool {
        self.idle
    }
}
