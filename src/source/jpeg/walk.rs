//! From the start of a JPEG file to its end.

use super::{END_OF_IMAGE, Marker, START_OF_IMAGE, START_OF_SCAN, next_marker};

const START: [u8; 2] = [0xff, START_OF_IMAGE];

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) enum Cut {
    /// The start of a frame: more bytes are needed.
    More,
    /// A whole frame of this length.
    Frame(usize),
    /// This many bytes that are not a whole frame, and why.
    Garbage(usize, &'static str),
}

/// A walk over the markers from the start of an image to its end. It resumes where it stopped when more bytes
/// have been appended.
#[derive(Default)]
pub(in crate::source) struct Walk {
    at: usize,
    framed: bool,
    scanned: bool,
}

impl Walk {
    pub(crate) fn on(&mut self, bytes: &[u8]) -> Cut {
        if bytes.len() < START.len() {
            return Cut::More;
        }
        if !bytes.starts_with(&START) {
            let start = bytes.windows(2).position(|pair| pair == START);
            // The last byte may be the first half of a marker.
            return Cut::Garbage(start.unwrap_or(bytes.len() - 1), "bytes that are not JPEG");
        }
        self.at = self.at.max(START.len());
        while let Some(Marker { code, start, end }) = next_marker(bytes, self.at) {
            match code {
                END_OF_IMAGE if self.scanned => return Cut::Frame(start + 2),
                // The end of one frame and the start of the next are lost.
                _ if self.framed && is_frame(code) => return Cut::Garbage(start, "two frames in one"),
                START_OF_IMAGE | END_OF_IMAGE => {
                    return Cut::Garbage(start, "no end before the next start");
                }
                _ => {}
            }
            let Some(end) = end else { return Cut::More };
            self.framed |= is_frame(code);
            self.scanned |= code == START_OF_SCAN;
            self.at = end;
        }
        // The last byte may be the first half of a marker.
        self.at = self.at.max(bytes.len() - 1);
        Cut::More
    }
}

/// Whether a marker starts a frame, of which a file has one: SOF₀ to SOF₁₅ without DHT, JPG and DAC.
pub(in crate::source) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
