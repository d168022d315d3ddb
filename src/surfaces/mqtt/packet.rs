//! Packets of MQTT 3.1.1 that a client needs which publishes at least once (QoS 1) and takes commands: written and
//! read without any input or output.
//!
//! `rumqttc` has packets, too, but not apart from its own connection, which takes no stream of ours (its TLS brings
//! a release of `rustls-webpki` with known faults), and whose queue cannot be kept on a disk.

/// Longest packet that is read: commands are short.
pub(super) const LONGEST: usize = 64 * 1024;

/// Kinds of packets: the upper half of the first byte.
const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBACK: u8 = 9;
const PINGRESP: u8 = 13;

/// How a client introduces itself.
#[derive(Debug)]
pub(super) struct Connect<'a> {
    pub client: &'a str,
    /// Seconds after which the broker gives up on a client that is silent.
    pub keep_alive: u16,
    pub user: Option<&'a str>,
    pub password: Option<&'a [u8]>,
    /// Topic and payload that the broker publishes, retained, if the connection is lost.
    pub will: (&'a str, &'a [u8]),
}

/// What is published.
#[derive(Debug, Clone, Copy)]
pub(super) struct Publish<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// With one, the broker says that it has taken the message.
    pub id: Option<u16>,
    /// Whether the broker keeps it for those who subscribe later.
    pub retain: bool,
    /// Whether the broker may have it already.
    pub again: bool,
}

/// What a broker sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// The connection stands if the code is 0.
    Connected(u8),
    /// It has taken the message with this id.
    Taken(u16),
    /// How many of the subscriptions it refuses.
    Subscribed { refused: usize },
    /// Somebody has published this; with an id, the broker wants to know that it has arrived.
    Message { topic: String, payload: Vec<u8>, id: Option<u16>, retained: bool },
    /// The answer to [`ping`].
    Pong,
}

impl Connect<'_> {
    /// Appends the packet. The session is a new one: what has not been taken is sent again from here.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        const CLEAN: u8 = 0x02;
        const WILL: u8 = 0x04 | 0x08 | 0x20; // at least once, retained
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = CLEAN | WILL | flag(self.user.is_some(), 0x80) | flag(self.password.is_some(), 0x40);
        let mut body = Vec::new();
        string(&mut body, b"MQTT");
        body.extend([4, flags]);
        body.extend(self.keep_alive.to_be_bytes());
        for text in [self.client.as_bytes(), self.will.0.as_bytes(), self.will.1] {
            string(&mut body, text);
        }
        for text in [self.user.map(str::as_bytes), self.password].into_iter().flatten() {
            string(&mut body, text);
        }
        packet(out, 0x10, &[&body]);
    }
}

impl Publish<'_> {
    /// Appends the packet.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let first = (PUBLISH << 4) | flag(self.again, 8) | flag(self.id.is_some(), 2) | flag(self.retain, 1);
        let mut head = Vec::with_capacity(self.topic.len() + 4);
        string(&mut head, self.topic.as_bytes());
        head.extend(self.id.into_iter().flat_map(u16::to_be_bytes));
        packet(out, first, &[&head, self.payload]);
    }
}

/// Appends a subscription to these topics, to be delivered at least once.
pub(super) fn subscribe(out: &mut Vec<u8>, id: u16, topics: &[String]) {
    let mut body = id.to_be_bytes().to_vec();
    for topic in topics {
        string(&mut body, topic.as_bytes());
        body.push(1);
    }
    packet(out, 0x82, &[&body]);
}

/// Appends the answer to a message with this id.
pub(super) fn taken(out: &mut Vec<u8>, id: u16) {
    packet(out, PUBACK << 4, &[&id.to_be_bytes()]);
}

/// Appends a sign of life.
pub(super) fn ping(out: &mut Vec<u8>) {
    packet(out, 0xc0, &[]);
}

/// Appends a farewell, after which the broker does not publish the will.
pub(super) fn disconnect(out: &mut Vec<u8>) {
    packet(out, 0xe0, &[]);
}

fn packet(out: &mut Vec<u8>, first: u8, parts: &[&[u8]]) {
    out.push(first);
    let mut left = parts.iter().map(|part| part.len()).sum::<usize>();
    loop {
        let more = if left >= 0x80 { 0x80 } else { 0 };
        out.push((left % 0x80) as u8 | more);
        left /= 0x80;
        if left == 0 {
            break;
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// A string with its length. What is longer than the format allows is cut.
fn string(out: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend_from_slice(text.get(..usize::from(length)).unwrap_or(text));
}

/// Reads the first packet in `bytes`, and how many bytes it has; `None` if it is not there as a whole.
///
/// # Errors
/// It is no packet that a broker may send to such a client: there is no use in reading on.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Incoming, usize)>, String> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    let mut length = 0;
    let mut head = 1;
    for (place, byte) in rest.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        head += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let unfinished = rest.iter().take(4).all(|byte| byte & 0x80 != 0);
    if unfinished {
        return if rest.len() >= 4 { Err("a packet of impossible length".to_owned()) } else { Ok(None) };
    }
    if length > LONGEST {
        return Err(format!("a packet of {length} bytes"));
    }
    let Some(body) = bytes.get(head..head + length) else { return Ok(None) };
    let broken = || format!("a broken packet ({first:#04x}, {length} bytes)");
    let id = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let packet = match first >> 4 {
        CONNACK => Incoming::Connected(*body.get(1).ok_or_else(broken)?),
        PUBACK => Incoming::Taken(id(0).ok_or_else(broken)?),
        SUBACK => {
            let codes = body.get(2..).ok_or_else(broken)?;
            Incoming::Subscribed { refused: codes.iter().filter(|code| **code >= 0x80).count() }
        }
        PINGRESP => Incoming::Pong,
        PUBLISH => message(*first, body).ok_or_else(broken)?,
        _ => return Err(format!("a packet that no broker sends here ({first:#04x})")),
    };
    Ok(Some((packet, head + length)))
}

fn message(first: u8, body: &[u8]) -> Option<Incoming> {
    let length = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let topic = std::str::from_utf8(body.get(2..2 + length)?).ok()?.to_owned();
    let rest = body.get(2 + length..)?;
    let (id, payload) = match (first >> 1) & 3 {
        0 => (None, rest),
        1 => {
            let (id, payload) = rest.split_at_checked(2)?;
            (Some(u16::from_be_bytes([*id.first()?, *id.get(1)?])), payload)
        }
        _ => return None,
    };
    Some(Incoming::Message { topic, payload: payload.to_vec(), id, retained: first & 1 != 0 })
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
