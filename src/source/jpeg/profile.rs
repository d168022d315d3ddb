//! The colour profile in a JPEG file.

use super::{START_OF_SCAN, next_marker};

/// The marker of the segments that hold it.
const SEGMENT: u8 = 0xe2;
/// What these begin with; number and count follow.
const NAME: &[u8] = b"ICC_PROFILE\0";

/// The profile, put together from its numbered pieces; `None` if the file has none, or not all of it.
pub(in crate::source) fn profile(file: &[u8]) -> Option<Vec<u8>> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while let Some(marker) = next_marker(file, at).filter(|marker| marker.code != START_OF_SCAN) {
        at = marker.end?;
        if marker.code == SEGMENT
            && let Some(rest) = file.get(marker.start + 4..at).and_then(|segment| segment.strip_prefix(NAME))
            && let &[number, count, ref piece @ ..] = rest
        {
            pieces.push((number, count, piece));
        }
    }
    pieces.sort_by_key(|(number, ..)| *number);
    let count = pieces.first()?.1;
    let numbered = pieces.iter().zip(1u8..).all(|((number, ..), expected)| *number == expected);
    let complete = numbered && pieces.len() == usize::from(count);
    complete.then(|| pieces.iter().flat_map(|(.., piece)| *piece).copied().collect())
}
