use std::time::Duration;

use embedded_graphics::framebuffer::{Framebuffer, buffer_size};
use embedded_graphics::image::GetPixel;
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::pixelcolor::raw::{BigEndian, RawU16};

use super::*;
use crate::geometry::Rect;
use crate::sinks::tests::{frame_report, picture_of, plain};

type Display = Framebuffer<Rgb565, RawU16, BigEndian, 160, 160, { buffer_size::<Rgb565>(160, 160) }>;

fn colour(name: &str) -> [u8; 3] {
    let colour = Palette::default().colour(name);
    [colour.r(), colour.g(), colour.b()]
}

fn annotated(painter: &mut Painter, report: &FrameReport) -> Vec<u8> {
    let mut rgb = vec![99; (report.width * report.height * 3) as usize];
    painter.annotate(&mut rgb, report.width, report.height, report);
    rgb
}

/// How many pixels of column `x` from row 100 to 180 have `colour`.
fn column(rgb: &[u8], x: usize, colour: [u8; 3]) -> usize {
    (100..180).filter(|y| rgb[(y * 320 + x) * 3..][..3] == colour).count()
}

#[test]
fn predicted_tracks_are_dashed_and_seen_ones_solid() {
    let rgb = annotated(&mut Painter::new(ShownBoxes::Tracks), &frame_report());
    assert_eq!(column(&rgb, 40, colour("person")), 80);
    let dog = column(&rgb, 200, colour("dog"));
    assert!((35..60).contains(&dog), "{dog} of 80 rows");
}

#[test]
fn between_two_looks_boxes_stay_as_they_were() {
    let mut painter = Painter::new(ShownBoxes::Tracks);
    let looked = annotated(&mut painter, &frame_report());
    let mut between = FrameReport { looked: false, detections: Vec::new(), ..frame_report() };
    between.tracks.iter_mut().for_each(|track| track.seen = false);
    assert_eq!(annotated(&mut painter, &between), looked);
    between.looked = true;
    assert_ne!(annotated(&mut painter, &between), looked);
}

/// The person's track, walked to the right by `step` of 10 pixels.
fn walked(step: u32) -> FrameReport {
    let mut report = FrameReport { source: "walk".into(), ..frame_report() };
    report.tracks.truncate(1);
    for track in &mut report.tracks {
        track.rect = Rect {
            x0: track.rect.x0 + 10.0 * step as f32,
            x1: track.rect.x1 + 10.0 * step as f32,
            ..track.rect
        };
        track.age += Duration::from_millis(100) * step;
    }
    report
}

#[test]
fn tracks_have_a_way_each_source_its_own() {
    let painted = |with: bool, others: &str| {
        let mut painter = Painter::new(ShownBoxes::Tracks).with_trails(with);
        for step in 0..12 {
            painter.follow(&walked(step));
            painter.follow(&FrameReport { source: others.into(), tracks: Vec::new(), ..walked(step) });
        }
        annotated(&mut painter, &walked(12))
    };
    let (with, without) = (painted(true, "other"), painted(false, "other"));
    let on = |rgb: &[u8], x: usize| rgb[(200 * 320 + x) * 3..][..3] != [99; 3];
    assert!((80..150).all(|x| on(&with, x) && !on(&without, x)), "below the boxes of before");
    assert!(!(0..70).any(|x| on(&with, x)), "it begins where the track did");
    assert_eq!(painted(true, "walk"), without, "tracks that are gone leave no way");
}

#[test]
fn detections_are_shown_in_place_of_tracks_where_that_is_asked_for() {
    let rgb = annotated(&mut Painter::new(ShownBoxes::Detections), &frame_report());
    assert_eq!(column(&rgb, 40, colour("person")), 80);
    assert_eq!(column(&rgb, 200, [99; 3]), 80);
}

#[test]
fn a_display_shows_the_picture_in_its_middle_with_black_around() {
    let mut display = Display::new();
    display.clear(Rgb565::MAGENTA).unwrap();
    let mut painter = Painter::new(ShownBoxes::Tracks);
    let Ok(()) =
        painter.draw(&mut display, &frame_report(), Some(&picture_of(&frame_report(), [90, 100, 110])));
    let at = |x, y| display.pixel(Point::new(x, y)).unwrap();
    // 160 by 120, 20 rows above and below.
    for (x, y) in [(0, 0), (159, 19), (0, 140), (80, 159)] {
        assert_eq!(at(x, y), Rgb565::BLACK, "{x}, {y}");
    }
    assert_eq!(at(155, 45), Rgb565::from(Rgb888::new(90, 100, 110)));
    assert_eq!(at(20, 20 + 80), Rgb565::from(Palette::default().colour("person")));
}

#[test]
fn without_a_picture_the_display_keeps_what_it_shows() {
    let mut display = Display::new();
    display.clear(Rgb565::MAGENTA).unwrap();
    let Ok(()) = Painter::new(ShownBoxes::Tracks).draw(&mut display, &plain(160, 30), None);
    assert!(display.bounding_box().points().all(|point| display.pixel(point) == Some(Rgb565::MAGENTA)));
}

#[test]
fn moments_and_displays_of_any_size_do_no_harm() {
    for (width, height) in [(0, 0), (1, 1), (1, 5000), (5000, 1), (319, 241)] {
        let wild =
            FrameReport { tracks: frame_report().tracks, tags: frame_report().tags, ..plain(width, height) };
        let mut picture = picture_of(&wild, [9; 3]);
        let Ok(()) = Painter::new(ShownBoxes::Tracks).draw(&mut Display::new(), &wild, Some(&picture));
        annotated(&mut Painter::new(ShownBoxes::Tracks), &wild);
        // A picture with fewer pixels than it claims.
        picture.data.truncate(7);
        let Ok(()) = Painter::new(ShownBoxes::Tracks).draw(&mut Display::new(), &wild, Some(&picture));
    }
}

#[test]
fn the_clock_tells_time_and_source() {
    assert_eq!(clock(&frame_report()), "2026-11-22 06:00:00Z /dev/video0");
}
