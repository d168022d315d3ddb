//! What separates the parts of a stream.

use super::gap::Gap;

/// How far before the next picture its header may begin, in bytes.
const HEADER: usize = 1 << 10;

/// What precedes each part; empty if it is not known, or there is none.
#[derive(Debug, Default)]
pub(super) struct Delimiter(pub Vec<u8>);

impl Delimiter {
    /// Of parts that are separated by `boundary`.
    pub(super) fn of(boundary: &str) -> Self {
        Self(if boundary.is_empty() { Vec::new() } else { format!("--{boundary}").into_bytes() })
    }

    /// Where the next one begins, at the start of a line and alone on it but for two more dashes.
    pub(super) fn find_in(&self, held: &[u8], from: usize) -> Option<usize> {
        let Self(delimiter) = self;
        if delimiter.is_empty() {
            return None;
        }
        let mut from = from;
        loop {
            let at = find(held, delimiter, from)?;
            let before = held.get(..at).and_then(|before| before.last());
            let after = held.get(at + delimiter.len()..).unwrap_or_default();
            if before.is_none_or(|byte| *byte == b'\n')
                && matches!(after, [b'\r' | b'\n', ..] | [b'-', b'-', ..])
            {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// Where the header of the part behind a picture begins, whose boundary is not known.
pub(super) fn unknown(front: &[u8]) -> Option<usize> {
    let from = front.len().saturating_sub(HEADER);
    let found = front.get(from..)?.windows(3).rposition(|bytes| bytes == b"\n--")? + from + 1;
    let gap = Gap::of(front.get(found..)?, &[]);
    (gap.damage == 0 && gap.delimiter.is_some()).then_some(found)
}

pub(super) fn find(held: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    held.get(from..)?.windows(wanted.len()).position(|bytes| bytes == wanted).map(|at| at + from)
}
