//! A broker with one topic tree and just enough of MQTT 3.1.1 for these tests. It reads packets by itself, so that it
//! does not share a fault with what it tests.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// No test waits longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Something that a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Connect {
        client: String,
        user: Option<String>,
        password: Option<Vec<u8>>,
        will: (String, Vec<u8>),
    },
    Subscribe(Vec<String>),
    Publish {
        topic: String,
        payload: String,
        retain: bool,
        again: bool,
    },
    Disconnect,
    /// Without a farewell.
    Gone,
}

/// How it behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// The code by which a client is refused.
    pub refuses: Option<u8>,
    /// Hangs up before the answer to this many messages.
    pub answers: Option<usize>,
}

pub(crate) struct Broker {
    pub port: u16,
    seen: Receiver<Seen>,
    clients: Arc<Mutex<Vec<TcpStream>>>,
    manner: Arc<Mutex<Manner>>,
    retained: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, seen) = channel();
        let (clients, manner, retained) =
            (Arc::<Mutex<Vec<TcpStream>>>::default(), Arc::<Mutex<Manner>>::default(), Arc::default());
        let broker = Self {
            port,
            seen,
            clients: Arc::clone(&clients),
            manner: Arc::clone(&manner),
            retained: Arc::clone(&retained),
        };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                clients.lock().unwrap().push(stream.try_clone().unwrap());
                let (sender, manner, retained) = (sender.clone(), Arc::clone(&manner), Arc::clone(&retained));
                thread::spawn(move || serve(stream, &sender, &manner, &retained));
            }
        });
        broker
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Breaks all connections.
    pub(crate) fn hang_up(&self) {
        for client in self.clients.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// Keeps a value, as if somebody had published it earlier.
    pub(crate) fn keep(&self, topic: &str, payload: &str) {
        self.retained.lock().unwrap().insert(topic.to_owned(), payload.into());
    }

    /// Publishes to the clients that are there.
    pub(crate) fn publish(&self, topic: &str, payload: &str) {
        for mut client in self.clients.lock().unwrap().iter() {
            let _ = client.write_all(&publish(topic, payload.as_bytes(), false, Some(77)));
        }
    }

    /// What the next client does that `wanted` takes for what it waits for.
    pub(crate) fn wait<T>(&self, mut wanted: impl FnMut(&Seen) -> Option<T>) -> T {
        let (mut others, until) = (Vec::new(), Instant::now() + LONGEST);
        loop {
            match self.seen.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(seen) => match wanted(&seen) {
                    Some(found) => return found,
                    None => others.push(seen),
                },
                Err(_) => panic!("not seen; but {others:#?}"),
            }
        }
    }

    /// The next value of a topic.
    pub(crate) fn value(&self, wanted: &str) -> String {
        self.wait(|seen| match seen {
            Seen::Publish { topic, payload, .. } if topic == wanted => Some(payload.clone()),
            _ => None,
        })
    }

    /// Waits until a topic has this value.
    pub(crate) fn until(&self, wanted: &str, value: &str) {
        self.wait(|seen| match seen {
            Seen::Publish { topic, payload, .. } => (topic == wanted && payload == value).then_some(()),
            _ => None,
        });
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.hang_up();
    }
}

fn publish(topic: &str, payload: &[u8], retain: bool, id: Option<u16>) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    body.extend(id.into_iter().flat_map(u16::to_be_bytes));
    body.extend(payload);
    let first = 0x30 | u8::from(retain) | if id.is_some() { 2 } else { 0 };
    let mut packet = vec![first];
    let mut left = body.len();
    while left >= 128 {
        packet.push((left % 128) as u8 | 128);
        left /= 128;
    }
    packet.push(left as u8);
    packet.extend(body);
    packet
}

/// First byte and body of the next packet.
fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    let mut read = |stream: &mut TcpStream| stream.read_exact(&mut byte).ok().map(|()| byte[0]);
    let first = read(stream)?;
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = read(stream)?;
        length |= usize::from(byte & 127) << shift;
        shift += 7;
        if byte < 128 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first, body))
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take(&mut self, count: usize) -> Vec<u8> {
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head.to_vec()
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.number();
        self.take(usize::from(length))
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}

fn matches(filter: &str, topic: &str) -> bool {
    let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    filter.len() == topic.len()
        && filter.iter().zip(topic).all(|(level, other)| *level == "+" || *level == other)
}

fn serve(
    mut stream: TcpStream,
    seen: &Sender<Seen>,
    manner: &Mutex<Manner>,
    retained: &Mutex<BTreeMap<String, Vec<u8>>>,
) {
    while let Some((first, body)) = packet(&mut stream) {
        let mut fields = Fields(&body);
        match first >> 4 {
            1 => {
                assert_eq!((fields.text().as_str(), fields.take(1)[0]), ("MQTT", 4));
                let flags = fields.take(1)[0];
                assert!(flags & 0x02 != 0 && flags & 0x2c == 0x2c, "{flags:#x}");
                let _alive = fields.number();
                let client = fields.text();
                let will = (fields.text(), fields.bytes());
                let user = (flags & 0x80 != 0).then(|| fields.text());
                let password = (flags & 0x40 != 0).then(|| fields.bytes());
                assert!(fields.0.is_empty());
                let _ = seen.send(Seen::Connect { client, user, password, will });
                let code = manner.lock().unwrap().refuses.unwrap_or(0);
                let _ = stream.write_all(&[0x20, 2, 0, code]);
            }
            3 => {
                let topic = fields.text();
                let id = (first & 6 != 0).then(|| fields.number());
                let payload = String::from_utf8_lossy(fields.0).into_owned();
                let (retain, again) = (first & 1 != 0, first & 8 != 0);
                let hangs_up = match &mut manner.lock().unwrap().answers {
                    Some(0) => true,
                    Some(left) => {
                        *left -= 1;
                        false
                    }
                    None => false,
                };
                let _ = seen.send(Seen::Publish { topic: topic.clone(), payload, retain, again });
                if hangs_up {
                    let _ = stream.shutdown(Shutdown::Both);
                    break;
                }
                if retain {
                    retained.lock().unwrap().insert(topic, fields.0.to_vec());
                }
                if let Some(id) = id {
                    let [high, low] = id.to_be_bytes();
                    let _ = stream.write_all(&[0x40, 2, high, low]);
                }
            }
            8 => {
                let id = fields.number();
                let mut topics = Vec::new();
                while !fields.0.is_empty() {
                    topics.push(fields.text());
                    assert_eq!(fields.take(1), [1]);
                }
                let [high, low] = id.to_be_bytes();
                let mut answer = vec![0x90, 2 + topics.len() as u8, high, low];
                answer.extend(topics.iter().map(|_| 1));
                let _ = stream.write_all(&answer);
                for (topic, payload) in retained.lock().unwrap().iter() {
                    if !payload.is_empty() && topics.iter().any(|filter| matches(filter, topic)) {
                        let _ = stream.write_all(&publish(topic, payload, true, Some(78)));
                    }
                }
                let _ = seen.send(Seen::Subscribe(topics));
            }
            4 => {}
            12 => drop(stream.write_all(&[0xd0, 0])),
            14 => {
                let _ = seen.send(Seen::Disconnect);
                return;
            }
            other => panic!("packet {other}"),
        }
    }
    let _ = seen.send(Seen::Gone);
}
