//! MQTT: results to a broker, in topics as Frigate has them and a device as Home Assistant discovers it; commands
//! from it. docs/mqtt.md lists all topics.

mod address;
mod client;
mod commands;
mod discovery;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod known;
mod onvif;
mod packet;
mod queue;
#[cfg(any(test, fuzzing))]
mod samples;
mod shared;
mod spool;
mod teller;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use self::address::Login;
use self::client::Client;
use self::commands::Asked;
use self::discovery::Board;
use self::queue::Queue;
use self::shared::Shared;
use self::spool::Spool;
use self::teller::Teller;
use self::tls::Tls;
use super::service::Task;
use super::topics::{digits, slug};
use super::{Heard, Inventory, Obey};
use crate::config;
use crate::error::Result;
use crate::sinks::{Painter, PictureSink, Sink, Status};

pub(crate) use self::address::Address;

/// Megabytes are counted as on the labels of disks.
const MEGABYTE: u64 = 1_000_000;

/// The connection to a broker. Files are read and the spool is opened when it is made; it connects when it is
/// started.
pub(crate) struct Mqtt {
    parts: Arc<Parts>,
    client: Option<Client>,
    onvif: bool,
}

/// What commands, plans and status need.
struct Parts {
    shared: Arc<Shared>,
    board: Board,
    /// Where Home Assistant is told of this board, if it is.
    discovery: Option<String>,
    prefix: String,
    /// Entities that Home Assistant knows, by their keys.
    told: Mutex<BTreeMap<String, String>>,
}

impl Mqtt {
    /// For the broker in the settings.
    ///
    /// # Errors
    /// A file cannot be read, or the address or the spool cannot be used.
    pub(crate) fn new(settings: &config::Mqtt) -> Result<Self> {
        let address = Address::of(settings)?;
        let login = Login::of(settings)?;
        if login.password.is_some() && !address.tls && !is_local(&address.host) {
            tracing::warn!(
                "{}: the password goes over the network as it is; mqtts:// would hide it",
                address.shown
            );
        }
        let tls = if address.tls { Some(Tls::new(settings, &address)?) } else { None };
        let spool = match &settings.spool {
            Some(folder) => Spool::open(folder, settings.spool_mb * MEGABYTE)?,
            None => Spool::in_memory(),
        };
        let id = settings.id.clone().unwrap_or_else(own_id);
        let prefix = settings.prefix.clone().unwrap_or_else(|| format!("edgeclip/{id}"));
        let queue = Arc::new(Queue::new(spool));
        let board = Board {
            name: settings.name.clone().unwrap_or_else(|| format!("edgeclip {id}")),
            id,
            pictures: settings.pictures,
            commands: settings.commands,
        };
        let config = board.topic(&settings.discovery_prefix);
        let mut subscriptions = vec![config.clone(), format!("{}/status", settings.discovery_prefix)];
        if settings.commands {
            subscriptions.extend(commands::TOPICS.map(|topic| format!("{prefix}/{topic}")));
        }
        if !settings.discovery {
            subscriptions.drain(..2);
            // Of what an earlier run has told.
            queue.set(config.clone(), "");
        }
        let client = Client {
            address,
            login,
            tls,
            id: format!("edgeclip-{}", board.id),
            available: format!("{prefix}/available"),
            dropped: format!("{prefix}/dropped"),
            subscriptions,
            queue: Arc::clone(&queue),
            handle: Box::new(|_, _, _| {}),
        };
        let parts = Parts {
            shared: Arc::new(Shared::new(queue, &prefix, settings.pictures)),
            board,
            discovery: settings.discovery.then_some(config),
            prefix,
            told: Mutex::default(),
        };
        Ok(Self { parts: Arc::new(parts), client: Some(client), onvif: settings.onvif })
    }

    /// What takes reports, if no pictures are sent.
    pub(crate) fn sink(&self, painter: Painter) -> Option<Box<dyn Sink>> {
        (!self.parts.board.pictures).then(|| Box::new(self.teller(painter)) as Box<dyn Sink>)
    }

    /// What takes reports with their pictures, if those are sent.
    pub(crate) fn picture_sink(&self, painter: Painter) -> Option<Box<dyn PictureSink>> {
        self.parts.board.pictures.then(|| Box::new(self.teller(painter)) as Box<dyn PictureSink>)
    }

    fn teller(&self, painter: Painter) -> Teller {
        Teller::new("mqtt".to_owned(), Arc::clone(&self.parts.shared), self.onvif, painter)
    }

