//! JPEG (ITU T.81, annex B): markers, where a file ends, whether it is whole.

mod annex_k;
mod cutter;
mod delimiter;
mod entropy;
mod extent;
mod gap;
mod profile;
mod walk;
mod whole;

pub(super) use cutter::{Cutter, Step};
pub(super) use extent::Extent;
pub(super) use profile::profile;
pub(super) use walk::is_frame;
pub(super) use walk::{Cut, Walk};
pub(super) use whole::whole;

/// Longest picture of a stream in bytes.
pub(super) const LONGEST: usize = 64 << 20;

/// The APP0 segment of Motion JPEG in AVI files. It makes the decoder use the Huffman tables of annex K where a
/// frame has none, as those of many cameras.
pub(super) const MOTION_JPEG: &[u8] = b"\xff\xe0\x00\x07AVI1\x00";

pub(super) const START_OF_IMAGE: u8 = 0xd8;
pub(super) const END_OF_IMAGE: u8 = 0xd9;
pub(super) const START_OF_SCAN: u8 = 0xda;

/// A marker and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    /// The byte after `ff`.
    pub code: u8,
    /// Index of its `ff`.
    pub start: usize,
    /// Index behind it and its segment; `None` if the segment's length is not there yet.
    pub end: Option<usize>,
}

/// The first marker at or after `at`. Walking from `end` to `end` skips what is inside segments: an embedded
/// thumbnail has markers of its own. Inside a scan `ff 00` is a byte of data, and any number of `ff` may
/// precede a marker.
pub(super) fn next_marker(bytes: &[u8], at: usize) -> Option<Marker> {
    let rest = bytes.get(at..)?;
    let found = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))?;
    let (code, start) = (rest[found + 1], at + found);
    let after = start + 2;
    let end = match code {
        // TEM, restart markers, start and end of the image stand alone.
        0x01 | 0xd0..=END_OF_IMAGE => Some(after),
        _ => bytes.get(after..after + 2).map(|length| {
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            after + length.max(2)
        }),
    };
    Some(Marker { code, start, end })
}

/// Whether a file with these first bytes is JPEG.
pub(super) fn is_jpeg(head: &[u8]) -> bool {
    head.starts_with(&[0xff, START_OF_IMAGE])
}

/// Whether `bytes` begin with the start of an image and its end follows a scan. The decoder fills what is
/// missing with grey and reports no error.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    if !is_jpeg(bytes) {
        return false;
    }
    let (mut at, mut scanned) = (0, false);
    while let Some(marker) = next_marker(bytes, at) {
        if marker.code == END_OF_IMAGE {
            return scanned;
        }
        scanned |= marker.code == START_OF_SCAN;
        match marker.end {
            Some(end) => at = end,
            None => return false,
        }
    }
    false
}
