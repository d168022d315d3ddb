use std::sync::Arc;

use crate::geometry::Rect;

use super::*;

const FRAME: Duration = Duration::from_millis(100);

/// 40 × 40 pixels with the left edge at `x`, near the top.
fn at(x: f32) -> Rect {
    Rect { x0: x, y0: 20.0, x1: x + 40.0, y1: 60.0 }
}

fn name(text: &str, p: f32) -> Vec<(Arc<str>, f32)> {
    vec![(text.into(), p)]
}

/// A tracker with a clock that advances by [`FRAME`] per frame.
struct Run {
    tracker: Tracker,
    clock: Duration,
    label: Vec<(Arc<str>, f32)>,
}

impl Run {
    fn new(settings: Settings) -> Self {
        Self { tracker: Tracker::new(settings).unwrap(), clock: Duration::ZERO, label: name("cup", 0.6) }
    }

    /// A frame with confident boxes.
    fn see(&mut self, rects: &[Rect]) -> Update {
        self.look(rects, true)
    }

    fn look(&mut self, rects: &[Rect], confident: bool) -> Update {
        let of = |rect: &Rect| Observation { rect: *rect, labels: &self.label, confident, embedding: None };
        self.clock += FRAME;
        self.tracker.update(self.clock, &rects.iter().map(of).collect::<Vec<_>>())
    }
}

fn ids(update: &Update) -> Vec<u64> {
    update.tracks.iter().map(|track| track.id).collect()
}

#[test]
fn an_object_is_reported_once_it_was_seen_often_enough() {
    let mut run = Run::new(Settings::default());
    assert_eq!(run.see(&[at(0.0)]), Update::default());
    assert_eq!(run.see(&[at(2.0)]), Update::default());
    let update = run.see(&[at(4.0)]);
    assert_eq!(update.appeared, [1]);
    let track = &update.tracks[0];
    assert_eq!((&*track.label, track.seen, track.age), ("cup", true, 2 * FRAME));
    assert!((track.score - 0.6).abs() < 1e-6 && track.rect.iou(&at(4.0)) > 0.9, "{track:?}");
    assert!(run.see(&[at(6.0)]).appeared.is_empty());
}

#[test]
fn a_part_of_a_thing_appears_when_it_leaves_it() {
    let whole = Rect { x0: 0.0, y0: 0.0, x1: 100.0, y1: 100.0 };
    let strip = |x0: f32| Rect { x0, y0: 0.0, x1: x0 + 50.0, y1: 100.0 };
    let mut run = Run::new(Settings::default());
    (0..3).for_each(|_| drop(run.see(&[whole])));
    for _ in 0..10 {
        // 30 of its 50 pixels are inside.
        assert_eq!(ids(&run.see(&[whole, strip(70.0)])), [1]);
    }
    // As far out as in, and so on.
    let out: Vec<Update> = (0..4).map(|step| run.see(&[whole, strip(80.0 + 5.0 * step as f32)])).collect();
    assert!(out.iter().any(|update| update.appeared == [2]), "{out:?}");
    // What is as large as the other is a neighbour.
    let mut run = Run::new(Settings::default());
    (0..3).for_each(|_| drop(run.see(&[whole])));
    let beside = Rect { x0: 35.0, x1: 115.0, ..whole };
    let seen: Vec<Update> = (0..3).map(|_| run.see(&[whole, beside])).collect();
    assert_eq!(seen[2].appeared, [2]);
    // Another name is another thing.
    let mut run = Run::new(Settings::default());
    (0..3).for_each(|_| drop(run.see(&[whole])));
    let (cup, spoon) = (name("cup", 0.6), name("spoon", 0.6));
    let of = |rect: Rect, labels| Observation { rect, labels, confident: true, embedding: None };
    let seen: Vec<Update> = (0..3)
        .map(|_| {
            run.clock += FRAME;
            run.tracker.update(run.clock, &[of(whole, &cup), of(strip(40.0), &spoon)])
        })
        .collect();
    assert_eq!(seen[2].appeared, [2]);
}

