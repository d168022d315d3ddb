use super::super::script::Script;

const SCENE: &str = "[scene]\nsmoothing = 0\n";

fn events(frames: &str) -> Vec<String> {
    Script::new(SCENE).run(frames)
}

#[test]
fn tags_appear_and_disappear_after_the_hold_time() {
    let frames = "
        0 rain=.6 snow=.1
        1 rain=.6 snow=.1
        2 rain=.7 snow=.1
        3 rain=.4 snow=.1
        6 rain=.4 snow=.1
        7 rain=.2 snow=.1
        8 rain=.2 snow=.1
        9 rain=.1 snow=.1";
    assert_eq!(events(frames), ["2 tag rain true 0.70", "9 tag rain false 0.10"]);
}

#[test]
fn between_both_thresholds_nothing_changes() {
    let frames: String =
        (0..60).map(|i| format!("{i} rain={}\n", if i % 2 == 0 { 0.31 } else { 0.9 })).collect();
    assert!(events(&frames).is_empty());
    assert_eq!(events(&format!("0 rain=.9\n2 rain=.9\n{}", frames.replace("\n", "\n1"))).len(), 1);
}

#[test]
fn time_passes_without_detection() {
    assert_eq!(events("0 rain=.9\n1 -\n2 -\n9 -"), ["2 tag rain true 0.90"]);
}

#[test]
fn only_watched_tags_are_reported() {
    let mut script = Script::new(&format!("{SCENE}tags = ['snow']\n"));
    assert_eq!(script.run("0 rain=.9 snow=.9\n2 rain=.9 snow=.9"), ["2 tag snow true 0.90"]);
}

#[test]
fn a_label_threshold_moves_both_bounds() {
    let mut script = Script::new(&format!("{SCENE}[[label]]\nname = 'rain'\nthreshold = 0.8\n"));
    // 0.8 · 0.3 / 0.5 = 0.48.
    let frames =
        "0 rain=.7\n3 rain=.7\n4 rain=.8\n6 rain=.8\n7 rain=.49\n9 rain=.49\n10 rain=.47\n12 rain=.47";
    assert_eq!(script.run(frames), ["6 tag rain true 0.80", "12 tag rain false 0.47"]);
}

#[test]
fn averaging_absorbs_single_errors() {
    let frames: String = (0..100)
        .map(|i| format!("{} rain={}\n", f64::from(i) / 5.0, if i % 5 == 4 { 0.0 } else { 0.9 }))
        .collect();
    assert!(events(&frames).is_empty());
    assert_eq!(Script::new("[scene]\nsmoothing = 1\n").run(&frames).len(), 1);
}

#[test]
fn tags_that_are_no_longer_watched_disappear() {
    let mut script = Script::new(SCENE);
    script.run("0 rain=.9 snow=.9 fog=.1\n2 rain=.9 snow=.9 fog=.1");
    assert_eq!(script.run("3 fog=.1 snow=.9\n5 fog=.1 snow=.9"), ["5 tag rain false 0.00"]);
    assert!(script.run("6 fog=.1 snow=.9\n20 snow=.9").is_empty());
    script.reload(&format!("{SCENE}tags = ['fog']\n"));
    assert_eq!(
        script.run("21 fog=.9 snow=.9\n23 fog=.9 snow=.9"),
        ["23 tag fog true 0.90", "23 tag snow false 0.00"]
    );
}

#[test]
fn a_reload_reports_nothing_twice() {
    let mut script = Script::new(SCENE);
    assert_eq!(script.run("0 rain=.9 snow=nan\n2 rain=.9 snow=nan").len(), 1);
    script.reload(SCENE);
    assert!(script.run("3 snow=.1 rain=.9\n9 snow=.1 rain=.9").is_empty());
}
