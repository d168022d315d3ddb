use super::*;

/// Start, a segment, a scan with a stuffed and a restart marker, end.
const SMALL: &[u8] =
    &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 7, 0xff, 0, 0xff, 0xd1, 7, 0xff, 0xd9];

fn cut(bytes: &[u8]) -> Cut {
    Walk::default().on(bytes)
}

#[test]
fn markers_inside_segments_do_not_cut() {
    assert_eq!(cut(SMALL), Cut::Frame(SMALL.len()));
    for length in 0..SMALL.len() {
        assert_eq!(cut(&SMALL[..length]), Cut::More, "{length}");
    }
    assert_eq!(cut(&[SMALL, SMALL].concat()), Cut::Frame(SMALL.len()));
}

#[test]
fn a_walk_goes_on_where_it_stopped() {
    for first in 0..SMALL.len() {
        for second in first..SMALL.len() {
            let mut walk = Walk::default();
            assert_eq!(walk.on(&SMALL[..first]), Cut::More);
            assert_eq!(walk.on(&SMALL[..second]), Cut::More);
            assert_eq!(walk.on(SMALL), Cut::Frame(SMALL.len()), "{first}, {second}");
        }
    }
}

#[test]
fn garbage_goes_up_to_the_next_start() {
    assert_eq!(cut(&[b"noise\xff", SMALL].concat()), Cut::Garbage(6, "bytes that are not JPEG"));
    let torn = &SMALL[..14];
    assert_eq!(cut(&[torn, SMALL].concat()), Cut::Garbage(torn.len(), "no end before the next start"));
    assert_eq!(cut(&[0xff, 0xd8, 0xff, 0xd9, 9]), Cut::Garbage(2, "no end before the next start"));
}

#[test]
fn two_frames_whose_border_is_lost_are_no_frame() {
    let frame = [0xff, 0xc0, 0, 2, 0xff, 0xda, 0, 2, 7, 0xff, 0xd9];
    let whole = [&START[..], &frame].concat();
    assert_eq!(cut(&whole), Cut::Frame(whole.len()));
    let border = whole.len() - 2;
    let lost = [&whole[..border], &frame].concat();
    assert_eq!(cut(&lost), Cut::Garbage(border, "two frames in one"));
}
