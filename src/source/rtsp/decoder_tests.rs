use std::fs;

use super::*;

/// The access units of a stream of `tests/data/h264`, each of which begins with a delimiter.
fn units(name: &str) -> Vec<Vec<u8>> {
    let bytes = fs::read(format!("tests/data/h264/{name}.h264")).unwrap();
    let mut starts: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(&[0, 0, 0, 1, 9])).collect();
    starts.push(bytes.len());
    starts.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
}

#[test]
fn bidirectional_slices_are_known() {
    let kinds: Vec<bool> =
        units("reordered").iter().map(|unit| is_bidirectional(first_slice(unit).unwrap())).collect();
    assert_eq!(kinds[..7], [false, false, true, true, false, true, true]);
    assert!(!units("wide").iter().any(|unit| is_bidirectional(first_slice(unit).unwrap())));
    assert_eq!(first_slice(&[0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 7, 1]), None);
    assert!(!is_bidirectional(&[]));
}

#[test]
fn a_stream_that_hides_its_order_is_shown_in_order_from_the_next_key_frame_on() {
    let mut pictures = PictureDecoder::new();
    let shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14];
    let mut stamps = Vec::new();
    for round in 0..2 {
        for (unit, number) in units("reordered").iter().zip(shown) {
            if pictures.is_waiting() && number > 0 {
                continue;
            }
            let decoded = pictures.decode(unit, 16 * round + number, Instant::now()).unwrap();
            stamps.extend(decoded.map(|picture| picture.stamp));
        }
    }
    // The first two come before the first slice that tells.
    assert_eq!(stamps[..2], [0, 3]);
    assert_eq!(stamps[2..], (16..31).collect::<Vec<_>>());
}

#[test]
fn what_is_no_picture_is_a_fault_and_a_key_frame_mends_it() {
    let units = units("squares");
    let mut pictures = PictureDecoder::new();
    let mut decode = |unit: &[u8]| pictures.decode(unit, 0, Instant::now()).map(|shown| shown.is_some());
    assert_eq!(decode(&units[0]), Ok(true));
    assert_eq!(decode(&units[1]), Ok(true));
    // A delimiter and parameters are no fault.
    assert_eq!(decode(&units[8][..6]), Ok(false));
    assert!(decode(&units[2][..units[2].len() - 9]).is_err());
    assert!(decode(&units[3]).is_err());
    assert_eq!(decode(&units[8]), Ok(true));
    assert!(decode(b"\0\0\0\x01\x65nonsense").is_err());
    assert_eq!(decode(&units[16]), Ok(true));
}
