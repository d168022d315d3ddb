use super::super::script::Script;

/// The right half of the picture.
const GATE: &str = "[[zone]]\nname = 'gate'\nbox = [0.5, 0, 1, 1]\n[occupancy]\nframes = 99\n";

/// The events of a zone with additional keys.
fn events(keys: &str, frames: &str) -> Vec<String> {
    let settings = GATE.replace("[occ", &format!("{keys}\n[occ"));
    Script::new(&settings).run(frames)
}

#[test]
fn an_object_enters_stays_and_leaves() {
    let frames = "
        0 1:person@.2,.5
        1 1:person@.4,.5
        2 1:person@.6,.5
        3 1:person@.7,.5
        4 1:person@.8,.5
        5 1:person@.3,.5
        6 1:person@.2,.5";
    let expected = ["2 enter gate 1 person", "4 dwell gate 1 person for 2", "5 leave gate 1 person after 2"];
    assert_eq!(events("dwell = 2", frames), expected);
    assert_eq!(events("", frames), [expected[0], expected[2]]);
}

#[test]
fn jitter_at_the_border_is_reported_once() {
    let frames: String =
        (0..50).map(|i| format!("{i} 1:person@{},.5\n", if i % 2 == 0 { 0.49 } else { 0.51 })).collect();
    assert_eq!(events("", &frames), ["1 enter gate 1 person"]);
    // It is without hysteresis.
    assert_eq!(events("jitter = 0", &frames).len(), 50 - 1);
}

#[test]
fn an_object_lost_inside_leaves_with_its_stay_until_last_seen() {
    let frames = "
        0 1:person@.6,.5
        1 1:person@.6,.5
        2 1:person@.6,.5?
        3 1:person@.1,.5?
        4
        5";
    assert_eq!(events("", frames), ["0 enter gate 1 person", "4 leave gate 1 person after 1"]);
}

#[test]
fn predicted_positions_do_not_count() {
    let frames = "
        0 1:person@.4,.5
        1 - 1:person@.6,.5?
        2 1:person@.6,.5?
        3 1:person@.4,.5
        4 1:person@.6,.5
        5 - 1:person@.2,.5?
        6 1:person@.6,.5";
    assert_eq!(events("", frames), ["4 enter gate 1 person"]);
}

#[test]
fn a_stay_continues_without_detection() {
    let frames = "
        0 1:car@.6,.5
        5 - 1:car@.6,.5?
        10 - 1:car@.6,.5?
        15 - 1:car@.6,.5?
        16 1:car@.6,.5?
        17 ";
    let expected = ["0 enter gate 1 car", "10 dwell gate 1 car for 10", "17 leave gate 1 car after 15"];
    assert_eq!(events("dwell = 10", frames), expected);
}

#[test]
fn a_second_visit_dwells_again() {
    let frames = "
        0 1:person@.6,.5
        3 1:person@.6,.5
        4 1:person@.2,.5
        5 1:person@.6,.5
        8 1:person@.6,.5
        9 1:person@.6,.5";
    let events = events("dwell = 3", frames);
    assert_eq!(events.iter().filter(|line| line.contains("dwell")).count(), 2);
    assert_eq!(events[4], "8 dwell gate 1 person for 3");
}

#[test]
fn only_accepted_objects_enter() {
    let frames = "
        0 1:person@.6,.5 2:dog@.7,.5 3:person@.8,.5x.2
        1 1:person@.6,.5 2:dog@.7,.5 3:person@.8,.5x.6";
    // A box of scale 1 covers 0.02 of the picture.
    let expected = ["0 enter gate 1 person", "1 enter gate 3 person"];
    assert_eq!(events("labels = ['person']\nmin_area = 0.005", frames), expected);
    let label = "[[label]]\nname = 'dog'\nmin_area = 0.5\n";
    assert_eq!(events(label, frames), ["0 enter gate 1 person", "0 enter gate 3 person"]);
}

#[test]
fn the_threshold_applies_to_the_median_score() {
    let label = "[[label]]\nname = 'dog'\nthreshold = 0.5\n[occupancy]\nframes = 3\n";
    let mut script = Script::new(&GATE.replace("[occupancy]\nframes = 99\n", label));
    let frames = "
        0 1:dog@.6,.5*.4
        1 1:dog@.6,.5*.4
        2 1:dog@.6,.5*.9
        3 1:dog@.6,.5*.9
        4 1:dog@.6,.5*.1
        5 1:dog@.6,.5*.1
        6 1:dog@.6,.5*.1";
    let expected = ["3 enter gate 1 dog", "4 occupancy gate dog 0 to 1"];
    assert_eq!(script.run(frames), expected);
}

#[test]
fn scores_of_another_name_do_not_count() {
    let frames = "
        0 1:dog@.6,.5*.9
        1 1:dog@.6,.5*.9
        2 1:person@.6,.5*.2";
    let keys = "labels = ['person']\n[[label]]\nname = 'person'\nthreshold = 0.5\n";
    assert!(events(keys, frames).is_empty());
}

#[test]
fn a_visit_keeps_its_initial_name() {
    let frames = "
        0 1:dog@.6,.5
        1 1:person@.6,.5
        2 1:dog@.6,.5
        3 1:dog@.1,.5";
    assert_eq!(
        events("labels = ['person']", frames),
        ["1 enter gate 1 person", "3 leave gate 1 person after 1"]
    );
}

#[test]
fn the_anchor_is_configurable() {
    // The box extends from .3 to .5 of the height.
    let zone = |anchor: &str| {
        let keys = format!("[[zone]]\nname = 'a'\nbox = [0, 0, 1, 0.45]\nanchor = '{anchor}'");
        Script::new(&keys).run("0 1:person@.5,.5").len()
    };
    assert_eq!((zone("bottom"), zone("centre"), zone("center")), (0, 1, 1));
}

#[test]
fn objects_at_the_edge_of_the_picture_are_inside() {
    for place in ["1,1", "1.05,1.1", ".5,1", "1,0"] {
        assert_eq!(events("", &format!("0 1:person@{place}")), ["0 enter gate 1 person"], "{place}");
    }
}
