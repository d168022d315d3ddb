use super::super::script::Script;

const GATE: &str = "
    [[zone]]
    name = 'gate'
    points = [[0.2, 0.4], [0.8, 0.3], [0.5, 0.9]]
    prompts = ['open = open gate', 'closed gate']
    smoothing = 0\n";

fn events(frames: &str) -> Vec<String> {
    Script::new(GATE).run(frames)
}

#[test]
fn states_are_reported_once_they_have_held() {
    let frames = "
        0 #0=.8/.1
        1 #0=.8/.1
        2 #0=.8/.1
        3 #0=.1/.7
        4 #0=.1/.7
        5 #0=.1/.7
        6 #0=.1/.7";
    assert_eq!(
        events(frames),
        ["2 state gate nothing to open 0.80", "5 state gate open to closed gate 0.70"]
    );
}

#[test]
fn short_changes_are_not_reported() {
    let frames: String =
        (0..40).map(|i| format!("{i} #0={}\n", if i % 4 < 2 { ".9/.1" } else { ".1/.9" })).collect();
    assert!(events(&frames).is_empty());
}

#[test]
fn no_state_is_reported_while_no_prompt_stands_out() {
    assert!(events("0 #0=.45/.55\n3 #0=.45/.55\n6 #0=0/0\n9 #0=0/0").is_empty());
    // The state stays.
    let frames = "0 #0=.9/.1\n2 #0=.9/.1\n4 #0=.4/.5\n8 #0=.4/.5\n9 #0=.9/.1\n12 #0=.9/.1";
    assert_eq!(events(frames), ["2 state gate nothing to open 0.90"]);
    let mut even = Script::new(&format!("{GATE}margin = 0\n"));
    assert!(even.run("0 #0=.5/.5\n9 #0=.5/.5").is_empty());
}

#[test]
fn averaging_absorbs_single_errors() {
    let gate = GATE.replace("smoothing = 0", "smoothing = 2");
    let frames: String = (0..100)
        .map(|i| format!("{} #0={}\n", f64::from(i) / 5.0, if i % 6 == 5 { ".2/.8" } else { ".9/.1" }))
        .collect();
    let events = Script::new(&gate).run(&frames);
    assert_eq!(events.len(), 1);
    assert!(events[0].starts_with("2 state gate nothing to open"), "{events:?}");
}

#[test]
fn time_passes_without_detection() {
    assert_eq!(events("0 #0=.9/.1\n1 -\n2 -\n3 -"), ["2 state gate nothing to open 0.90"]);
}

#[test]
fn invalid_probabilities_are_ignored() {
    let frames = "0 #0=.9/.1\n1 #0=nan/.9\n2 #0=.1/.2/.9\n3 #7=.1/.9\n4 #0=.9/.1";
    assert_eq!(events(frames), ["2 state gate nothing to open 0.90"]);
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
fn the_pipeline_gets_the_prompts_to_evaluate() {
    let plain = "[[zone]]\nname = 'door'\nbox = [0, 0, 1, 1]\n";
    let zones = Script::new(&format!("{plain}{GATE}")).engine.state_zones();
    assert_eq!(zones.len(), 1);
    assert_eq!((zones[0].zone, zones[0].rect), (1, [0.2, 0.3, 0.8, 0.9]));
    let prompts: Vec<(&str, &str)> = zones[0].prompts.iter().map(|(name, text)| (&**name, &**text)).collect();
    assert_eq!(prompts, [("open", "open gate"), ("closed gate", "closed gate")]);
}

#[test]
fn a_reload_keeps_the_state_if_its_prompt_remains() {
    let mut script = Script::new(GATE);
    script.run("0 #0=.9/.1\n2 #0=.9/.1");
    script.reload(&GATE.replace("'closed gate'", "'closed gate', 'ajar = half open gate'"));
    assert_eq!(script.engine.outlines()[0].state.as_deref(), Some("open"));
    let events = script.run("3 #0=.1/.2/.9\n5 #0=.1/.2/.9");
    assert_eq!(events, ["5 state gate open to ajar 0.90"]);
    script.reload(GATE);
    assert_eq!(script.engine.outlines()[0].state, None);
    let events = script.run("6 #0=.1/.9\n8 #0=.1/.9");
    assert_eq!(events, ["8 state gate nothing to closed gate 0.90"]);
}
