//! How many rows a JPEG file holds, whatever its header states: decoders fill what is missing with grey, and tell nobody.

use super::entropy::{Bits, Stop, Table};
use super::{Marker, START_OF_SCAN, annex_k, next_marker};

const HUFFMAN_TABLES: u8 = 0xc4;
const RESTART_INTERVAL: u8 = 0xdd;
/// "Define number of lines": the height, behind the first scan.
const NUMBER_OF_LINES: u8 = 0xdc;
/// Frames whose scans are coded by Huffman's method, 8 bits per sample: baseline, extended, progressive.
const FRAMES: [u8; 3] = [0xc0, 0xc1, 0xc2];

/// Encoders may code up to a multiple of so many rows, and state the rows that are to be seen.
const ALIGNMENT: u16 = 32;

/// The height of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) struct Extent {
    /// Rows, as the header states them; 0 if it does not.
    pub stated: u16,
    /// Rows that the first scan holds whole, at most those that are stated unless it ends with others.
    pub there: u16,
    /// Where the header states them.
    at: usize,
}

impl Extent {
    /// `None` if that cannot be said: no JPEG, one of a rare kind, or damaged before its end.
    pub(in crate::source) fn of(file: &[u8]) -> Option<Self> {
        let (mut at, mut frame, mut tables, mut interval) = (0, None::<Frame>, Tables::default(), 0);
        loop {
            let Marker { code, start, end } = next_marker(file, at)?;
            at = end?;
            let segment = file.get(start + 4..at).unwrap_or_default();
            match code {
                HUFFMAN_TABLES => tables.read(segment)?,
                RESTART_INTERVAL => interval = word(segment, 0)?.into(),
                START_OF_SCAN => {
                    return frame?.extent(segment, &tables, interval, file.get(at..)?);
                }
                _ if FRAMES.contains(&code) => frame = Some(Frame::of(code, segment, start + 5)?),
                _ if super::is_frame(code) => return None,
                _ => {}
            }
        }
    }

    /// The file with the height that is there; `None` if it is the stated one, or there is no row.
    pub(in crate::source) fn corrected(&self, file: &[u8]) -> Option<Vec<u8>> {
        let mut corrected = (self.there != self.stated && self.there > 0).then(|| file.to_vec())?;
        corrected.get_mut(self.at..self.at + 2)?.copy_from_slice(&self.there.to_be_bytes());
        Some(corrected)
    }
}

/// The Huffman tables in force, by class and number.
struct Tables([[Option<Table>; 4]; 2]);

impl Default for Tables {
    /// Those of annex K, which Motion JPEG leaves out.
    fn default() -> Self {
        let mut tables = Self([const { [const { None }; 4] }; 2]);
        let _ = tables.read(annex_k::TABLES);
        tables
    }
}

impl Tables {
    fn read(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&number, rest)) = segment.split_first() {
            let (table, rest) = Table::read(rest)?;
            *self.0.get_mut(usize::from(number >> 4))?.get_mut(usize::from(number & 0xf))? = Some(table);
            segment = rest;
        }
        Some(())
    }

    fn get(&self, class: usize, number: u8) -> Option<&Table> {
        self.0.get(class)?.get(usize::from(number))?.as_ref()
    }
}

/// What a frame header states.
struct Frame {
    progressive: bool,
    at: usize,
    height: u16,
    width: u32,
    /// Identifier and sampling factors of each component.
    components: Vec<(u8, u32, u32)>,
}

/// A component of a scan: its blocks in a minimum coded unit, and their tables.
type Coded<'a> = (u32, &'a Table, Option<&'a Table>);

impl Frame {
    /// `at` is the place of the height in the file.
    fn of(code: u8, segment: &[u8], at: usize) -> Option<Self> {
        let components = segment.get(6..)?.chunks_exact(3);
        let components: Vec<_> =
            components.map(|c| (c[0], u32::from(c[1] >> 4), u32::from(c[1] & 0xf))).collect();
        let (height, width) = (word(segment, 1)?, word(segment, 3)?.into());
        let valid = components.iter().all(|(_, x, y)| (1..=4).contains(x) && (1..=4).contains(y));
        let known = segment.first() == Some(&8) && width > 0 && valid && !components.is_empty();
        known.then_some(Self { progressive: code == 0xc2, at, height, width, components })
    }

