//! Deterministic changes of valid inputs.

/// Numbers at which lengths, sizes and counts go wrong.
const EXTREMES: [u64; 12] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x0001_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x4000_0000_0000_0000,
    i64::MAX as u64,
    u64::MAX,
];
/// The same as text.
const NUMBERS: [&str; 9] = [
    "0",
    "-1",
    "65536",
    "4294967295",
    "9223372036854775808",
    "1e308",
    "nan",
    "007",
    "99999999999999999999999",
];
/// What opens, closes and separates in texts.
const MARKS: &[u8] = b"[]{}()<>\"'`=:;,.-#@\\/\r\n\t \0\xff";
/// Most bytes of an input.
const LONGEST: usize = 1 << 20;

/// SplitMix64.
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// One of `seeds`, with one to five changes.
    pub(super) fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(5) {
            self.change(&mut bytes, seeds);
        }
        if self.below(4) > 0 {
            repair_png(&mut bytes);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        let span = (1 + self.below(64)).min(bytes.len() - at);
        match self.below(14) {
            0 => bytes.truncate(at),
            1 => {
                let copy = bytes[at..at + span].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            2 => drop(bytes.drain(at..at + span)),
            3 => {
                let width = 1 << self.below(4);
                let value = EXTREMES[self.below(EXTREMES.len())].wrapping_sub(self.below(2) as u64);
                let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
                let number = if self.below(2) == 0 { &little[..width] } else { &big[8 - width..] };
                bytes.iter_mut().skip(at).zip(number).for_each(|(byte, new)| *byte = *new);
            }
            4 => self.change_number(bytes, at),
            // The end of another one.
            5 => {
                let other = &seeds[self.below(seeds.len())];
                bytes.truncate(at);
                bytes.extend(&other[self.below(other.len())..]);
            }
            6 => {
                let mark = MARKS[self.below(MARKS.len())];
                bytes.insert(at, mark);
            }
            // Deep, long or many.
            7 if self.below(8) == 0 => {
                let piece = bytes[at..at + span.min(1 + self.below(4))].to_vec();
                let count = 1 << self.below(16);
                bytes.splice(at..at, piece.repeat(count));
            }
            8 if self.below(8) == 0 => {
                let count = 1 << self.below(17);
                let mark = MARKS[self.below(MARKS.len())];
                bytes.splice(at..at, std::iter::repeat_n(mark, count));
            }
            9 | 10 if !bytes.is_empty() => bytes[at] = self.below(256) as u8,
            _ if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            _ => {}
        }
    }

    /// Replaces the first number behind `at` by an extreme one.
    fn change_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let digit = |byte: &u8| byte.is_ascii_digit();
        let Some(begin) = bytes.iter().skip(at).position(digit).map(|found| at + found) else { return };
        let end =
            bytes.iter().skip(begin).position(|byte| !digit(byte)).map_or(bytes.len(), |found| begin + found);
        let number = NUMBERS[self.below(NUMBERS.len())];
        bytes.splice(begin..end, number.bytes());
    }
}

/// Makes the checksums of a PNG file right: else none of its chunks is read.
fn repair_png(bytes: &mut [u8]) {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return;
    }
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(end) = at.checked_add(8 + length).filter(|end| end + 4 <= bytes.len()) else { return };
        let sum = crc32(&bytes[at + 4..end]).to_be_bytes();
        bytes[end..end + 4].copy_from_slice(&sum);
        at = end + 4;
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[test]
fn the_checksum_is_that_of_png() {
    // The last chunk of every file.
    assert_eq!(crc32(b"IEND"), 0xae42_6082);
}
