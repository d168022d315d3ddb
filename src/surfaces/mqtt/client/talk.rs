//! One connection to the broker.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval_at, sleep_until, timeout};

use super::super::address::Address;
use super::super::packet::{self, Connect, Incoming, Publish};
use super::super::queue::Outgoing;
use super::super::spool::Message;
use super::{Client, End, FAREWELL, ONLINE};

/// How long a broker may take for an answer, or to take what is sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the client shows that it is there.
const ALIVE: Duration = Duration::from_secs(20);
/// Most messages on their way.
const WINDOW: usize = 32;
/// So many bytes are gathered before they are written.
const GATHERED: usize = 64 * 1024;

/// Values of the topic that says whether this board is there.
const OFFLINE: &[u8] = b"offline";
const STOPPED: &[u8] = b"stopped";

/// One connection.
pub(super) struct Talk<'a> {
    client: &'a Client,
    /// Ids of messages that the broker has not taken yet, and those of them that have to be kept.
    pub on_way: VecDeque<(u16, Option<Message>)>,
    next: u16,
    out: Vec<u8>,
    /// Whether the broker has let it in.
    pub stands: bool,
}

impl<'a> Talk<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client, on_way: VecDeque::new(), next: 0, out: Vec::new(), stands: false }
    }

    pub(super) async fn connect(&mut self) -> End {
        let Address { host, port, .. } = &self.client.address;
        let reached = async {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            match &self.client.tls {
                None => Ok((Some(stream), None)),
                Some(tls) => tls.connect(stream).await.map(|stream| (None, Some(stream))),
            }
        };
        let reached = tokio::select! {
            reached = timeout(PATIENCE, reached) => reached,
            () = self.client.time_to_go() => return End::Stopped,
        };
        let talked = match reached {
            Err(_) => return End::Failed(format!("no answer within {} s", PATIENCE.as_secs())),
            Ok(Err(error)) => return error.into(),
            Ok(Ok((Some(plain), _))) => self.talk(plain).await,
            Ok(Ok((None, Some(tls)))) => self.talk(tls).await,
            Ok(Ok((None, None))) => return End::Stopped,
        };
        talked.map_or_else(|end| end, |()| End::Stopped)
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&mut self, mut stream: S) -> Result<(), End> {
        let client = self.client;
        let hello = Connect {
            client: &client.id,
            keep_alive: 3 * ALIVE.as_secs() as u16,
            user: client.login.user.as_deref(),
            password: client.login.password.as_deref(),
            will: (&client.available, OFFLINE),
        };
        hello.write(&mut self.out);
        self.send(&mut stream).await?;
        let mut buffer = Vec::new();
        match timeout(PATIENCE, receive(&mut stream, &mut buffer)).await {
            Err(_) => return Err(End::Failed("no answer to the greeting".to_owned())),
            Ok(received) => received?,
        }
        match self.take(&mut buffer)? {
            Some(Incoming::Connected(0)) => {}
            Some(Incoming::Connected(code)) => return Err(End::Failed(refusal(code).to_owned())),
            _ => return Err(End::Failed("another answer than that of an MQTT broker".to_owned())),
        }
        self.stands = true;
        tracing::info!("{}: connected", client.address.shown);
        if !client.subscriptions.is_empty() {
            let id = self.id();
            packet::subscribe(&mut self.out, id, &client.subscriptions);
        }
        client.queue.set(client.available.clone(), ONLINE);
        client.queue.connected();
        let mut alive = interval_at(Instant::now() + ALIVE, ALIVE);
        let mut answered = true;
        loop {
            while let Some(incoming) = self.take(&mut buffer)? {
                answered = true;
                self.obey(incoming);
            }
            self.gather();
            self.send(&mut stream).await?;
            let until = client.queue.closed().map(|closed| closed + FAREWELL);
            if until.is_some() && self.on_way.is_empty() {
                let id = None;
                let (topic, payload) = (client.available.as_str(), STOPPED);
                Publish { topic, payload, id, retain: true, again: false }.write(&mut self.out);
                packet::disconnect(&mut self.out);
                return self.send(&mut stream).await;
            }
            tokio::select! {
                received = receive(&mut stream, &mut buffer) => received?,
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    return Err(End::Failed("has not taken everything in the end".to_owned()));
                }
                () = client.queue.changed(), if self.on_way.len() < WINDOW => {}
                _ = alive.tick() => {
                    if !answered {
                        return Err(End::Failed(format!("silent for {} s", ALIVE.as_secs())));
                    }
                    answered = false;
                    packet::ping(&mut self.out);
                }
            }
        }
    }

    /// The next packet in `buffer`, if it is there as a whole.
    fn take(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Incoming>, End> {
        let found = packet::read(buffer).map_err(End::Failed)?;
        Ok(found.map(|(incoming, length)| {
            buffer.drain(..length);
            incoming
        }))
    }

    fn obey(&mut self, incoming: Incoming) {
        let client = self.client;
        match incoming {
            Incoming::Taken(id) => {
                if let Some(at) = self.on_way.iter().position(|(other, _)| *other == id)
                    && let Some((_, Some(event))) = self.on_way.remove(at)
                {
                    client.queue.taken(event.number);
                }
            }
            Incoming::Subscribed { refused } if refused > 0 => {
                let shown = &client.address.shown;
                tracing::warn!(
                    "{shown}: found {refused} topics that may not be read, expected commands to be allowed (mqtt.commands = false does without)"
                );
            }
            Incoming::Message { topic, payload, id, retained } => {
                if let Some(id) = id {
                    packet::taken(&mut self.out, id);
                }
                (client.handle)(&topic, &payload, retained);
            }
            Incoming::Connected(_) | Incoming::Subscribed { .. } | Incoming::Pong => {}
        }
    }

    /// Takes from the queue as much as may be on its way at once.
    fn gather(&mut self) {
        let queue = Arc::clone(&self.client.queue);
        let lost = queue.lost();
        if lost > 0 {
            tracing::warn!("{}: {lost} events dropped while it was away", self.client.address.shown);
            queue.push(self.client.dropped.clone(), format!("{{\"events\":{lost}}}"));
        }
        while self.on_way.len() < WINDOW && self.out.len() < GATHERED {
            let Some(outgoing) = queue.next() else { break };
            match outgoing {
                Outgoing::State { topic, payload } => self.publish(&topic, &payload, true, None),
                Outgoing::Event(event) => {
                    let (topic, payload) = (event.topic.clone(), event.payload.clone());
                    self.publish(&topic, payload.as_bytes(), false, Some(event));
                }
                Outgoing::Picture { topic, payload } => {
                    Publish { topic: &topic, payload: &payload, id: None, retain: true, again: false }
                        .write(&mut self.out);
                }
            }
        }
    }

    fn publish(&mut self, topic: &str, payload: &[u8], retain: bool, event: Option<Message>) {
        let id = self.id();
        let again = event.as_ref().is_some_and(|event| event.again);
        Publish { topic, payload, id: Some(id), retain, again }.write(&mut self.out);
        self.on_way.push_back((id, event));
    }

    /// An id that is on no message on its way.
    fn id(&mut self) -> u16 {
        loop {
            self.next = self.next.checked_add(1).unwrap_or(1);
            if self.on_way.iter().all(|(id, _)| *id != self.next) {
                return self.next;
            }
        }
    }

    async fn send<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = async {
            stream.write_all(&self.out).await?;
            stream.flush().await
        };
        match timeout(PATIENCE, written).await {
            Err(_) => return Err(End::Failed(format!("has taken nothing for {} s", PATIENCE.as_secs()))),
            Ok(written) => written?,
        }
        self.out.clear();
        Ok(())
    }
}

/// Appends what has arrived.
async fn receive<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the broker has closed the connection")),
        _ => Ok(()),
    }
}

fn refusal(code: u8) -> &'static str {
    match code {
        1 => "refuses MQTT 3.1.1",
        2 => "refuses this client's id",
        3 => "is not available",
        4 => "refuses user or password",
        5 => "does not let this client in: user, password or certificate",
        _ => "refuses the connection",
    }
}