    /// Counts what a scan with this header holds; `data` is what follows the header.
    fn extent(&self, header: &[u8], tables: &Tables, interval: u32, data: &[u8]) -> Option<Extent> {
        let (&count, header) = header.split_first()?;
        let (selectors, rest) = header.split_at_checked(2 * usize::from(count))?;
        // The first scan of a progressive file brings the upper bits of the first coefficients.
        let &[first, _, bits] = rest.first_chunk::<3>()?;
        if first != 0 || bits >> 4 != 0 {
            return None;
        }
        let most = |side: fn(&(u8, u32, u32)) -> u32| self.components.iter().map(side).max();
        let (most_x, most_y) = (most(|c| c.1)?, most(|c| c.2)?);
        let (mut coded, mut alone): (Vec<Coded<'_>>, _) = (Vec::new(), None);
        for selector in selectors.chunks_exact(2) {
            let &(_, x, y) = self.components.iter().find(|component| component.0 == selector[0])?;
            let others = tables.get(1, selector[1] & 0xf);
            let others = if self.progressive { None } else { Some(others?) };
            coded.push((x * y, tables.get(0, selector[1] >> 4)?, others));
            alone = Some((x, y));
        }
        // Columns of units, and rows of pixels in one.
        let (columns, rows) = match (coded.as_mut_slice(), alone?) {
            ([only], (x, y)) => {
                only.0 = 1;
                ((self.width * x).div_ceil(most_x).div_ceil(8), 8 * most_y / y)
            }
            _ => (self.width.div_ceil(8 * most_x), 8 * most_y),
        };
        let stated = lines(data).unwrap_or(self.height);
        let needed = columns * u32::from(stated).div_ceil(rows);
        let (units, exact) = units(data, &coded, interval)?.within(needed)?;
        let whole = u16::try_from(units / columns * rows).unwrap_or(u16::MAX);
        let there = match stated {
            0 => whole,
            // More than is stated, to the last bit; less than that are rows that an encoder adds for its own sake.
            _ if exact && units % columns == 0 && whole >= stated.saturating_add(ALIGNMENT) => whole,
            _ => whole.min(stated),
        };
        Some(Extent { stated: self.height, there, at: self.at })
    }
}

/// How many minimum coded units follow each other.
struct Units {
    whole: u32,
    stop: Stop,
    /// The data ends with the last of them.
    exact: bool,
}

impl Units {
    /// The units, and whether they are all that is there; `None` if there is damage before the one that is `needed` last.
    fn within(self, needed: u32) -> Option<(u32, bool)> {
        let damaged = self.stop == Stop::Damage;
        (!damaged || self.whole >= needed).then_some((self.whole, self.exact && !damaged))
    }
}

fn units(data: &[u8], coded: &[Coded<'_>], interval: u32) -> Option<Units> {
    let mut bits = Bits::of(data);
    let mut found = Units { whole: 0, stop: Stop::End, exact: true };
    // Units since the interval began.
    let mut held = 0;
    // Blocks take two bits at least, and no picture has more rows.
    while found.whole < 1 << 26 {
        found.exact = bits.is_over();
        if interval > 0 && held == interval {
            if !bits.restart() {
                return found.exact.then_some(found);
            }
            held = 0;
        }
        let mut blocks =
            coded.iter().flat_map(|(count, first, others)| (0..*count).map(move |_| (first, others)));
        match blocks.try_for_each(|(first, others)| bits.block(first, *others)) {
            Ok(()) => (found.whole, held) = (found.whole + 1, held + 1),
            // Lost within an interval: the next one has its place.
            Err(_) if interval > 0 && bits.restart() => {
                (found.whole, held) = (found.whole + interval - held, 0)
            }
            Err(stop) => return Some(Units { stop, ..found }),
        }
    }
    None
}

/// The number of lines, where it is behind the scan.
fn lines(data: &[u8]) -> Option<u16> {
    let mut at = 0;
    loop {
        let Marker { code, start, end } = next_marker(data, at)?;
        match code {
            0xd0..=0xd7 => at = end?,
            NUMBER_OF_LINES => return word(data, start + 4),
            _ => return None,
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

#[cfg(test)]
#[path = "extent_tests.rs"]
mod tests;
