//! Cuts a stream of JPEG pictures, with or without the boundaries and headers of parts, into its pictures. The
//! markers decide; boundaries and lengths, which are often wrong, help where markers are missing.

use super::delimiter::{Delimiter, find, unknown};
use super::gap::Gap;
use super::{Cut, LONGEST, START_OF_IMAGE, Walk, next_marker, whole};

/// First bytes of a picture: the start of an image, and of the next marker.
const START: [u8; 3] = [0xff, START_OF_IMAGE, 0xff];
/// Longest gap that is kept to be understood, in bytes.
const LONGEST_GAP: usize = 16 << 10;

/// What to do with the first bytes of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) enum Step {
    /// Drop this many and call again with more.
    More(usize),
    /// A whole picture of this length.
    Picture(usize),
    /// The first so many bytes are a picture once its end marker is put behind it. What it becomes, and how many
    /// bytes it took.
    Repaired(Vec<u8>, usize),
    /// Drop this many: why.
    Broken(usize, String),
    /// The stream has ended.
    End,
}

/// Where the pictures of a stream begin and end. Keeps no bytes itself.
#[derive(Default)]
pub(in crate::source) struct Cutter {
    /// What precedes each part, once known.
    delimiter: Delimiter,
    /// How far the picture at the front has been walked; `None` between pictures.
    walk: Option<Walk>,
    /// Bytes of the picture at the front in which no delimiter lies.
    searched: usize,
    /// Length of the picture at the front, as its header states it; 0 if unknown.
    length: usize,
    /// So many bytes behind the last picture belonged to its part.
    rest: usize,
    /// Bytes in front in which no picture begins.
    passed: usize,
    /// Damage has been told since the last picture, or none has come yet.
    lost: bool,
}

impl Cutter {
    /// A stream whose parts are separated by `boundary`, or have none if it is empty.
    pub(crate) fn new(boundary: &str) -> Self {
        Self { delimiter: Delimiter::of(boundary), ..Self::default() }
    }

    /// The same for a stream of parts that may begin in the middle of one.
    #[cfg(any(feature = "http", test))]
    pub(crate) fn joining(boundary: &str) -> Self {
        Self { lost: true, ..Self::new(boundary) }
    }

    /// Looks at the bytes in front, which all have to stay until the step says what becomes of them; `end` if no
    /// more will follow.
    pub(crate) fn step(&mut self, held: &[u8], end: bool) -> Step {
        match &mut self.walk {
            Some(_) => self.inside(held, end),
            None => self.between(held, end),
        }
    }

    fn between(&mut self, held: &[u8], end: bool) -> Step {
        if held.is_empty() {
            return if end { Step::End } else { Step::More(0) };
        }
        if self.rest > 0 {
            return self.skip_rest(held, end);
        }
        let from = self.passed.saturating_sub(START.len() + self.delimiter.0.len());
        let start = find(held, &START, from);
        // The boundary behind a part without a picture.
        let next =
            self.delimiter.find_in(held.get(..start.unwrap_or(held.len())).unwrap_or_default(), from.max(1));
        if let Some(next) = next {
            let gap = self.gap(held, next);
            self.passed = 0;
            return self.damaged(&gap, next, next);
        }
        let Some(start) = start else {
            self.passed = held.len();
            if !end && held.len() < LONGEST_GAP {
                return Step::More(0);
            }
            // The last bytes may be half a marker or boundary.
            let keep = if end { 0 } else { START.len() + self.delimiter.0.len() };
            let drop = held.len().saturating_sub(keep);
            let gap = self.gap(held, drop);
            self.passed = 0;
            return self.damaged(&gap, drop, drop);
        };
        self.passed = 0;
        let gap = self.gap(held, start);
        if self.delimiter.find_in(held.get(..start).unwrap_or_default(), 0).is_none()
            && let Some(delimiter) = &gap.delimiter
        {
            // The boundary that the header announced is not the one in use.
            self.delimiter = Delimiter(delimiter.clone());
        }
        if gap.damage > 0 && !self.lost {
            return self.damaged(&gap, start, 0);
        }
        self.length = gap.length.unwrap_or_default();
        self.walk = Some(Walk::default());
        self.searched = 0;
        if start > 0 { Step::More(start) } else { self.inside(held, end) }
    }

    /// What the first `length` bytes hold.
    fn gap(&self, held: &[u8], length: usize) -> Gap {
        Gap::of(held.get(..length).unwrap_or_default(), &self.delimiter.0)
    }

