//! Whether a JPEG file without its end marker holds a whole picture.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

use super::super::limits;
use super::{END_OF_IMAGE, Extent, START_OF_SCAN, is_complete, next_marker};

/// More zeros than this at the end were never part of a scan.
const PADDING: usize = 8;
/// Length of what stands in for missing data.
const FILLER: usize = 4096;

/// `bytes` as a file with an end marker; `None` unless every block of every scan is there. Some cameras and
/// phones leave the marker out or write something else in its place, as half an upload does.
pub(in crate::source) fn whole(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if is_complete(bytes) {
        return Some(Cow::Borrowed(bytes));
    }
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let bytes = if zeros > PADDING { bytes.get(..bytes.len() - zeros)? } else { bytes };
    // Half a marker, or half a byte of data.
    let bytes = bytes.strip_suffix(&[0xff]).unwrap_or(bytes);
    // Cheaper than to decode it.
    let has_rows = || Extent::of(bytes).is_none_or(|rows| rows.there >= rows.stated);
    (has_every_scan(bytes) && has_rows() && ends_after_data(bytes))
        .then(|| Cow::Owned([bytes, &[0xff, END_OF_IMAGE]].concat()))
}

/// Whether the scans' headers announce every coefficient of every component to its last bit.
fn has_every_scan(bytes: &[u8]) -> bool {
    let mut missing: Vec<(u8, u64)> = Vec::new();
    let mut at = 0;
    while let Some(marker) = next_marker(bytes, at) {
        let Some(segment) = marker.end.and_then(|end| bytes.get(marker.start + 4..end)) else {
            match marker.end {
                Some(end) if end == marker.start + 2 => at = end,
                _ => return false,
            }
            continue;
        };
        if super::walk::is_frame(marker.code) {
            let components = segment.get(6..).unwrap_or_default().chunks_exact(3);
            missing =
                components.filter_map(|component| component.first()).map(|id| (*id, u64::MAX)).collect();
        }
        if marker.code == START_OF_SCAN && !scan(segment, &mut missing) {
            return false;
        }
        at = marker.start + 4 + segment.len();
    }
    !missing.is_empty() && missing.iter().all(|(_, coefficients)| *coefficients == 0)
}

/// Removes the coefficients that a scan with this header brings to their last bit; `false` if it is none.
fn scan(header: &[u8], missing: &mut [(u8, u64)]) -> bool {
    let count = usize::from(header.first().copied().unwrap_or_default());
    let (Some(components), Some(&[first, last, bits])) =
        (header.get(1..1 + 2 * count), header.get(1 + 2 * count..4 + 2 * count))
    else {
        return false;
    };
    if bits & 0xf == 0 && first <= last && last < 64 {
        let done = (u64::MAX << first) & (u64::MAX >> (63 - last));
        for (_, coefficients) in
            missing.iter_mut().filter(|(id, _)| components.iter().step_by(2).any(|component| component == id))
        {
            *coefficients &= !done;
        }
    }
    true
}

/// Whether what follows `bytes` makes no difference to the picture, as it does where blocks are missing.
fn ends_after_data(bytes: &[u8]) -> bool {
    let noise = (0..FILLER as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8 & 0xfe);
    let fillers = [vec![0; FILLER], noise.collect(), vec![0xaa; FILLER]];
    let mut pictures = fillers.iter().map(|filler| digest(bytes, filler));
    let first = pictures.next().flatten();
    first.is_some() && pictures.all(|picture| picture == first)
}

/// A digest of the pixels of `bytes` with `filler` and an end marker behind them.
fn digest(bytes: &[u8], filler: &[u8]) -> Option<u64> {
    let start = bytes.get(..2)?;
    let rest = bytes.get(2..)?;
    let file = [start, super::MOTION_JPEG, rest, filler, &[0xff, END_OF_IMAGE]].concat();
    let decoder = JpegDecoder::new(Cursor::new(file)).ok()?;
    limits::current().check(decoder.dimensions(), decoder.total_bytes()).ok()?;
    let mut pixels = vec![0; usize::try_from(decoder.total_bytes()).ok()?];
    decoder.read_image(&mut pixels).ok()?;
    let mut hasher = DefaultHasher::new();
    pixels.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_marker_may_be_missing() {
        let file = std::fs::read("tests/data/cat.jpg").unwrap();
        let data = &file[..file.len() - 2];
        let trailer = [data, b"SEFH", &[0; 30], b"SEFT"].concat();
        let padded = [data, &[0; 300]].concat();
        for whole_one in [data, &trailer, &padded, &[data, &[0xff]].concat()] {
            let repaired = whole(whole_one).unwrap();
            assert!(repaired.ends_with(&[0xff, END_OF_IMAGE]) && is_complete(&repaired));
        }
        for cut in [4, 20, 200, file.len() / 2, file.len() - 100] {
            assert_eq!(whole(&file[..file.len() - cut]), None, "{cut} bytes are missing");
            assert_eq!(whole(&[&file[..file.len() - cut], &[0; 5000]].concat()), None, "{cut} preallocated");
        }
        assert_eq!(whole(b""), None);
        assert_eq!(whole(b"\xff\xd8"), None);
    }

    #[test]
    fn every_scan_of_a_progressive_file_counts() {
        let frame = [0xff, 0xc2, 0, 11, 8, 0, 8, 0, 8, 1, 7, 0x11, 0];
        let scan = |first, last, bits| [0xff, START_OF_SCAN, 0, 8, 1, 7, 0, first, last, bits, 9];
        let file = |scans: &[[u8; 11]]| [&[0xff, 0xd8], &frame[..], &scans.concat()].concat();
        let every = [scan(0, 0, 0), scan(1, 5, 0), scan(6, 63, 2), scan(6, 63, 0x21), scan(6, 63, 0x10)];
        assert!(has_every_scan(&file(&every)));
        for count in 0..every.len() {
            assert!(!has_every_scan(&file(&every[..count])), "{count} of {}", every.len());
        }
    }
}
