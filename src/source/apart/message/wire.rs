//! Messages on a socket: a length of four bytes and JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest message; pixels go another way.
const LONGEST: usize = 64 << 10;

/// Sends a message in one piece.
///
/// # Errors
/// Nobody is there.
pub(in crate::source::apart) fn send(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes.splice(..4, length.to_le_bytes());
    to.write_all(&bytes)
}

/// Waits for the first message, and reads nothing behind it: that is for others.
///
/// # Errors
/// Nobody is there, or sends anything else.
pub(in crate::source::apart) fn receive_first<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    from.read_exact(&mut message)?;
    Ok(serde_json::from_slice(&message)?)
}

/// Messages as they arrive.
#[derive(Debug, Default)]
pub(in crate::source::apart) struct Inbox {
    held: Vec<u8>,
}

impl Inbox {
    /// The next message; `None` if it is not there within the time limit of `from`.
    ///
    /// # Errors
    /// Nobody is there, or sends anything else.
    pub(in crate::source::apart) fn receive<T: DeserializeOwned>(
        &mut self,
        from: &mut impl Read,
    ) -> io::Result<Option<T>> {
        loop {
            if let Some(head) = self.held.first_chunk::<4>() {
                let length = u32::from_le_bytes(*head) as usize;
                if length > LONGEST {
                    return Err(ErrorKind::InvalidData.into());
                }
                if let Some(message) = self.held.get(4..4 + length) {
                    let message = serde_json::from_slice(message)?;
                    self.held.drain(..4 + length);
                    return Ok(Some(message));
                }
            }
            let mut piece = [0; 4096];
            match from.read(&mut piece) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.held.extend(piece.iter().take(count)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, Job, Order};
    use super::*;

    #[test]
    fn messages_arrive_whole_however_they_are_cut() {
        let mut bytes = Vec::new();
        send(&mut bytes, &Answer::Broken("torn".to_owned())).unwrap();
        send(&mut bytes, &Answer::Nothing).unwrap();
        let mut inbox = Inbox::default();
        let mut seen = Vec::new();
        for byte in bytes {
            let mut one = io::Cursor::new([byte]);
            match inbox.receive::<Answer>(&mut one) {
                Ok(answer) => seen.push(format!("{:?}", answer.unwrap())),
                Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
            }
        }
        assert_eq!(seen, ["Broken(\"torn\")", "Nothing"]);
        let job = Job::Pictures { of: "cam".to_owned() };
        let order = Order { job, megabytes: 7, setting: "decoder_mb".to_owned(), picture_mb: 5 };
        let mut bytes = Vec::new();
        send(&mut bytes, &order).unwrap();
        bytes.push(b'n');
        let mut rest = &bytes[..];
        assert_eq!(receive_first::<Order>(&mut rest).unwrap(), order);
        assert_eq!(rest, b"n");
        let endless = [255, 255, 255, 255];
        let error = Inbox::default().receive::<Answer>(&mut &endless[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(receive_first::<Order>(&mut &endless[..]).is_err());
    }
}
