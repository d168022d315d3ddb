//! The connection to the broker: connects again when it is gone, publishes what is queued, hands over what comes.

mod faults;
mod talk;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use self::faults::Faults;
use self::talk::Talk;
use super::address::{Address, Login};
use super::queue::Queue;
use super::tls::Tls;

/// The first pause before connecting again; each is twice as long as the one before.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// How long the broker may take at the end for what is left.
const FAREWELL: Duration = Duration::from_secs(1);

/// Values of the topic that says whether this board is there.
pub(in crate::surfaces::mqtt) const ONLINE: &str = "online";

/// What is done with a message: its topic, its payload, and whether the broker had kept it.
pub(in crate::surfaces::mqtt) type Handle = Box<dyn Fn(&str, &[u8], bool) + Send + Sync>;

/// One board at one broker.
pub(in crate::surfaces::mqtt) struct Client {
    pub address: Address,
    pub login: Login,
    pub tls: Option<Tls>,
    pub id: String,
    /// The topic that says whether this board is there.
    pub available: String,
    /// Where it is told how many events were dropped.
    pub dropped: String,
    pub subscriptions: Vec<String>,
    pub queue: Arc<Queue>,
    pub handle: Handle,
}

/// How a connection ended.
enum End {
    /// There is nothing more to say.
    Stopped,
    /// It could not be made, or is gone: why.
    Failed(String),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Client {
    /// Publishes until the queue is closed and empty.
    pub(in crate::surfaces::mqtt) async fn run(self) {
        let mut faults = Faults::default();
        let mut pause = FIRST;
        loop {
            let mut talk = Talk::new(&self);
            let end = talk.connect().await;
            let Talk { on_way, stands, .. } = talk;
            self.queue.disconnected(on_way.into_iter().filter_map(|(_, event)| event).collect());
            match end {
                End::Stopped => return,
                End::Failed(why) => faults.tell(&self.address.shown, &why, stands),
            }
            if self.queue.closed().is_some() {
                return;
            }
            if stands {
                pause = FIRST;
            }
            self.rest(pause).await;
            pause = (2 * pause).min(LONGEST);
        }
    }

    /// Waits, but not if there is nothing more to come.
    async fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while self.queue.closed().is_none() && timeout_at(until, self.queue.changed()).await.is_ok() {}
    }

    /// When it is time to go: a moment after the last thing was queued.
    async fn time_to_go(&self) {
        let closed = loop {
            match self.queue.closed() {
                Some(closed) => break closed,
                None => self.queue.changed().await,
            }
        };
        sleep_until(closed + FAREWELL).await;
    }
}
