//! The entropy-coded data of a scan (ITU T.81, annex F), read only as far as it takes to count its blocks.

/// Bits that are looked up at once.
const SHORT: u32 = 9;
/// Longest code in bits.
const LONGEST: u32 = 16;

/// A Huffman table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Length and symbol of the code that these bits begin with; length 0 if it is longer, or none.
    short: Vec<(u8, u8)>,
    /// For each length: the first code, how many there are, and the place of the first one's symbol.
    codes: [(u32, u32, usize); LONGEST as usize + 1],
    symbols: Vec<u8>,
}

impl Table {
    /// The first table of a DHT segment without its class and number, and what follows; `None` if it is none.
    pub(super) fn read(segment: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = segment.split_first_chunk::<16>()?;
        let total = counts.iter().map(|count| usize::from(*count)).sum();
        let (symbols, rest) = rest.split_at_checked(total)?;
        let mut table = Self {
            short: vec![(0, 0); 1 << SHORT],
            codes: [(0, 0, 0); LONGEST as usize + 1],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0_u32, 0);
        for (length, count) in (1_u32..).zip(counts) {
            let count = u32::from(*count);
            if code + count > 1 << length {
                return None;
            }
            *table.codes.get_mut(length as usize)? = (code, count, place);
            for (code, symbol) in (code..code + count).zip(symbols.get(place..)?) {
                let Some(spare) = SHORT.checked_sub(length) else { continue };
                let first = (code << spare) as usize;
                table.short.get_mut(first..first + (1 << spare))?.fill((length as u8, *symbol));
            }
            place += count as usize;
            code = (code + count) << 1;
        }
        Some((table, rest))
    }
}

/// Why no symbol can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The data ends.
    End,
    /// A code that the table has not.
    Damage,
}

/// The bits of a scan up to the next marker.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn of(scan: &'a [u8]) -> Self {
        Self { rest: scan, held: 0, count: 0 }
    }

    /// Holds at least 16 bits, if they are there.
    fn fill(&mut self) {
        while self.count <= 56 {
            let (byte, taken) = match self.rest {
                [0xff, 0x00, ..] => (0xff, 2),
                // A marker, or half of one.
                [0xff, ..] | [] => return,
                [byte, ..] => (*byte, 1),
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
            self.rest = self.rest.get(taken..).unwrap_or_default();
        }
    }

    /// The next `length` bits, at most 16, at the lower end; behind the last one come ones, as in the last byte of a scan.
    fn peek(&self, length: u32) -> u32 {
        let bits = match self.count.checked_sub(length) {
            Some(spare) => self.held >> spare,
            None => (self.held << (length - self.count)) | ((1 << (length - self.count)) - 1),
        };
        (bits & ((1 << length) - 1)) as u32
    }

    fn drop(&mut self, length: u32) -> Result<(), Stop> {
        self.count = self.count.checked_sub(length).ok_or(Stop::End)?;
        Ok(())
    }

    /// The symbol that the next code stands for.
    fn symbol(&mut self, table: &Table) -> Result<u8, Stop> {
        if self.count < 32 {
            self.fill();
        }
        if let Some(&(length, symbol)) = table.short.get(self.peek(SHORT) as usize)
            && length > 0
        {
            self.drop(length.into())?;
            return Ok(symbol);
        }
        let bits = self.peek(LONGEST);
        for (length, (first, count, place)) in (0..).zip(table.codes).skip(SHORT as usize + 1) {
            let code = bits >> (LONGEST - length);
            if code >= first && code < first + count {
                self.drop(length)?;
                return table.symbols.get(place + (code - first) as usize).copied().ok_or(Stop::Damage);
            }
        }
        Err(if self.count < LONGEST { Stop::End } else { Stop::Damage })
    }

    /// Passes over a block: its first coefficient, and the others if they are in this scan.
    pub(super) fn block(&mut self, first: &Table, others: Option<&Table>) -> Result<(), Stop> {
        let bits = self.symbol(first)?;
        if bits > LONGEST as u8 {
            return Err(Stop::Damage);
        }
        self.drop(bits.into())?;
        let Some(others) = others else { return Ok(()) };
        let mut at = 1;
        while at < 64 {
            let symbol = self.symbol(others)?;
            let (run, bits) = (symbol >> 4, symbol & 0xf);
            if bits == 0 && run < 15 {
                break;
            }
            self.drop(bits.into())?;
            at += u32::from(run) + 1;
        }
        Ok(())
    }

    /// Whether nothing but the rest of a byte is left.
    pub(super) fn is_over(&self) -> bool {
        self.count < 8 && matches!(self.rest, [] | [0xff, ..])
    }

    /// Goes on behind a restart marker; `false` if none comes before any other marker.
    pub(super) fn restart(&mut self) -> bool {
        let mut rest = self.rest;
        loop {
            rest = match *rest {
                [0xff, 0xd0..=0xd7, ref behind @ ..] => {
                    *self = Self::of(behind);
                    return true;
                }
                [0xff, 0x00, ref behind @ ..] => behind,
                [0xff, ref behind @ ..] if behind.starts_with(&[0xff]) => behind,
                [0xff, ..] | [] => return false,
                [_, ref behind @ ..] => behind,
            };
        }
    }
}