    /// Drops `dropped` bytes; the damage that a gap holds is told once, without its header, which may be needed.
    fn damaged(&mut self, gap: &Gap, dropped: usize, without_header: usize) -> Step {
        if gap.damage == 0 || self.lost && gap.delimiter.is_none() {
            return Step::More(dropped);
        }
        self.lost = true;
        let what = match gap.delimiter {
            Some(_) => format!("{} that are not JPEG", super::super::container::bytes(gap.damage)),
            None => "bytes that are not JPEG".to_owned(),
        };
        Step::Broken(without_header, what)
    }

    /// What a part holds besides its picture is none of the next picture, unless the stated length was wrong.
    fn skip_rest(&mut self, held: &[u8], end: bool) -> Step {
        let rest = held.get(..self.rest).unwrap_or(held);
        if let Some(next) = self.delimiter.find_in(held, 0).filter(|next| *next < rest.len()) {
            self.rest = 0;
            return Step::More(next);
        }
        // A boundary may begin in the last bytes.
        let keep = if end || rest.len() < held.len() { 0 } else { self.delimiter.0.len() + 3 };
        let drop = rest.len().saturating_sub(keep);
        self.rest -= drop;
        Step::More(drop)
    }

    fn inside(&mut self, held: &[u8], end: bool) -> Step {
        let Some(walk) = &mut self.walk else { return Step::More(0) };
        match walk.on(held) {
            Cut::Frame(length) => {
                // A segment's length may have led beyond the part.
                if let Some(cut) = self.boundary(held.get(..length).unwrap_or_default(), held, end) {
                    return self.cut_before(held, cut);
                }
                self.rest = if self.length <= LONGEST { self.length.saturating_sub(length) } else { 0 };
                self.finish(false);
                return Step::Picture(length);
            }
            Cut::Garbage(length, why) => {
                let front = held.get(..length).unwrap_or_default();
                let cut = self.boundary(front, held, end).or_else(|| unknown(front).map(Boundary::At));
                return match cut {
                    Some(cut) => self.cut_before(held, cut),
                    None => self.cut_at(held, length, why),
                };
            }
            Cut::More => {}
        }
        if let Some(cut) = self.boundary(held, held, end) {
            return self.cut_before(held, cut);
        }
        self.searched = held.len().saturating_sub(self.delimiter.0.len() + 3);
        if end {
            let cut = unknown(held).unwrap_or(held.len());
            return self.cut_at(held, cut, "cut short by the end of the input");
        }
        if held.len() > LONGEST {
            self.finish(true);
            return Step::Broken(held.len(), format!("a picture of more than {LONGEST} bytes"));
        }
        Step::More(0)
    }

    /// The first delimiter in `front`, the first bytes of `held`, that is none of a segment's contents.
    fn boundary(&mut self, front: &[u8], held: &[u8], end: bool) -> Option<Boundary> {
        while let Some(at) = self.delimiter.find_in(front, self.searched) {
            match segment_of(held, at) {
                // It ends where the next one begins: its length is right, and a comment may say anything.
                Some(segment) if held.get(segment).is_some_and(|byte| *byte == 0xff) => {
                    self.searched = at + 1
                }
                Some(segment) if held.len() <= segment && !end => return Some(Boundary::Open),
                _ => return Some(Boundary::At(at)),
            }
        }
        None
    }

    fn cut_before(&mut self, held: &[u8], boundary: Boundary) -> Step {
        match boundary {
            Boundary::At(cut) => self.cut_at(held, cut, CUT_SHORT),
            Boundary::Open => Step::More(0),
        }
    }

    /// The picture at the front ends here without an end marker.
    fn cut_at(&mut self, held: &[u8], cut: usize, why: &str) -> Step {
        let body = held.get(..cut).unwrap_or_default();
        let repaired = whole(body).map(std::borrow::Cow::into_owned);
        self.finish(repaired.is_none());
        match repaired {
            Some(picture) => Step::Repaired(picture, cut),
            None => Step::Broken(cut, why.to_owned()),
        }
    }

    fn finish(&mut self, lost: bool) {
        (self.walk, self.length, self.lost) = (None, 0, lost);
    }
}

/// What looks like the boundary behind a picture.
enum Boundary {
    /// It is here.
    At(usize),
    /// It may be the contents of a segment whose end is not there yet.
    Open,
}

/// Where the segment ends, as its length says, in which a byte of a JPEG file lies; `None` if it lies in none.
fn segment_of(file: &[u8], byte: usize) -> Option<usize> {
    let mut at = 2;
    while let Some(marker) = next_marker(file, at).filter(|marker| marker.start < byte) {
        at = marker.end?;
        if at > byte {
            return Some(at);
        }
    }
    None
}

/// Why a picture is refused that ends in its scan.
const CUT_SHORT: &str = "a picture cut short (no end-of-image marker)";

#[cfg(test)]
#[path = "cutter_tests.rs"]
mod tests;
