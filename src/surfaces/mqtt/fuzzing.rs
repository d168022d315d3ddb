//! Foreign bytes through the parsers of this room, for [`crate::fuzzing`].

use super::packet::{Incoming, LONGEST, read};
use super::samples::known;
use super::{commands, discovery};
use crate::error::{Error, Result};

/// All that a broker sends on a connection.
///
/// # Errors
/// Something else than a packet comes.
pub(crate) fn broker(mut data: &[u8]) -> Result<()> {
    let known = known();
    loop {
        let read = read(data).map_err(|found| Error::input("broker", found, "packets of MQTT"))?;
        let Some((packet, length)) = read else { return Ok(()) };
        assert!((2..=LONGEST + 5).contains(&length) && length <= data.len(), "{length} of {}", data.len());
        data = data.get(length..).unwrap_or_default();
        let Incoming::Message { topic, payload, .. } = packet else { continue };
        assert!(topic.len() + payload.len() < length);
        let _ = commands::parse(&known, &topic, &payload);
        let entities = discovery::entities_in(&payload);
        let _ = discovery::Board { id: "x".to_owned(), name: String::new(), pictures: true, commands: true }
            .message(&known, &entities);
    }
}