#[test]
fn who_stays_inside_a_larger_one_appears_later() {
    let mother = Rect { x0: 0.0, y0: 0.0, x1: 60.0, y1: 160.0 };
    let child = Rect { x0: 15.0, y0: 80.0, x1: 45.0, y1: 160.0 };
    let mut run = Run::new(Settings::default());
    let appeared: Vec<Vec<u64>> = (0..20).map(|_| run.see(&[mother, child]).appeared).collect();
    let at = |id: u64| appeared.iter().position(|ids| ids.contains(&id));
    assert_eq!((at(1), at(2)), (Some(2), Some(14)));
    // A part is seen now and then.
    let mut run = Run::new(Settings::default());
    for frame in 0..60 {
        let both = [mother, child];
        assert!(ids(&run.see(&both[..if frame % 6 < 3 { 2 } else { 1 }])).len() <= 1, "{frame}");
    }
}

#[test]
fn a_sight_of_a_part_does_not_move_the_whole() {
    let cat = |x0: f32| Rect { x0, y0: 80.0, x1: x0 + 150.0, y1: 180.0 };
    let mut run = Run::new(Settings::default());
    for frame in 0..40u8 {
        let x = 5.0 * f32::from(frame);
        let seen = match frame {
            // Its tail alone, then both apart.
            20 => vec![Rect { x0: x + 82.0, x1: x + 156.0, ..cat(x) }],
            24 => vec![Rect { x0: x + 100.0, ..cat(x) }, Rect { x1: x + 120.0, ..cat(x) }],
            _ => vec![cat(x)],
        };
        let update = run.see(&seen);
        assert_eq!(ids(&update), if frame < 2 { vec![] } else { vec![1] }, "{frame}");
        let near = update.tracks.first().is_none_or(|track| track.rect.iou(&cat(x)) > 0.75);
        assert!(near, "{frame}: {:?}", update.tracks);
    }
}

#[test]
fn what_has_become_smaller_is_believed_in_the_end() {
    let mut run = Run::new(Settings::default());
    let far = Rect { x0: 30.0, y0: 30.0, x1: 70.0, y1: 80.0 };
    (0..5).for_each(|_| drop(run.see(&[Rect { x0: 0.0, y0: 0.0, x1: 100.0, y1: 100.0 }])));
    let updates: Vec<Update> = (0..30).map(|_| run.see(&[far])).collect();
    assert!(updates.iter().all(|update| ids(update) == [1]), "{updates:?}");
    assert!(updates[29].tracks[0].rect.iou(&far) > 0.8, "{:?}", updates[29].tracks);
}

#[test]
fn what_is_seen_once_is_never_reported() {
    let mut run = Run::new(Settings::default());
    for frame in 0..20u8 {
        // Something else each time, far from what was there before.
        let update = run.see(&[at(500.0 * f32::from(frame))]);
        assert_eq!(update, Update::default());
    }
}

#[test]
fn weak_detections_continue_tracks_but_start_none() {
    let mut run = Run::new(Settings::default());
    for _ in 0..10 {
        assert_eq!(run.look(&[at(0.0)], false), Update::default());
    }
    (0..3).for_each(|_| drop(run.see(&[at(0.0)])));
    for _ in 0..50 {
        let update = run.look(&[at(0.0)], false);
        assert!(ids(&update) == [1] && update.tracks[0].seen);
    }
}

#[test]
fn unnamed_detections_start_no_track() {
    let mut run = Run::new(Settings::default());
    run.label.clear();
    (0..5).for_each(|_| assert_eq!(run.see(&[at(0.0)]), Update::default()));
}

#[test]
fn a_hidden_object_is_found_again_and_ends_after_a_while() {
    let mut run = Run::new(Settings { lost_seconds: 1.0, ..Settings::default() });
    (0..5).for_each(|_| drop(run.see(&[at(0.0)])));
    for _ in 0..10 {
        let update = run.see(&[]);
        assert!(ids(&update) == [1] && !update.tracks[0].seen && update.lost.is_empty());
    }
    assert!(run.see(&[at(3.0)]).tracks[0].seen, "it is the same track again");
    let last = 5 * FRAME;
    (0..10).for_each(|_| assert!(run.see(&[]).lost.is_empty()));
    let update = run.see(&[]);
    assert!(update.tracks.is_empty());
    assert_eq!((update.lost[0].id, update.lost[0].age), (1, last + 10 * FRAME));
    assert_eq!(run.see(&[]), Update::default(), "it ends once");
    (0..3).for_each(|_| drop(run.see(&[at(0.0)])));
    assert_eq!(ids(&run.see(&[at(0.0)])), [2], "ids are never reused");
}

