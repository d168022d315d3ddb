//! Whether a JPEG file is whole: its decoder fills what is missing with grey and reports no error.

/// Whether `bytes` begin with the start of an image, and its end follows a scan (ITU T.81, annex B). Markers are walked segment by segment because an
/// embedded thumbnail has an end marker of its own.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: u8 = 0xd9;
    if !bytes.starts_with(&START_OF_IMAGE) {
        return false;
    }
    let mut scanned = false;
    let mut at = START_OF_IMAGE.len();
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = match marker {
            END_OF_IMAGE => return scanned,
            // Restart markers, start-of-image and TEM stand alone.
            0x01 | 0xd0..=0xd8 => after,
            _ => match bytes.get(after..after + 2) {
                Some(&[high, low]) => after + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
        };
        scanned |= marker == START_OF_SCAN;
    }
    false
}

/// The first marker at or after `at`, and the position behind it. Inside a scan `ff 00` is a byte of data, and any
/// number of `ff` may precede a marker.
pub(super) fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let rest = bytes.get(at..)?;
    let found = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))?;
    Some((rest[found + 1], at + found + 2))
}
