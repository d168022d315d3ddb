use super::*;

/// The settings shown in the documentation.
fn example() -> String {
    let document = include_str!("../../docs/events.md");
    document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

fn error(settings: &str) -> String {
    toml::from_str::<Settings>(settings).unwrap().check().unwrap_err().to_string()
}

#[test]
fn the_documented_example_is_valid_and_round_trips() {
    let settings: Settings = toml::from_str(&example()).unwrap();
    settings.check().unwrap();
    assert_eq!((settings.zones.len(), settings.lines.len(), settings.labels.len()), (2, 1, 1));
    let printed = toml::to_string(&settings).unwrap();
    assert_eq!(toml::from_str::<Settings>(&printed).unwrap(), settings);
    assert!(printed.contains("jitter = 0.02\n"), "{printed}");
}

#[test]
fn an_empty_configuration_is_valid() {
    let settings: Settings = toml::from_str("").unwrap();
    assert_eq!(settings, Settings::default());
    settings.check().unwrap();
}

#[test]
fn unknown_keys_and_missing_names_are_errors() {
    let refused = |settings: &str| toml::from_str::<Settings>(settings).unwrap_err().to_string();
    assert!(refused("[[zone]]\nname = \"a\"\ndwel = 3").contains("unknown field `dwel`"));
    assert!(refused("[[zone]]\ndwell = 3").contains("missing field `name`"));
    assert!(refused("[[line]]\nname = \"a\"\nfrom = [0, 0]").contains("missing field `to`"));
    assert!(refused("[scene]\nof = 1").contains("unknown field `of`"));
    assert!(refused("[gate]").contains("unknown field `gate`"));
}

#[test]
fn invalid_polygons_and_boxes_are_named() {
    let zone = |keys: &str| error(&format!("[[zone]]\nname = \"gate\"\n{keys}"));
    let cases = [
        ("", "0 points, expected at least 3"),
        ("points = [[0, 0], [1, 1]]", "2 points, expected at least 3"),
        ("points = [[0, 0], [320, 0], [0, 240]]", "the point [320, 0], expected fractions of the picture"),
        ("points = [[0, 0], [nan, 0], [0, 1]]", "the point [NaN, 0], expected fractions"),
        ("points = [[0, 0], [1, 0], [0, 1], [0, 0]]", "[0, 0] twice in a row, expected every corner once"),
        ("points = [[0, 0], [1, 1], [1, 0], [0, 1]]", "intersecting edges from points 1 and 3"),
        ("points = [[0, 0], [0.5, 0], [1, 0]]", "intersecting edges from points 1 and 3"),
        ("box = [0.5, 0, 0.1, 1]", "the box [0.5, 0, 0.1, 1], expected left, top, right, bottom"),
        ("box = [0, 0, inf, 1]", "the point [inf, 1], expected fractions"),
        ("box = [0, 0, 1, 1]\npoints = [[0, 0]]", "points and a box, expected one of them"),
    ];
    for (keys, expected) in cases {
        let message = zone(keys);
        assert!(message.starts_with(&format!("zone \"gate\": found {expected}")), "{message}");
    }
    let many: String = (0..1001).map(|i| format!("[{}, 0],", f64::from(i) / 1001.0)).collect();
    assert!(zone(&format!("points = [{many}]")).contains("1001 points, expected at most 1000"));
}

#[test]
fn numbers_out_of_range_are_named() {
    let zone = |keys: &str| error(&format!("[[zone]]\nname = \"gate\"\nbox = [0, 0, 1, 1]\n{keys}"));
    let cases = [
        (zone("dwell = -1"), "zone \"gate\" dwell: found -1, expected seconds from 0 to 604800"),
        (zone("debounce = nan"), "zone \"gate\" debounce: found NaN, expected seconds"),
        (zone("smoothing = inf"), "zone \"gate\" smoothing: found inf, expected seconds"),
        (zone("min_area = 1.5"), "zone \"gate\" min_area: found 1.5, expected 0 to 1"),
        (zone("jitter = nan"), "zone \"gate\" jitter: found NaN, expected 0 to 1"),
        (zone("margin = -0.1"), "zone \"gate\" margin: found -0.1, expected 0 to 1"),
        (zone("labels = [\" \"]"), "zone \"gate\": found an empty label, expected names of objects"),
        (zone("prompts = [\"open\"]"), "zone \"gate\": found 1 prompt, expected two or more"),
        (zone("prompts = [\"open\", \"=a\"]"), "zone \"gate\": found an empty prompt or name, expected"),
        (zone("prompts = [\"a = x\", \"A = y\"]"), "zone \"gate\": found the duplicate prompt \"A\""),
        (zone("prompts = [\"a = x\", \"b = X\"]"), "zone \"gate\": found the duplicate prompt \"b\""),
        (error("[occupancy]\nframes = 4"), "occupancy frames: found 4, expected an odd number up to 99"),
        (error("[occupancy]\nframes = 101"), "occupancy frames: found 101, expected an odd number"),
        (
            error("[[label]]\nname = \"cat\"\nthreshold = 2"),
            "label \"cat\" threshold: found 2, expected 0 to 1",
        ),
        (error("[[label]]\nname = \"cat\"\nmin_area = -1"), "label \"cat\" min_area: found -1, expected"),
        (error("[scene]\non = 0.4\noff = 0.5"), "scene off: found 0.5, expected at most on, 0.4"),
        (error("[scene]\non = nan"), "scene on: found NaN, expected 0 to 1"),
        (error("[scene]\nhold = -2"), "scene hold: found -2, expected seconds"),
    ];
    for (message, expected) in cases {
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn names_are_visible_and_unique() {
    let zone = |name: &str| format!("[[zone]]\nname = {name:?}\nbox = [0, 0, 1, 1]\n");
    let line = |name: &str| format!("[[line]]\nname = {name:?}\nfrom = [0, 0]\nto = [1, 1]\n");
    let duplicate = "found a duplicate name, expected unique names of zones and lines";
    assert_eq!(error(&(zone("a") + &zone("a"))), format!("zone \"a\": {duplicate}"));
    assert_eq!(error(&(zone("a") + &line("a"))), format!("line \"a\": {duplicate}"));
    assert_eq!(error(&zone(" ")), "zone name: found \" \", expected visible characters");
    assert_eq!(error(&line("")), "line name: found \"\", expected visible characters");
    let label = "[[label]]\nname = \"cat\"\n";
    assert_eq!(error(&label.repeat(2)), "label \"cat\": found a duplicate name, expected each label once");
}

#[test]
fn lines_have_two_distinct_ends() {
    let line = |to: &str| error(&format!("[[line]]\nname = \"door\"\nfrom = [0.5, 0.5]\nto = {to}"));
    assert!(line("[0.5, 0.5]").starts_with("line \"door\": found both ends at the same place"));
    assert!(line("[0.5, 480]").contains("found the point [0.5, 480], expected fractions of the picture"));
}