#[test]
fn crossing_objects_keep_their_ids() {
    let mut run = Run::new(Settings::default());
    let mut update = Update::default();
    for frame in 0..30u8 {
        let x = 10.0 * f32::from(frame);
        update = run.see(&[at(x), at(290.0 - x)]);
    }
    assert_eq!(ids(&update), [1, 2]);
    assert!(update.tracks[0].velocity[0] > 50.0 && update.tracks[1].velocity[0] < -50.0, "{update:?}");
}

#[test]
fn a_fast_object_without_overlap_keeps_one_track() {
    let mut run = Run::new(Settings::default());
    for frame in 0..10u8 {
        run.clock += 4 * FRAME;
        let update = run.see(&[at(60.0 * f32::from(frame))]);
        assert_eq!(ids(&update), if frame < 2 { vec![] } else { vec![1] });
    }
}

#[test]
fn appearance_decides_where_position_does_not() {
    let looks: [&[f32]; 2] = [&[1.0, 0.0], &[0.0, 1.0]];
    let label = name("cup", 0.6);
    let mut tracker = Tracker::new(Settings::default()).unwrap();
    let mut look = |clock: Duration, order: [usize; 2]| {
        let of = |i: usize| Observation {
            rect: at(if i == order[0] { 0.0 } else { 6.0 }),
            labels: &label,
            confident: true,
            embedding: Some(looks[i]),
        };
        tracker.update(clock, &[of(0), of(1)])
    };
    (1..5).for_each(|i| drop(look(FRAME * i, [0, 1])));
    // They swap places between two frames.
    let update = look(FRAME * 5, [1, 0]);
    assert_eq!(ids(&update), [1, 2]);
    assert!(update.tracks[0].rect.x0 > update.tracks[1].rect.x0, "{update:?}");
}

#[test]
fn the_name_is_decided_by_votes() {
    let mut run = Run::new(Settings::default());
    for label in [name("bowl", 0.4), name("cup", 0.8), name("bowl", 0.3), name("cup", 0.9)] {
        run.label = label;
        run.see(&[at(0.0)]);
    }
    run.label = name("bowl", 0.5);
    assert_eq!(&*run.see(&[at(0.0)]).tracks[0].label, "cup");
}

#[test]
fn frames_without_detection_show_predicted_positions() {
    let mut run = Run::new(Settings::default());
    (0..10u8).for_each(|i| drop(run.see(&[at(10.0 * f32::from(i))])));
    let before = run.tracker.clone();
    let expected = run.tracker.predict(run.clock + 2 * FRAME);
    assert!(expected[0].rect.iou(&at(110.0)) > 0.8 && !expected[0].seen, "{expected:?}");
    assert_eq!(expected[0].age, 11 * FRAME);
    assert_eq!(run.tracker.predict(Duration::ZERO)[0].age, 9 * FRAME, "a clock does not go back");
    assert_eq!(run.tracker.predict(run.clock), before.predict(run.clock), "predicting changes nothing");
}

#[test]
fn a_change_of_picture_size_ends_no_track() {
    let mut run = Run::new(Settings::default());
    (0..5).for_each(|_| drop(run.see(&[at(200.0)])));
    run.tracker.resize((640, 480), (320, 240));
    let half = Rect { x0: 100.0, y0: 10.0, x1: 120.0, y1: 30.0 };
    let update = run.see(&[half]);
    assert!(ids(&update) == [1] && update.tracks[0].seen && update.tracks[0].rect.iou(&half) > 0.9);
    run.tracker.resize((0, 0), (0, 0));
    assert_eq!(ids(&run.see(&[half])), [1]);
}

