use embedded_graphics::prelude::*;

use super::colour::QUIET;
use super::*;
use crate::geometry::Rect;
use crate::report::{Detection, Findings, Tag};

const NAMES: [&str; 3] = ["person", "ein sehr langer Name für einen Käfer", "no name of the vocabulary"];

fn annotated(width: u32, height: u32, detections: &[Detection], tags: &[Tag]) -> Vec<u8> {
    let names = [NAMES[0].into(), NAMES[1].into()];
    let mut rgb = vec![99; (width * height * 3) as usize];
    let findings = Findings { tags: tags.to_vec(), detections: detections.to_vec(), ..Findings::default() };
    let report = PictureReport { path: "a", width, height, names: &names, findings: &findings };
    annotate(&mut rgb, &report);
    rgb
}

fn detection(label: usize, x0: f32, y0: f32, x1: f32, y1: f32) -> Detection {
    Detection { label: NAMES[label].into(), score: 0.5, rect: Rect { x0, y0, x1, y1 } }
}

fn tag(label: usize, score: f32) -> Tag {
    Tag { label: NAMES[label].into(), score }
}

fn pixel(rgb: &[u8], width: u32, x: u32, y: u32) -> [u8; 3] {
    let start = ((y * width + x) * 3) as usize;
    [rgb[start], rgb[start + 1], rgb[start + 2]]
}

fn person() -> [u8; 3] {
    let colour = Palette::default().colour("person");
    [colour.r(), colour.g(), colour.b()]
}

#[test]
fn without_results_the_picture_stays() {
    assert!(annotated(50, 40, &[], &[]).iter().all(|v| *v == 99));
}

#[test]
fn a_box_is_outlined_and_its_inside_stays() {
    let rgb = annotated(200, 200, &[detection(0, 50.0, 60.0, 150.0, 140.0)], &[]);
    for (x, y) in [(50, 60), (149, 139), (50, 100), (149, 100), (100, 139)] {
        assert_eq!(pixel(&rgb, 200, x, y), person(), "outline at {x}, {y}");
    }
    for (x, y) in [(49, 100), (150, 100), (100, 140), (100, 100), (55, 65), (10, 10)] {
        assert_eq!(pixel(&rgb, 200, x, y), [99; 3], "picture at {x}, {y}");
    }
    // The plate stands on the box.
    assert_eq!(pixel(&rgb, 200, 50, 59), person());
}

#[test]
fn boxes_partly_or_wholly_outside_do_no_harm() {
    let wild = [
        detection(0, -50.0, -60.0, 10.0, 10.0),
        detection(0, 500.0, 500.0, 600.0, 600.0),
        detection(0, f32::MIN, f32::MIN, f32::MAX, f32::MAX),
        detection(0, f32::NAN, 0.0, 5.0, 5.0),
        detection(0, 20.0, 20.0, 10.0, 10.0),
        detection(2, 5.0, 5.0, 9.0, 9.0),
    ];
    for (width, height) in [(1, 1), (3, 200), (200, 3), (64, 64)] {
        let tags = [tag(1, 0.5), tag(0, 0.4)];
        assert_eq!(annotated(width, height, &wild, &tags).len(), (width * height * 3) as usize);
    }
}

#[test]
fn tags_are_one_line_at_the_bottom() {
    let tags: Vec<Tag> = (0..30).map(|i| tag(i % 2, 0.5)).collect();
    let rgb = annotated(300, 100, &[], &tags);
    let (plate, row) = ([QUIET.r(), QUIET.g(), QUIET.b()], 300 * 3);
    assert_eq!(pixel(&rgb, 300, 0, 99), plate);
    assert_eq!(pixel(&rgb, 300, 0, 88), plate);
    assert!(rgb[..80 * row].iter().all(|v| *v == 99));
}

#[test]
fn everything_drawn_grows_with_the_picture() {
    let share = |side: u32| {
        let s = side as f32;
        let rgb = annotated(side, side, &[detection(0, 0.2 * s, 0.2 * s, 0.8 * s, 0.8 * s)], &[]);
        let drawn = rgb.chunks_exact(3).filter(|p| *p != [99; 3]).count();
        drawn as f64 / f64::from(side * side)
    };
    let (small, large) = (share(400), share(3200));
    assert!((0.7..1.4).contains(&(small / large)), "{small} of the small, {large} of the large picture");
}