    /// What connects, and has commands done by `obey`; `None` from the second time on.
    pub(super) fn task(&mut self, obey: Obey) -> Option<Task> {
        let mut client = self.client.take()?;
        let parts = Arc::clone(&self.parts);
        client.handle =
            Box::new(move |topic, payload, retained| parts.handle(topic, payload, retained, &obey));
        Some(Box::pin(client.run()))
    }

    /// What all topics begin with.
    pub(super) fn prefix(&self) -> String {
        self.parts.prefix.clone()
    }

    /// What it may be told from other threads.
    pub(crate) fn listener(&self) -> Listener {
        Listener(Arc::clone(&self.parts))
    }

    /// Has it send what is queued, and say goodbye.
    pub(crate) fn close(&self) {
        self.parts.shared.queue.close();
    }
}

impl Drop for Mqtt {
    fn drop(&mut self) {
        self.parts.shared.queue.close();
    }
}

/// Takes what there is to tell besides reports.
#[derive(Clone)]
pub(crate) struct Listener(Arc<Parts>);

impl Listener {
    /// From now on, this is looked for.
    pub(crate) fn planned(&self, inventory: Inventory) {
        self.0.shared.plan(inventory);
        self.0.discover();
    }

    /// The state of each source.
    pub(crate) fn status(&self, all: &[Status]) {
        let known = self.0.shared.known();
        for (camera, status) in known.topics.sources.iter().zip(all) {
            let mut line = Vec::new();
            if crate::sinks::write_status(&mut line, status).is_ok() {
                self.0.shared.queue.set(known.topics.topic(&[camera, "status"]), line.trim_ascii_end());
            }
        }
        let stats = super::stats::stats(&known.topics.sources, all);
        self.0.shared.queue.set(known.topics.topic(&["stats"]), stats.to_string());
    }
}

impl Parts {
    fn handle(self: &Arc<Self>, topic: &str, payload: &[u8], retained: bool, obey: &Obey) {
        let queue = &self.shared.queue;
        if self.discovery.as_deref() == Some(topic) {
            // What an earlier run has told is taken back where it no longer holds.
            if retained {
                let earlier = discovery::entities_in(payload);
                self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(earlier);
                self.discover();
            }
            return;
        }
        let Some(rest) = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('/')) else {
            // Home Assistant has started, and knows nothing yet.
            if topic.ends_with("/status") && payload == client::ONLINE.as_bytes() {
                self.discovery.iter().for_each(|topic| queue.repeat(topic));
                queue.repeat_all(&self.prefix);
            }
            return;
        };
        let known = self.shared.known();
        match commands::parse(&known, rest, payload) {
            Ok(Asked::Loop(command)) => {
                tracing::info!("mqtt: {command:?}");
                let parts = Arc::clone(self);
                let heard: Heard = Box::new(move |done| {
                    if let Err(error) = done {
                        parts.refuse(&error.to_string());
                    }
                });
                obey(command, heard);
            }
            Ok(Asked::Pictures { source, on }) => {
                let on = self.shared.switch_pictures(source, on);
                let Some(camera) = known.topics.sources.get(source) else { return };
                let state = known.topics.topic(&[camera, "snapshots", "state"]);
                queue.set(state.clone(), if on { "ON" } else { "OFF" });
                queue.repeat(&state);
            }
            Ok(Asked::Picture { source }) => self.shared.request(source),
            Err(why) => {
                self.refuse(&format!("{rest}: {why}"));
                queue.repeat(&format!("{}/{}", self.prefix, rest.replace("/set", "/state")));
            }
        }
    }

    fn refuse(&self, why: &str) {
        tracing::warn!("mqtt: {why}");
        let known = self.shared.known();
        self.shared
            .queue
            .push(known.topics.topic(&["error"]), serde_json::json!({ "error": why }).to_string());
        // Whoever shows what was asked for shows what holds again.
        self.shared.queue.repeat_all(&known.topics.topic(&["prompts"]));
        self.shared.queue.repeat_all(&known.topics.topic(&["threshold"]));
    }

    /// Tells Home Assistant of all entities.
    fn discover(&self) {
        let Some(topic) = &self.discovery else { return };
        let known = self.shared.known();
        if known.inventory.sources.is_empty() {
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let message = self.board.message(&known, &told).to_string();
        *told = discovery::entities_in(message.as_bytes());
        self.shared.queue.set(topic.clone(), message);
    }
}

/// What tells this machine from others: made of its own id, which stays secret, else of its name.
fn own_id() -> String {
    let text = |file: &str| fs::read_to_string(file).ok().map(|text| text.trim().to_owned());
    if let Some(id) = text("/etc/machine-id").filter(|id| !id.is_empty()) {
        return digits(&format!("edgeclip {id}"));
    }
    slug(&text("/proc/sys/kernel/hostname").unwrap_or_else(|| "board".to_owned()))
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