#[test]
fn a_slow_camera_is_tracked_too() {
    let mut run = Run::new(Settings { lost_seconds: 1.0, ..Settings::default() });
    for frame in 0..6u8 {
        run.clock += Duration::from_secs(10);
        let update = run.see(&[at(2.0 * f32::from(frame))]);
        assert_eq!(ids(&update), if frame < 2 { vec![] } else { vec![1] });
    }
}

#[test]
fn rejected_settings_leave_the_old_ones() {
    let wrong = Settings { gate: f32::NAN, ..Settings::default() };
    assert!(Tracker::new(wrong.clone()).is_err());
    let mut run = Run::new(Settings::default());
    assert!(run.tracker.set_settings(wrong).is_err());
    run.tracker.set_settings(Settings { confirm_hits: 1, ..Settings::default() }).unwrap();
    assert_eq!(run.see(&[at(0.0)]).appeared, [1]);
}

#[test]
fn any_observation_gives_finite_tracks() {
    let edges = [f32::NAN, f32::INFINITY, -1e30, -500.0, 0.0, 1e-20, 40.0, 40.0, 640.0, 9e5, f32::MAX];
    let clocks = [0, 0, 1, 1, 1_000_000, 10, u64::MAX / 2, u64::MAX];
    let (label, odd) = (name("cup", 0.6), [("x".into(), f32::NAN), ("y".into(), 1e30)]);
    let embeddings: [Option<&[f32]>; 5] =
        [None, Some(&[]), Some(&[f32::NAN, 1.0]), Some(&[f32::MAX; 2]), Some(&[0.6, 0.8])];
    let mut tracker = Tracker::new(Settings { confirm_hits: 1, ..Settings::default() }).unwrap();
    let mut turn = 0usize;
    for clock in clocks.iter().cycle().take(40) {
        let mut observations = Vec::new();
        for (i, &x0) in edges.iter().enumerate() {
            for &x1 in &edges {
                turn += 1;
                let rect =
                    Rect { x0, y0: edges[(i + turn) % edges.len()], x1, y1: edges[turn % edges.len()] };
                let labels = if turn.is_multiple_of(3) { &odd[..] } else { &label };
                let (confident, embedding) = (!turn.is_multiple_of(4), embeddings[turn % 5]);
                observations.push(Observation { rect, labels, confident, embedding });
            }
        }
        let update = tracker.update(Duration::from_secs(*clock), &observations);
        assert!(update.tracks.is_sorted_by_key(|track| track.id) && !update.tracks.is_empty());
        for track in update.tracks.iter().chain(&update.lost) {
            let Rect { x0, y0, x1, y1 } = track.rect;
            let numbers = [x0, y0, x1, y1, track.velocity[0], track.velocity[1]];
            assert!(numbers.iter().all(|v| v.is_finite()) && x1 >= x0 && y1 >= y0, "{track:?}");
            assert!((0.0..=1.0).contains(&track.score), "{track:?}");
        }
    }
}

#[test]
fn where_nobody_looked_a_target_waits_and_is_not_seen() {
    let settings = Settings { confirm_hits: 2, ..Settings::default() };
    let mut tracker = Tracker::new(settings).unwrap();
    let labels = [("bird".into(), 0.9)];
    let rect = Rect { x0: 100.0, y0: 100.0, x1: 120.0, y1: 120.0 };
    let bird = Observation { rect, labels: &labels, confident: true, embedding: None };
    let clock = |second: u64| Duration::from_secs(second);
    tracker.update(clock(0), &[bird]);
    // Unconfirmed, it would not outlive two misses.
    for second in 1..4 {
        assert_eq!(tracker.update_seen(clock(second), &[], |rect| rect.x0 > 500.0), Update::default());
        assert_eq!(tracker.expected(clock(second)).len(), 1);
    }
    let update = tracker.update(clock(4), &[bird]);
    assert_eq!((update.appeared.len(), update.tracks[0].seen), (1, true));
    let update = tracker.update_seen(clock(60), &[], |_| false);
    assert_eq!((update.lost.len(), update.tracks[0].seen), (0, false), "out of view is not out of sight");
    let update = tracker.update(clock(61), &[]);
    assert_eq!((update.lost.len(), update.tracks.len()), (1, 0), "out of sight since the fourth second");
}
