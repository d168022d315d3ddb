//! What is known at the moment, between the loop, which writes it, and whoever asks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tokio::sync::watch;

use super::measures::Measures;
use crate::report::FeatureRecord;
use crate::sinks::Status;
use crate::source::Picture;
use crate::surfaces::Inventory;
use crate::surfaces::topics::Topics;

/// Most events that are kept.
const EVENTS: usize = 1000;
/// Most objects that are kept, as Frigate's clients read them.
const OBJECTS: usize = 200;
/// Most pictures of events, and most bytes of all.
const PICTURES: usize = 100;
const PICTURE_BYTES: usize = 8 << 20;
/// Most frames that are held, and for how long.
const HELD: usize = 2;
const HELD_FOR: Duration = Duration::from_secs(120);

/// What a live picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The frame as it is.
    Plain,
    /// With boxes.
    Boxes,
    /// With boxes, at its own size.
    Full,
}

/// All looks, in the order of [`Camera::shots`].
pub(super) const LOOKS: [Look; 3] = [Look::Plain, Look::Boxes, Look::Full];

/// An encoded live picture.
#[derive(Debug)]
pub(super) struct Shot {
    pub jpeg: Arc<Vec<u8>>,
    pub frame: u64,
    /// Of the frame, in pixels.
    pub size: (u32, u32),
    pub version: u64,
    pub at: Instant,
}

/// Something that has happened.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub id: String,
    pub number: u64,
    pub camera: usize,
    pub kind: &'static str,
    pub label: Option<Arc<str>>,
    /// What its object looked like.
    pub features: Option<FeatureRecord>,
    pub json: Value,
}

/// A frame that is kept to be drawn on.
#[derive(Debug)]
pub(super) struct Held {
    pub id: String,
    pub camera: usize,
    pub frame: u64,
    pub picture: Arc<Picture>,
    since: Instant,
}

/// What a frame showed.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub json: Arc<String>,
    pub version: u64,
}

/// One source.
#[derive(Debug, Default)]
pub(super) struct Camera {
    pub size: Option<(u32, u32)>,
    pub seen: Option<Seen>,
    pub status: Option<(Status, u64)>,
    pub looked: Option<Instant>,
    pub measures: Measures,
    shots: [Option<Arc<Shot>>; LOOKS.len()],
    wanted: [Wanted; LOOKS.len()],
    encoded: Option<Instant>,
    /// Whether the next frame is to be held, and that frame.
    pub hold: bool,
    next_held: Option<Arc<Held>>,
}

/// Who wants a live picture.
#[derive(Debug, Default)]
struct Wanted {
    readers: u32,
    /// Whether one was asked for that is not made yet.
    once: bool,
}

/// All of it.
pub(super) struct Board {
    state: Mutex<State>,
    /// Rises with everything that changes.
    version: watch::Sender<u64>,
    /// What ids of events begin with: no two runs have the same.
    run: u128,
}

#[derive(Default)]
pub(super) struct State {
    pub version: u64,
    pub inventory: Option<Arc<Inventory>>,
    /// What paths call each source.
    pub ids: Vec<String>,
    /// The version in which the inventory changed.
    pub changed: u64,
    pub cameras: Vec<Camera>,
    pub events: VecDeque<Arc<Happened>>,
    /// How many have happened.
    pub happened: u64,
    /// By their ids.
    pub objects: VecDeque<(String, Value)>,
    pictures: VecDeque<(String, Arc<Vec<u8>>)>,
    picture_bytes: usize,
    held: VecDeque<Arc<Held>>,
    holds: u64,
    /// Who follows what frames show.
    pub followers: u32,
}

impl Camera {
    /// The last picture of this kind.
    pub(super) fn shot(&self, look: Look) -> Option<&Arc<Shot>> {
        self.shots.get(look as usize)?.as_ref()
    }

    /// What is to be encoded now, if there is one picture each `pause` at most.
    pub(super) fn wants(&self, now: Instant, pause: Duration) -> Vec<Look> {
        // A little early rather than every second time too late.
        let due = self.encoded.is_none_or(|last| now.duration_since(last) >= pause.mul_f32(0.9));
        let wanted = |look: &Look| {
            let wanted = self.wanted.get(*look as usize);
            wanted.is_some_and(|wanted| wanted.readers > 0 || wanted.once)
        };
        if due { LOOKS.into_iter().filter(wanted).collect() } else { Vec::new() }
    }
}

