use super::*;

fn rect(x0: f32, y0: f32, x1: f32, y1: f32) -> Rect {
    Rect { x0, y0, x1, y1 }
}

fn near(a: Rect, b: Rect, tolerance: f32) -> bool {
    let pairs = [(a.x0, b.x0), (a.y0, b.y0), (a.x1, b.x1), (a.y1, b.y1)];
    pairs.iter().all(|(a, b)| (a - b).abs() <= tolerance)
}

/// Sizes from 1 to 5,000: square, wide, tall, tiny and prime.
const SIZES: [(u32, u32); 9] =
    [(1, 1), (1, 5000), (5000, 1), (640, 480), (480, 640), (320, 320), (1997, 13), (3, 2), (4032, 3024)];

#[test]
fn intersection_and_iou_of_known_boxes() {
    let (a, b) = (rect(0.0, 0.0, 4.0, 4.0), rect(2.0, 1.0, 6.0, 3.0));
    assert_eq!(a.intersection(&b), Some(rect(2.0, 1.0, 4.0, 3.0)));
    assert_eq!(a.iou(&b), 4.0 / (16.0 + 8.0 - 4.0));
    assert_eq!(a.iou(&a), 1.0);
    let touching = rect(4.0, 0.0, 8.0, 4.0);
    assert_eq!(a.intersection(&touching), None);
    assert_eq!(a.iou(&touching), 0.0);
    let empty = rect(1.0, 1.0, 1.0, 1.0);
    assert_eq!(empty.iou(&empty), 0.0);
}

#[test]
fn inverted_boxes_are_empty() {
    let inverted = rect(5.0, 5.0, 1.0, 1.0);
    assert_eq!((inverted.width(), inverted.height(), inverted.area()), (0.0, 0.0, 0.0));
}

#[test]
fn clip_never_leaves_the_bounds() {
    let bounds = rect(10.0, 20.0, 30.0, 40.0);
    assert_eq!(rect(0.0, 0.0, 15.0, 100.0).clip(&bounds), rect(10.0, 20.0, 15.0, 40.0));
    for outside in [rect(-9.0, 0.0, 0.0, 9.0), rect(50.0, 50.0, 60.0, 60.0)] {
        let clipped = outside.clip(&bounds);
        assert_eq!(clipped.area(), 0.0);
        assert!(clipped.x0 >= 10.0 && clipped.x1 <= 30.0 && clipped.y0 >= 20.0 && clipped.y1 <= 40.0);
    }
}

#[test]
fn expansion_keeps_the_centre() {
    let r = rect(10.0, 20.0, 20.0, 60.0);
    assert_eq!(r.expand(1.0, false), r);
    assert_eq!(r.expand(2.0, false), rect(5.0, 0.0, 25.0, 80.0));
    assert_eq!(r.expand(1.5, true), rect(-15.0, 10.0, 45.0, 70.0));
}

#[test]
fn letterbox_of_a_camera_picture() {
    let l = Letterbox::new(640, 480, 320).unwrap();
    assert_eq!((l.resized(), l.offset(), l.size, l.source), ((320, 240), (0, 40), 320, (640, 480)));
    assert_eq!(l.content(), rect(0.0, 40.0, 320.0, 280.0));
    assert_eq!(l.to_input(rect(100.0, 100.0, 200.0, 480.0)), rect(50.0, 90.0, 100.0, 280.0));
    assert_eq!(l.to_source(rect(50.0, 90.0, 100.0, 280.0)), rect(100.0, 100.0, 200.0, 480.0));
}

#[test]
fn halves_round_up_and_odd_margins_put_the_extra_row_below() {
    // 320 · 3/128 = 7.5 rows.
    let l = Letterbox::new(128, 3, 320).unwrap();
    assert_eq!((l.resized(), l.offset()), ((320, 8), (0, 156)));
    let l = Letterbox::new(320, 319, 320).unwrap();
    assert_eq!((l.resized(), l.offset()), ((320, 319), (0, 0)));
}

#[test]
fn letterbox_always_fits_and_touches_two_sides() {
    for size in [1, 7, 64, 320] {
        for (w, h) in SIZES {
            let l = Letterbox::new(w, h, size).unwrap();
            let ((rw, rh), (x, y)) = (l.resized(), l.offset());
            assert!(rw >= 1 && rh >= 1 && rw.max(rh) == size, "{w}x{h} in {size}: {rw}x{rh}");
            let margins = (size - rw - x, size - rh - y);
            assert!(margins.0 - x <= 1 && margins.1 - y <= 1, "{w}x{h} in {size}: not centred");
        }
    }
}

#[test]
fn boxes_go_to_the_input_and_back() {
    for (w, h) in SIZES {
        let l = Letterbox::new(w, h, 320).unwrap();
        let whole = rect(0.0, 0.0, w as f32, h as f32);
        assert!(near(l.to_input(whole), l.content(), 1e-3), "{w}x{h}");
        assert!(near(l.to_source(l.content()), whole, 1e-3), "{w}x{h}");
        for i in 0..20 {
            let (a, b) = (i as f32 / 40.0, (i + 7) as f32 / 40.0);
            let r = rect(a * whole.x1, b * whole.y1 * 0.5, b * whole.x1, b * whole.y1);
            let there = l.to_input(r);
            assert!(near(there.clip(&l.content()), there, 1e-3), "{w}x{h}: {r:?} leaves the content");
            assert!(near(l.to_source(there), r, 1e-3 * w.max(h) as f32), "{w}x{h}: {r:?}");
        }
    }
}

#[test]
fn source_boxes_are_clipped_to_the_picture() {
    let l = Letterbox::new(640, 480, 320).unwrap();
    assert_eq!(l.to_source(rect(-5.0, 0.0, 400.0, 320.0)), rect(0.0, 0.0, 640.0, 480.0));
    assert_eq!(l.to_source(rect(0.0, 0.0, 320.0, 10.0)).area(), 0.0);
}

#[test]
fn empty_pictures_are_errors() {
    for (w, h, s) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
        assert_eq!(Letterbox::new(w, h, s).unwrap_err().exit_code(), 2);
    }
}
