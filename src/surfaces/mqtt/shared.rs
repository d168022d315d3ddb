//! What the sink, the connection and the loop share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::known::Known;
use super::queue::Queue;
use crate::surfaces::Inventory;

/// What is known at the moment, and what was asked for.
pub(super) struct Shared {
    pub queue: Arc<Queue>,
    prefix: String,
    /// Whether the settings allow pictures to be sent.
    pictures: bool,
    known: Mutex<Arc<Known>>,
    /// One per source.
    sources: Mutex<Vec<Arc<Asked>>>,
}

/// What was asked for a source.
struct Asked {
    /// Whether pictures are sent.
    pictures: AtomicBool,
    /// Whether one was asked for right now.
    now: AtomicBool,
}

impl Shared {
    pub(super) fn new(queue: Arc<Queue>, prefix: &str, pictures: bool) -> Self {
        let nothing = Inventory {
            prompts: None,
            vocabulary: None,
            labels: Vec::new(),
            sources: Vec::new(),
            model: String::new(),
            unsaved: false,
            space: String::new(),
        };
        let known = Known::new(prefix, nothing, pictures);
        let (prefix, known, sources) = (prefix.to_owned(), Mutex::new(Arc::new(known)), Mutex::default());
        Self { queue, prefix, pictures, known, sources }
    }

    /// What is looked for.
    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on, this is looked for: topics that are new begin with their values, others go.
    pub(super) fn plan(&self, inventory: Inventory) -> Arc<Known> {
        let next = Arc::new(Known::new(&self.prefix, inventory, self.pictures));
        {
            let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
            let asked =
                || Arc::new(Asked { pictures: AtomicBool::new(self.pictures), now: AtomicBool::new(false) });
            sources.resize_with(next.inventory.sources.len(), asked);
        }
        let before = std::mem::replace(
            &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner),
            Arc::clone(&next),
        );
        self.queue.forget(|topic| before.values.contains_key(topic) && !next.values.contains_key(topic));
        for (topic, value) in &next.values {
            let is_setting = topic.ends_with("/state") && !topic.ends_with("/snapshots/state");
            let Some(value) = value else { continue };
            if is_setting || !before.values.contains_key(topic) {
                self.queue.set(topic.clone(), value.as_str());
            }
        }
        next
    }

    /// Whether pictures of a source are sent.
    pub(super) fn sends_pictures(&self, source: usize) -> bool {
        self.pictures && self.asked(source).is_some_and(|asked| asked.pictures.load(Ordering::Relaxed))
    }

    /// Switches pictures of a source on or off. Gives whether they are on now.
    pub(super) fn switch_pictures(&self, source: usize, on: bool) -> bool {
        if let Some(asked) = self.asked(source) {
            asked.pictures.store(on && self.pictures, Ordering::Relaxed);
        }
        self.sends_pictures(source)
    }

    /// Asks for a picture of the next frame of a source.
    pub(super) fn request(&self, source: usize) {
        if let Some(asked) = self.asked(source).filter(|_| self.pictures) {
            asked.now.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a picture was asked for since this was called last.
    pub(super) fn take_request(&self, source: usize) -> bool {
        self.asked(source).is_some_and(|asked| asked.now.swap(false, Ordering::Relaxed))
    }

    fn asked(&self, source: usize) -> Option<Arc<Asked>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).get(source).cloned()
    }
}
