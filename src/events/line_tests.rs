use super::super::script::Script;

/// From left to right across the middle of the picture: forward is down.
const DOOR: &str = "[[line]]\nname = 'door'\nfrom = [0.2, 0.5]\nto = [0.8, 0.5]\n";

fn events(frames: &str) -> Vec<String> {
    Script::new(DOOR).run(frames)
}

/// One person's path through the given points.
fn way(places: &[(f64, f64)]) -> Vec<String> {
    events(
        &places.iter().enumerate().map(|(i, (x, y))| format!("{i} 1:person@{x},{y}\n")).collect::<String>(),
    )
}

#[test]
fn forward_and_back_are_counted_by_name() {
    let frames = "
        0 1:person@.5,.4 2:dog@.6,.6
        1 1:person@.5,.6 2:dog@.6,.4
        2 1:person@.5,.4 2:dog@.6,.6
        3 1:person@.5,.6 2:dog@.6,.6";
    let expected = [
        "1 cross door 1 person forward 1/0",
        "1 cross door 2 dog backward 0/1",
        "2 cross door 1 person backward 1/1",
        "2 cross door 2 dog forward 1/1",
        "3 cross door 1 person forward 2/1",
    ];
    assert_eq!(events(frames), expected);
}

#[test]
fn a_line_the_other_way_round_swaps_forward_and_backward() {
    let mut script = Script::new("[[line]]\nname = 'door'\nfrom = [0.8, 0.5]\nto = [0.2, 0.5]\n");
    let events = script.run("0 1:person@.5,.4\n1 1:person@.5,.6");
    assert_eq!(events, ["1 cross door 1 person backward 0/1"]);
}

#[test]
fn fast_objects_are_counted_in_one_step() {
    assert_eq!(way(&[(0.3, 0.0), (0.7, 1.0)]), ["1 cross door 1 person forward 1/0"]);
}

#[test]
fn going_round_the_ends_is_not_crossing() {
    assert!(way(&[(0.1, 0.4), (0.1, 0.6), (0.5, 0.6), (0.9, 0.6), (0.9, 0.4), (0.5, 0.4)]).is_empty());
    // Round the end and back through the line.
    let events = way(&[(0.1, 0.4), (0.1, 0.6), (0.5, 0.6), (0.5, 0.4)]);
    assert_eq!(events, ["3 cross door 1 person backward 0/1"]);
}

#[test]
fn standing_on_the_line_counts_once_at_most() {
    let mut places = vec![(0.5, 0.3)];
    places.extend((0..40).map(|i| (0.5, if i % 2 == 0 { 0.515 } else { 0.485 })));
    assert!(way(&places).is_empty());
    places.push((0.5, 0.6));
    assert_eq!(way(&places).len(), 1);
    places.pop();
    places.push((0.5, 0.3));
    assert!(way(&places).is_empty());
}

#[test]
fn slow_walkers_are_counted_once_clearly_across() {
    let places: Vec<(f64, f64)> = (0..20).map(|i| (0.5, 0.449 + 0.005 * f64::from(i))).collect();
    assert_eq!(way(&places), ["15 cross door 1 person forward 1/0"]);
}

#[test]
fn an_object_lost_just_beyond_the_line_has_crossed() {
    let frames = "
        0 1:person@.5,.45 2:person@.6,.45
        1 1:person@.5,.51 2:person@.6,.49
        2 1:person@.5,.55? 2:person@.6,.55?
        3";
    assert_eq!(events(frames), ["3 cross door 1 person forward 1/0"]);
}

#[test]
fn unseen_motion_is_taken_as_straight() {
    let frames = "
        0 1:person@.5,.4
        1 - 1:person@.5,.6?
        2 1:person@.5,.7?
        3 1:person@.5,.4
        4 1:person@.5,.8?
        5 1:person@.5,.6";
    assert_eq!(events(frames), ["5 cross door 1 person forward 1/0"]);
}

#[test]
fn only_accepted_objects_cross() {
    let label = "labels = ['person']\n[[label]]\nname = 'person'\nthreshold = 0.5\n";
    let mut script = Script::new(&format!("{DOOR}{label}"));
    let frames = "
        0 1:person@.5,.4 2:dog@.5,.4 3:person@.5,.4*.3
        1 1:person@.5,.6 2:dog@.5,.6 3:person@.5,.6*.3";
    assert_eq!(script.run(frames), ["1 cross door 1 person forward 1/0"]);
}

#[test]
fn a_new_aspect_ratio_moves_no_object() {
    let mut script = Script::new(DOOR);
    assert!(script.run("0 1:person@.5,.4 2:person@.5,.48\n1 1:person@.5,.4 2:person@.5,.51").is_empty());
    script.size = (500, 500);
    // The second person was already over the line.
    let events = script.run("2 1:person@.5,.6 2:person@.5,.6\n3 1:person@.5,.6 2:person@.5,.6");
    assert_eq!(events, ["2 cross door 2 person forward 1/0"]);
    script.size = (1000, 1000);
    assert_eq!(script.run("4 1:person@.5,.4"), ["4 cross door 1 person backward 1/1"]);
}

#[test]
fn counts_survive_a_reload_and_positions_too_if_the_line_stays() {
    let mut script = Script::new(DOOR);
    script.run("0 1:person@.5,.4\n1 1:person@.5,.6");
    script.reload(DOOR);
    assert_eq!(script.run("2 1:person@.5,.4"), ["2 cross door 1 person backward 1/1"]);
    script.reload(&DOOR.replace("0.5]", "0.3]"));
    assert!(script.run("3 1:person@.5,.2\n").is_empty());
    assert_eq!(script.run("4 1:person@.5,.4"), ["4 cross door 1 person forward 2/1"]);
}
