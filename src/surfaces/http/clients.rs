//! Who is connected: so many at once, and the longest idle makes room for a new one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Most connections at once.
pub(super) const MOST: usize = 160;

/// All connections.
#[derive(Default)]
pub(super) struct Clients {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    next: u64,
    by_number: BTreeMap<u64, Client>,
}

struct Client {
    /// Since when nothing was asked; `None` while an answer is made.
    idle: Option<Instant>,
    leave: Arc<Notify>,
}

/// The place of one connection among all, until it is dropped.
pub(super) struct Place {
    clients: Arc<Clients>,
    number: u64,
    leave: Arc<Notify>,
}

impl Clients {
    /// A place for a new connection; `None` if all are busy.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut all = self.lock();
        if all.by_number.len() >= MOST {
            let idle = all.by_number.iter().filter_map(|(number, client)| Some((client.idle?, *number)));
            let (_, longest) = idle.min()?;
            // Its place is free at once; its task ends a moment later.
            let gone = all.by_number.remove(&longest)?;
            gone.leave.notify_one();
        }
        let (number, leave) = (all.next, Arc::new(Notify::new()));
        all.next += 1;
        all.by_number.insert(number, Client { idle: Some(Instant::now()), leave: Arc::clone(&leave) });
        Some(Place { clients: Arc::clone(self), number, leave })
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whether it waits for a request, and may have to make room.
    pub(super) fn set_idle(&self, idle: bool) {
        if let Some(client) = self.clients.lock().by_number.get_mut(&self.number) {
            client.idle = idle.then(Instant::now);
        }
    }

    /// Waits until it has to make room.
    pub(super) async fn leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clients.lock().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_idle_makes_room_and_busy_ones_stay() {
        let clients = Arc::new(Clients::default());
        let places: Vec<Place> = (0..MOST).filter_map(|_| clients.enter()).collect();
        assert_eq!(places.len(), MOST);
        places[0].set_idle(false);
        let new = clients.enter().unwrap();
        let numbers = || clients.lock().by_number.keys().copied().collect::<Vec<_>>();
        assert!(numbers().contains(&0) && !numbers().contains(&1) && numbers().contains(&new.number));
        places.iter().chain([&new]).for_each(|place| place.set_idle(false));
        assert!(clients.enter().is_none());
        drop(new);
        assert!(clients.enter().is_some());
        drop(places);
        assert!(numbers().is_empty());
    }
}
