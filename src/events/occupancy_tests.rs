use super::super::script::Script;

const ROOM: &str = "[[zone]]\nname = 'room'\nbox = [0, 0, 1, 1]\nlabels = ['cat', 'dog']\n";

/// Occupancy events only.
fn events(script: &mut Script, frames: &str) -> Vec<String> {
    script.run(frames).into_iter().filter(|line| line.contains("occupancy")).collect()
}

#[test]
fn changes_are_reported_when_most_frames_agree() {
    let frames = "
        0 1:cat@.5,.5
        1 1:cat@.5,.5 2:cat@.3,.5
        2 1:cat@.5,.5 2:cat@.3,.5 3:dog@.2,.5
        3 1:cat@.5,.5 2:cat@.3,.5
        4 2:cat@.3,.5
        5 2:cat@.3,.5
        6
        7
        8
        9";
    let expected = [
        "2 occupancy room cat 0 to 1",
        "3 occupancy room cat 1 to 2",
        "6 occupancy room cat 2 to 1",
        "8 occupancy room cat 1 to 0",
    ];
    assert_eq!(events(&mut Script::new(ROOM), frames), expected);
}

#[test]
fn flicker_is_not_reported() {
    let frames: String = (0..60)
        .map(|i| format!("{i} 1:cat@.5,.5 {}\n", if i % 4 == 3 { "9:dog@.1,.5" } else { "" }))
        .collect();
    assert_eq!(events(&mut Script::new(ROOM), &frames), ["2 occupancy room cat 0 to 1"]);
}

#[test]
fn hidden_objects_count_until_they_are_lost() {
    let frames: String =
        (0..20).map(|i| format!("{i} 1:cat@.5,.5{}\n", if i > 3 { "?" } else { "" })).collect();
    assert_eq!(events(&mut Script::new(ROOM), &frames), ["2 occupancy room cat 0 to 1"]);
}

#[test]
fn frames_without_detection_do_not_count() {
    let mut script = Script::new(ROOM);
    let frames: String = (1..20).map(|i| format!("{i} - 1:cat@.5,.5?\n")).collect();
    assert!(events(&mut script, &format!("0 1:cat@.5,.5\n{frames}")).is_empty());
    assert_eq!(events(&mut script, "20 1:cat@.5,.5\n21 1:cat@.5,.5"), ["21 occupancy room cat 0 to 1"]);
}

#[test]
fn renamed_objects_count_by_their_new_name() {
    let mut script = Script::new(&format!("{ROOM}\n[occupancy]\nframes = 1\n"));
    let events = events(&mut script, "0 1:cat@.5,.5\n1 1:dog@.5,.5\n2 1:cow@.5,.5");
    let expected = [
        "0 occupancy room cat 0 to 1",
        "1 occupancy room cat 1 to 0",
        "1 occupancy room dog 0 to 1",
        "2 occupancy room dog 1 to 0",
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_longer_median_after_a_reload_reports_nothing_by_itself() {
    let mut script = Script::new(&format!("{ROOM}\n[occupancy]\nframes = 1\n"));
    assert_eq!(events(&mut script, "0 1:cat@.5,.5").len(), 1);
    script.reload(&format!("{ROOM}\n[occupancy]\nframes = 9\n"));
    assert!(events(&mut script, "1 1:cat@.5,.5\n2 1:cat@.5,.5").is_empty());
}
