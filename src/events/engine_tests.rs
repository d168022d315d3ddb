use super::super::script::{Script, text};
use super::*;
use crate::geometry::Rect;

const ROOM: &str = "[[zone]]\nname = 'room'\nbox = [0, 0, 1, 1]\ndwell = 5\n[occupancy]\nframes = 1\n";

fn frame(script: &mut Script, seconds: f64, items: &str) -> Vec<String> {
    let mut out = Vec::new();
    script.frame(seconds, items, &mut out);
    out.iter().map(text).collect()
}

#[test]
fn tracks_appear_first_and_disappear_last() {
    let mut script = Script::new(ROOM);
    let came = ["appear 1 cat", "enter room 1 cat", "occupancy room cat 0 to 1"];
    assert_eq!(frame(&mut script, 0.0, "1:cat@.5,.5"), came);
    let went = ["leave room 1 cat after 0", "occupancy room cat 1 to 0", "disappear 1 cat after 0"];
    assert_eq!(frame(&mut script, 1.0, ""), went);
}

#[test]
fn stays_end_when_a_lost_track_was_last_seen() {
    let mut engine = Engine::new(&Settings::default()).unwrap();
    let mut out = Vec::new();
    for second in 0..5 {
        let track = Track {
            id: 1,
            label: "cat".into(),
            score: 0.9,
            rect: Rect { x0: 1.0, y0: 1.0, x1: 9.0, y1: 9.0 },
            velocity: [0.0, 0.0],
            seen: second < 3,
            age: Duration::from_secs(second + 1),
        };
        let tracks: &[Track] = if second < 4 { &[track] } else { &[] };
        let clock = Duration::from_secs(second);
        let scene = Scene { clock, width: 10, height: 10, tracks, tags: &[], states: &[], looked: true };
        engine.update(&scene, &mut out);
    }
    assert_eq!(out.iter().map(text).collect::<Vec<_>>(), ["appear 1 cat", "disappear 1 cat after 3"]);
}

#[test]
fn time_continues_when_the_clock_jumps_back() {
    let mut script = Script::new(ROOM);
    let events = script.run(
        "
        100 1:cat@.5,.5
        102 1:cat@.5,.5
        0 1:cat@.5,.5
        2 1:cat@.5,.5
        3 1:cat@.5,.5
        4",
    );
    let expected = [
        "100 enter room 1 cat",
        "100 occupancy room cat 0 to 1",
        "3 dwell room 1 cat for 5",
        "4 leave room 1 cat after 5",
        "4 occupancy room cat 1 to 0",
    ];
    assert_eq!(events, expected);
}

#[test]
fn empty_pictures_and_invalid_boxes_are_ignored() {
    let mut script = Script::new(ROOM);
    script.run("0 1:cat@.5,.5");
    assert!(script.run("1 1:cat@nan,.5 ").is_empty());
    script.size = (0, 0);
    assert!(script.run("2 1:cat@.5,.5").is_empty());
    script.size = (64, 64);
    assert!(script.run("3 1:cat@.5,.5 1:cat@inf,.5").is_empty());
    assert_eq!(script.run("4 2:dog@nan,nan"), ["4 leave room 1 cat after 0", "4 occupancy room cat 1 to 0"]);
}

#[test]
fn the_picture_size_may_change() {
    let mut script = Script::new(ROOM);
    script.run("0 1:cat@.5,.5");
    script.size = (320, 240);
    assert_eq!(script.run("5 1:cat@.5,.5"), ["5 dwell room 1 cat for 5"]);
}

#[test]
fn objects_leave_a_removed_zone() {
    let mut script = Script::new(ROOM);
    script.run("0 1:cat@.5,.5\n2 1:cat@.5,.5");
    script.reload("");
    script.reload(ROOM);
    let expected = [
        "3 leave room 1 cat after 2",
        "3 occupancy room cat 1 to 0",
        "3 enter room 1 cat",
        "3 occupancy room cat 0 to 1",
    ];
    assert_eq!(script.run("3 1:cat@.5,.5"), expected);
}

#[test]
fn a_zone_of_the_same_name_keeps_its_visits() {
    let mut script = Script::new(ROOM);
    script.run("0 1:cat@.5,.5");
    let two = format!("[[zone]]\nname = 'first'\nbox = [0, 0, 0.1, 0.1]\n{ROOM}");
    script.reload(&two.replace("[0, 0, 1, 1]", "[0.4, 0, 1, 1]"));
    assert_eq!(script.run("5 1:cat@.5,.5"), ["5 dwell room 1 cat for 5"]);
    script.reload(&ROOM.replace("[0, 0, 1, 1]", "[0, 0, 0.1, 1]"));
    assert_eq!(script.run("6 1:cat@.5,.5"), ["6 leave room 1 cat after 5", "6 occupancy room cat 1 to 0"]);
}

#[test]
fn labels_that_no_longer_count_are_counted_down() {
    let mut script = Script::new(ROOM);
    script.run("0 1:cat@.5,.5");
    script.reload(&ROOM.replace("dwell", "labels = ['dog']\ndwell"));
    assert_eq!(script.run("6 1:cat@.5,.5"), ["6 occupancy room cat 1 to 0"]);
    assert_eq!(script.run("7"), ["7 leave room 1 cat after 6"]);
}

#[test]
fn bad_settings_change_nothing() {
    let mut script = Script::new(ROOM);
    script.run("0 1:cat@.5,.5");
    let bad: Settings = toml::from_str("[[zone]]\nname = 'room'").unwrap();
    assert!(script.engine.reload(&bad).unwrap_err().to_string().contains("0 points"));
    assert!(Engine::new(&bad).is_err());
    assert_eq!(script.run("5 1:cat@.5,.5"), ["5 dwell room 1 cat for 5"]);
}

#[test]
fn outlines_are_zones_followed_by_lines() {
    let line = "[[line]]\nname = 'door'\nfrom = [0, 0.5]\nto = [1, 0.5]\n";
    let outlines = Script::new(&format!("{line}{ROOM}")).engine.outlines();
    let drawn: Vec<_> = outlines.iter().map(|o| (&*o.name, o.points.len(), o.closed)).collect();
    assert_eq!(drawn, [("room", 4, true), ("door", 2, false)]);
}
