use super::*;

/// A grey picture 8 pixels wide, each of whose blocks is two bits: no difference to the one before, no other coefficient.
fn grey(height: u16, scan: &[u8], segments: &[&[u8]]) -> Vec<u8> {
    let [high, low] = height.to_be_bytes();
    let table = |class: u8| [&[0xff, 0xc4, 0, 20, class, 1][..], &[0; 15], &[0]].concat();
    let frame = [0xff, 0xc0, 0, 11, 8, high, low, 0, 8, 1, 1, 0x11, 0];
    let header = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];
    [&[0xff, 0xd8][..], &frame, &table(0), &table(0x10), &segments.concat(), &header, scan].concat()
}

fn rows(file: &[u8]) -> Option<u16> {
    Extent::of(file).map(|extent| extent.there)
}

#[test]
fn rows_are_counted_whatever_the_header_states() {
    // Four blocks to a byte.
    for (stated, scan, there) in [
        (64, &[0, 0, 0xff, 0xd9][..], 64),
        (61, &[0, 0, 0xff, 0xd9], 61),
        (40_000, &[0, 0, 0xff, 0xd9], 64),
        (32, &[0, 0, 0xff, 0xd9], 64),
        (40, &[0, 0, 0xff, 0xd9], 40),
        (0, &[0, 0, 0xff, 0xd9], 64),
        // The rest of a byte is no block.
        (40, &[0, 0x3f, 0xff, 0xd9], 40),
        (80, &[0, 0x3f, 0xff, 0xd9], 40),
        (80, &[0xff, 0xd9], 0),
        // "Define number of lines."
        (0, &[0, 0, 0xff, 0xdc, 0, 4, 0, 60, 0xff, 0xd9], 60),
        (0, &[0, 0, 0xff, 0xdc, 0, 4, 9, 0, 0xff, 0xd9], 64),
        // No end marker.
        (40_000, &[0, 0], 64),
    ] {
        let file = grey(stated, scan, &[]);
        let extent = Extent::of(&file).unwrap();
        assert_eq!((extent.stated, extent.there), (stated, there), "{stated} {scan:?}");
        let corrected = extent.corrected(&file);
        assert_eq!(corrected.is_some(), there != stated && there > 0);
        assert!(corrected.is_none_or(|file| rows(&file) == Some(there)), "{stated} {scan:?}");
    }
    // A code that no table has: where rows are missing, nobody knows how many.
    assert_eq!(rows(&grey(80, &[0, 0xf0, 0, 0, 0xff, 0xd9], &[])), None);
    assert_eq!(rows(&grey(48, &[0, 0x0f, 0x12, 0xff, 0xd9], &[])), Some(48));
}

#[test]
fn intervals_have_their_places() {
    let interval: &[u8] = &[0xff, 0xdd, 0, 4, 0, 4];
    let of = |stated, scan: &[u8]| rows(&grey(stated, scan, &[interval]));
    assert_eq!(of(40_000, &[0, 0xff, 0xd0, 0, 0xff, 0xd1, 0, 0xff, 0xd9]), Some(96));
    assert_eq!(of(96, &[0, 0xff, 0xd0, 0xf0, 0, 0, 0xff, 0xd1, 0, 0xff, 0xd9]), Some(96));
    assert_eq!(of(96, &[0, 0xff, 0xd0, 0, 0xff, 0xd9]), Some(64));
    // Announced, and not there.
    assert_eq!(of(96, &[0, 0, 0, 0xff, 0xd9]), None);
}

#[test]
fn photographs_hold_what_they_state_and_half_of_it_when_they_are_cut() {
    for name in ["cat.jpg", "coffee.jpg"] {
        let file = std::fs::read(format!("tests/data/{name}")).unwrap();
        let extent = Extent::of(&file).unwrap();
        assert_eq!(extent.there, extent.stated, "{name}");
        assert_eq!(extent.corrected(&file), None);
        let mut tall = file.clone();
        tall[extent.at..extent.at + 2].copy_from_slice(&40_000_u16.to_be_bytes());
        // To the end of the last unit.
        assert_eq!(rows(&tall), Some(extent.stated.next_multiple_of(16)), "{name}");
        let half = [&file[..file.len() / 2], &[0xff, 0xd9]].concat();
        let there = rows(&half).unwrap();
        assert!(there > extent.stated / 4 && there < extent.stated * 3 / 4, "{name}: {there}");
    }
}

#[test]
fn no_bytes_make_it_fail() {
    let file = std::fs::read("tests/data/cat.jpg").unwrap();
    for at in 2..700 {
        for byte in [0, 1, 0x11, 0x7f, 0xff, 0xc4, 0xd0] {
            let mut file = file.clone();
            file[at] = byte;
            let _ = Extent::of(&file[..2000]);
        }
    }
}