impl State {
    /// The place of the source that paths call so.
    pub(super) fn camera(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|known| known == id)
    }

    /// The place of the source that reports call so.
    pub(super) fn source(&self, name: &str) -> Option<usize> {
        self.inventory.as_ref()?.sources.iter().position(|source| *source.name == *name)
    }

    /// The picture of an event or object.
    pub(super) fn picture(&self, key: &str) -> Option<Arc<Vec<u8>>> {
        self.pictures.iter().rev().find(|(known, _)| known == key).map(|(_, jpeg)| Arc::clone(jpeg))
    }

    /// Keeps the picture of an event or object, in place of an earlier one.
    pub(super) fn keep_picture(&mut self, key: String, jpeg: Arc<Vec<u8>>) {
        if let Some(at) = self.pictures.iter().position(|(known, _)| *known == key) {
            let gone = self.pictures.remove(at).map_or(0, |(_, jpeg)| jpeg.len());
            self.picture_bytes -= gone;
        }
        self.picture_bytes += jpeg.len();
        self.pictures.push_back((key, jpeg));
        while self.pictures.len() > PICTURES || self.picture_bytes > PICTURE_BYTES {
            let Some((_, gone)) = self.pictures.pop_front() else { break };
            self.picture_bytes -= gone.len();
        }
    }

    /// Adds an event.
    pub(super) fn happen(&mut self, happened: Happened) {
        self.events.push_back(Arc::new(happened));
        if self.events.len() > EVENTS {
            self.events.pop_front();
        }
    }

    /// Brings an object up to date.
    pub(super) fn object(&mut self, id: &str, value: Value) {
        if let Some((_, known)) = self.objects.iter_mut().rev().find(|(known, _)| known == id) {
            *known = value;
            return;
        }
        self.objects.push_back((id.to_owned(), value));
        if self.objects.len() > OBJECTS {
            self.objects.pop_front();
        }
    }

    /// Holds a frame that was asked for.
    pub(super) fn hold(&mut self, camera: usize, frame: u64, picture: Picture) {
        self.holds += 1;
        let id = self.holds.to_string();
        let held = Arc::new(Held { id, camera, frame, picture: Arc::new(picture), since: Instant::now() });
        let Some(of) = self.cameras.get_mut(camera) else { return };
        (of.hold, of.next_held) = (false, Some(Arc::clone(&held)));
        self.held.push_back(held);
        while self.held.len() > HELD {
            self.held.pop_front();
        }
    }

    /// Replaces the live picture of a source.
    pub(super) fn show(&mut self, camera: usize, look: Look, shot: Shot) {
        let Some(camera) = self.cameras.get_mut(camera) else { return };
        camera.encoded = Some(shot.at);
        if let Some(place) = camera.shots.get_mut(look as usize) {
            *place = Some(Arc::new(shot));
        }
        if let Some(wanted) = camera.wanted.get_mut(look as usize) {
            wanted.once = false;
        }
    }
}

impl Board {
    pub(super) fn new() -> Self {
        let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        Self { state: Mutex::default(), version: watch::Sender::new(0), run }
    }

    /// Looks at it.
    pub(super) fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it, and tells whoever waits.
    pub(super) fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.read();
        state.version += 1;
        let version = state.version;
        let done = change(&mut state);
        drop(state);
        self.version.send_replace(version);
        done
    }

    /// To wait for changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The id of the event with this number.
    pub(super) fn event_id(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    /// The number in an id of this run.
    pub(super) fn event_number(&self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        (run.parse() == Ok(self.run)).then(|| number.parse().ok())?
    }

    /// From now on, this is looked for.
    pub(super) fn plan(&self, inventory: Inventory) {
        let ids = Topics::new("", &inventory).sources;
        self.write(|state| {
            state.cameras.resize_with(ids.len(), Camera::default);
            (state.ids, state.changed) = (ids, state.version);
            state.inventory = Some(Arc::new(inventory));
        });
    }

    /// The state of each source.
    pub(super) fn status(&self, all: &[Status]) {
        self.write(|state| {
            let version = state.version;
            for (camera, status) in state.cameras.iter_mut().zip(all) {
                camera.status = Some((status.clone(), version));
            }
        });
    }

    /// Has the next frame of a source held.
    pub(super) fn want_held(&self, camera: usize) {
        if let Some(camera) = self.read().cameras.get_mut(camera) {
            (camera.hold, camera.next_held) = (true, None);
        }
    }

    /// That frame, once it has come.
    pub(super) fn take_held(&self, camera: usize) -> Option<Arc<Held>> {
        self.read().cameras.get_mut(camera)?.next_held.clone()
    }

    /// A frame of a source that is held; what was held for too long is let go.
    pub(super) fn held(&self, camera: usize, id: &str) -> Option<Arc<Held>> {
        let mut state = self.read();
        state.held.retain(|held| held.since.elapsed() < HELD_FOR);
        state.held.iter().find(|held| held.camera == camera && held.id == id).cloned()
    }

    /// Notes what an event really was.
    pub(super) fn judge(&self, number: u64, verdict: &str) {
        self.write(|state| {
            let Some(event) = state.events.iter_mut().find(|event| event.number == number) else { return };
            if let Some(map) = Arc::make_mut(event).json.as_object_mut() {
                map.insert("verdict".to_owned(), verdict.into());
            }
        });
    }

    /// Has a live picture made, and gives the version from which on they are new.
    pub(super) fn ask(&self, camera: usize, look: Look) -> u64 {
        let mut state = self.read();
        let version = state.version;
        if let Some(wanted) =
            state.cameras.get_mut(camera).and_then(|camera| camera.wanted.get_mut(look as usize))
        {
            wanted.once = true;
        }
        version
    }

    /// Has live pictures made until what is returned is dropped.
    pub(super) fn watch(self: &Arc<Self>, camera: usize, look: Look) -> Watching {
        self.readers(camera, look, |readers| readers + 1);
        Watching { board: Arc::clone(self), camera, look }
    }

    /// Has frames put into words until what is returned is dropped.
    pub(super) fn follow(self: &Arc<Self>) -> Following {
        self.read().followers += 1;
        Following(Arc::clone(self))
    }

    fn readers(&self, camera: usize, look: Look, change: impl Fn(u32) -> u32) {
        let mut state = self.read();
        if let Some(wanted) =
            state.cameras.get_mut(camera).and_then(|camera| camera.wanted.get_mut(look as usize))
        {
            wanted.readers = change(wanted.readers);
        }
    }
}

/// Somebody watches a source.
pub(super) struct Watching {
    board: Arc<Board>,
    camera: usize,
    look: Look,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.board.readers(self.camera, self.look, |readers| readers.saturating_sub(1));
    }
}

/// Somebody follows frames.
pub(super) struct Following(Arc<Board>);

impl Drop for Following {
    fn drop(&mut self) {
        let mut state = self.0.read();
        state.followers = state.followers.saturating_sub(1);
    }
}
