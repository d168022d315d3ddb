use super::super::script::Script;

const GATE: &str = "
    [[zone]]
    name = 'gate'
    points = [[0.2, 0.4], [0.8, 0.3], [0.5, 0.9]]
    prompts = ['open = open gate', 'closed gate']
    smoothing = 0\n";

fn told(frames: &str) -> Vec<String> {
    Script::new(GATE).run(frames)
}

#[test]
fn states_are_told_once_they_have_held() {
    let frames = "
        0 #0=.8/.1
        1 #0=.8/.1
        2 #0=.8/.1
        3 #0=.1/.7
        4 #0=.1/.7
        5 #0=.1/.7
        6 #0=.1/.7";
    assert_eq!(told(frames), ["2 state gate nothing to open 0.80", "5 state gate open to closed gate 0.70"]);
}

#[test]
fn what_does_not_hold_is_not_told() {
    let frames: String =
        (0..40).map(|i| format!("{i} #0={}\n", if i % 4 < 2 { ".9/.1" } else { ".1/.9" })).collect();
    assert!(told(&frames).is_empty());
}

#[test]
fn nothing_is_shown_while_no_prompt_stands_out() {
    assert!(told("0 #0=.45/.55\n3 #0=.45/.55\n6 #0=0/0\n9 #0=0/0").is_empty());
    // What was shown stays.
    let frames = "0 #0=.9/.1\n2 #0=.9/.1\n4 #0=.4/.5\n8 #0=.4/.5\n9 #0=.9/.1\n12 #0=.9/.1";
    assert_eq!(told(frames), ["2 state gate nothing to open 0.90"]);
    let mut even = Script::new(&format!("{GATE}margin = 0\n"));
    assert!(even.run("0 #0=.5/.5\n9 #0=.5/.5").is_empty());
}

#[test]
fn averages_swallow_single_mistakes() {
    let gate = GATE.replace("smoothing = 0", "smoothing = 2");
    let frames: String = (0..100)
        .map(|i| format!("{} #0={}\n", f64::from(i) / 5.0, if i % 6 == 5 { ".2/.8" } else { ".9/.1" }))
        .collect();
    let told = Script::new(&gate).run(&frames);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("2 state gate nothing to open"), "{told:?}");
}

#[test]
fn time_goes_on_while_nobody_looks() {
    assert_eq!(told("0 #0=.9/.1\n1 -\n2 -\n3 -"), ["2 state gate nothing to open 0.90"]);
}

#[test]
fn broken_probabilities_are_left_out() {
    let frames = "0 #0=.9/.1\n1 #0=nan/.9\n2 #0=.1/.2/.9\n3 #7=.1/.9\n4 #0=.9/.1";
    assert_eq!(told(frames), ["2 state gate nothing to open 0.90"]);
}

#[test]
fn the_outline_shows_the_state() {
    let mut script = Script::new(GATE);
    let before = script.engine.outlines();
    assert_eq!((before[0].closed, before[0].points.len(), before[0].state.as_deref()), (true, 3, None));
    script.run("0 #0=.1/.9\n2 #0=.1/.9");
    assert_eq!(script.engine.outlines()[0].state.as_deref(), Some("closed gate"));
}

#[test]
fn the_pipeline_is_told_what_to_ask() {
    let plain = "[[zone]]\nname = 'door'\nbox = [0, 0, 1, 1]\n";
    let zones = Script::new(&format!("{plain}{GATE}")).engine.state_zones();
    assert_eq!(zones.len(), 1);
    assert_eq!((zones[0].zone, zones[0].rect), (1, [0.2, 0.3, 0.8, 0.9]));
    let prompts: Vec<(&str, &str)> = zones[0].prompts.iter().map(|(name, text)| (&**name, &**text)).collect();
    assert_eq!(prompts, [("open", "open gate"), ("closed gate", "closed gate")]);
}

#[test]
fn a_reload_keeps_the_state_if_there_is_still_such_a_prompt() {
    let mut script = Script::new(GATE);
    script.run("0 #0=.9/.1\n2 #0=.9/.1");
    script.reload(&GATE.replace("'closed gate'", "'closed gate', 'ajar = half open gate'"));
    assert_eq!(script.engine.outlines()[0].state.as_deref(), Some("open"));
    let told = script.run("3 #0=.1/.2/.9\n5 #0=.1/.2/.9");
    assert_eq!(told, ["5 state gate open to ajar 0.90"]);
    script.reload(GATE);
    assert_eq!(script.engine.outlines()[0].state, None);
    let told = script.run("6 #0=.1/.9\n8 #0=.1/.9");
    assert_eq!(told, ["8 state gate nothing to closed gate 0.90"]);
}
