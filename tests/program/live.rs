//! `edgeclip run` on films whose events are known.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::{Answer, edgeclip};

/// Runs on `films` in `folder` and gives the lines of output.
fn run(folder: &Path, films: &[&str], more: &[&str]) -> Vec<Value> {
    answer(folder, films, more).ok().json()
}

fn answer(folder: &Path, films: &[&str], more: &[&str]) -> Answer {
    let sources = films.iter().flat_map(|film| ["--source", film]);
    let arguments: Vec<&str> = ["run"].into_iter().chain(sources).chain(more.iter().copied()).collect();
    edgeclip(folder, &arguments)
}

/// Lines of one type.
fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

/// `enter gate`, `cross door forward`, `appear`, … in order.
fn events(lines: &[Value]) -> Vec<String> {
    let word =
        |line: &Value, key: &str| line[key].as_str().map(|word| format!(" {word}")).unwrap_or_default();
    let direction = |line: &Value| match line["direction"].as_str() {
        Some(direction) => format!(" {direction}"),
        None => String::new(),
    };
    let event = |line: &&Value| {
        let place = word(line, "zone") + &word(line, "line");
        format!("{}{place}{}", line["event"].as_str().unwrap(), direction(line))
    };
    of_type(lines, "event").iter().map(event).collect()
}

const CAT: [&str; 4] = ["--prompt", "cat, dog", "--threshold", "0.25"];

#[test]
fn a_walk_gives_one_track_and_its_events_in_order() {
    let folder = tempdir().unwrap();
    film(folder.path(), "walk.y4m", &Studio::new().walk(24), 8);
    let zones = ["--zone", "right=0.6,0,1,1", "--line", "middle=0.5,1,0.5,0"];
    let lines = run(folder.path(), &["walk.y4m"], &[&CAT[..], &zones].concat());
    let frames = of_type(&lines, "frame");
    assert_eq!(frames.len(), 24, "a film loses no frame");
    assert_eq!(
        frames.iter().map(|line| line["frame"].as_u64().unwrap()).collect::<Vec<_>>(),
        (0..24).collect::<Vec<_>>()
    );
    let ids: Vec<u64> = frames
        .iter()
        .flat_map(|line| line["tracks"].as_array().unwrap())
        .map(|track| track["id"].as_u64().unwrap())
        .collect();
    assert!(ids.len() > 15 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let found = events(&lines);
    let moved: Vec<&String> =
        found.iter().filter(|event| !event.starts_with("tag") && !event.starts_with("occupancy")).collect();
    assert_eq!(moved.first().map(|event| event.as_str()), Some("appear"), "{found:?}");
    let position = |event: &str| {
        found
            .iter()
            .position(|found| found.starts_with(event))
            .unwrap_or_else(|| panic!("{event}: {found:?}"))
    };
    assert!(position("cross middle") < position("enter right"), "{found:?}");
    assert_eq!(found.iter().filter(|event| event.starts_with("cross")).count(), 1, "{found:?}");
}

#[test]
fn a_walk_through_a_wide_picture_is_one_thing_at_two_frames_a_second() {
    let folder = tempdir().unwrap();
    let studio = Studio::new();
    let frames: Vec<_> = (0..107).map(|i| studio.placed((640, 320), Some((5 * i - 20, 80)))).collect();
    film(folder.path(), "walk.y4m", &frames, 10);
    let zones = ["--prompt", "cat", "--line", "mid=0.5,0,0.5,1", "--zone", "all=0,0,1,1"];
    let lines = run(folder.path(), &["walk.y4m"], &[&zones[..], &["--fps", "2", "--events-only"]].concat());
    let count = |kind: &str| lines.iter().filter(|line| line["event"] == kind).count();
    let most = lines.iter().filter(|line| line["event"] == "occupancy");
    let most = most.map(|line| line["count"].as_u64().unwrap()).max();
    assert_eq!((count("appear"), count("cross"), most), (1, 1, Some(1)), "{:?}", events(&lines));
}

#[test]
fn the_last_line_of_status_tells_how_long_each_stage_took() {
    let folder = tempdir().unwrap();
    film(folder.path(), "walk.y4m", &Studio::new().walk(8), 8);
    let lines = run(
        folder.path(),
        &["walk.y4m"],
        &[&CAT[..], &["--status", "3600", "--annotate", "frames"]].concat(),
    );
    let [status] = of_type(&lines, "status")[..] else { panic!("{lines:?}") };
    let frames = of_type(&lines, "frame");
    for stage in ["queue", "decode", "preprocess", "vision", "regions", "match", "track"] {
        let mut took: Vec<f64> =
            frames.iter().map(|line| line["timing_ms"][stage].as_f64().unwrap()).collect();
        took.sort_by(f64::total_cmp);
        // Nearest rank of 8 looks: the fourth and the last.
        let [p50, p99] = ["p50", "p99"].map(|rank| status["stages_ms"][stage][rank].as_f64().unwrap());
        assert!(
            (p50 - took[3]).abs() < 0.002 && (p99 - took[7]).abs() < 0.002,
            "{stage}: {p50} {p99} of {took:?}"
        );
    }
    let least = |line: &Value| {
        line["timing_ms"]["queue"].as_f64().unwrap() + line["timing_ms"]["total"].as_f64().unwrap()
    };
    assert!(
        frames.iter().all(|line| line["latency_ms"].as_f64().unwrap() > least(line) - 0.01),
        "{frames:?}"
    );
    let names: Vec<&str> =
        status["sinks"].as_array().unwrap().iter().map(|sink| sink["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["standard output", "frames"]);
    assert!(status["fps_captured"].as_f64() > Some(0.0), "{status}");
}

#[test]
fn looks_are_as_often_as_asked_for_by_the_films_own_clock() {
    let folder = tempdir().unwrap();
    film(folder.path(), "walk.y4m", &Studio::new().walk(20), 10);
    let looked = |fps: &str| {
        of_type(&run(folder.path(), &["walk.y4m"], &[&CAT[..], &["--fps", fps]].concat()), "frame").len()
    };
    assert_eq!((looked("2"), looked("5"), looked("auto")), (4, 10, 20));
}

#[test]
fn a_still_scene_is_not_looked_at_again() {
    let folder = tempdir().unwrap();
    let studio = Studio::new();
    let mut frames = vec![studio.picture(Some(20)); 8];
    frames.extend(vec![studio.picture(Some(90)); 8]);
    film(folder.path(), "still.y4m", &frames, 8);
    let lines = run(folder.path(), &["still.y4m"], &[&CAT[..], &["--skip-still"]].concat());
    let frames: Vec<u64> =
        of_type(&lines, "frame").iter().map(|line| line["frame"].as_u64().unwrap()).collect();
    assert_eq!(frames, [0, 8], "once a scene");
    assert!(events(&lines).contains(&"appear".to_owned()), "what is there is still followed: {lines:?}");
}

#[test]
fn a_zone_tells_its_state() {
    let folder = tempdir().unwrap();
    let mut frames = vec![Studio::with("coffee.jpg").picture(Some(20)); 20];
    frames.extend(vec![Studio::new().picture(Some(20)); 30]);
    film(folder.path(), "bed.y4m", &frames, 5);
    let config = "
        prompt = 'person'
        fps = 5
        [[source]]
        url = 'bed.y4m'
        name = 'bedroom'
        [[zone]]
        name = 'bed'
        box = [0.05, 0.25, 0.55, 0.75]
        prompts = ['cat', 'free = cup of coffee']
        debounce = 1
    ";
    fs::write(folder.path().join("edgeclip.toml"), config).unwrap();
    let lines = edgeclip(folder.path(), &["run", "--config", "edgeclip.toml", "--events-only"]).ok().json();
    let states: Vec<&str> = lines
        .iter()
        .filter(|line| line["event"] == "state")
        .map(|line| line["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["free", "cat"], "{lines:?}");
    assert!(of_type(&lines, "frame").is_empty());
    assert!(lines.iter().all(|line| line["source"] == "bedroom"));
}

#[test]
fn several_sources_take_turns() {
    let folder = tempdir().unwrap();
    let walk = Studio::new().walk(6);
    film(folder.path(), "a.y4m", &walk, 2);
    film(folder.path(), "b.y4m", &walk, 2);
    let lines = run(folder.path(), &["a.y4m", "b.y4m"], &CAT);
    let order: Vec<&str> =
        of_type(&lines, "frame").iter().map(|line| line["source"].as_str().unwrap()).collect();
    assert_eq!((order.len(), order.iter().filter(|source| **source == "a.y4m").count()), (12, 6));
    let longest = order.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
    assert!(longest <= 3, "{order:?}");
}

#[test]
fn a_configuration_comes_back_as_it_is_printed() {
    let folder = tempdir().unwrap();
    let flags =
        ["--prompt", "cat", "--fps", "2.5", "--zone", "bed=0.1,0.2,0.5,0.9", "--set", "track.confirm_hits=2"];
    let source = ["run", "--source", "a.y4m", "--camera-fps", "10", "--print-config"];
    let printed = edgeclip(folder.path(), &[&source[..], &flags].concat()).ok().stdout;
    for line in [
        "prompt = \"cat\"",
        "fps = 2.5",
        "url = \"a.y4m\"",
        "camera_fps = 10",
        "confirm_hits = 2",
        "name = \"bed\"",
    ] {
        assert!(printed.contains(line), "no {line} in:\n{printed}");
    }
    fs::write(folder.path().join("again.toml"), &printed).unwrap();
    let again = edgeclip(folder.path(), &["run", "--config", "again.toml", "--print-config"]).ok().stdout;
    assert_eq!(again, printed);
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_in_one_line() {
    let folder = tempdir().unwrap();
    let refused = |text: &str, parts: &[&str]| {
        fs::write(folder.path().join("bad.toml"), text).unwrap();
        edgeclip(folder.path(), &["run", "--config", "bad.toml"]).refuses(parts);
    };
    refused("promt = 'cat'", &["bad.toml, line 1", "the unknown key promt", "expected prompt"]);
    refused("fps = 2", &["no source", "--source"]);
    refused("prompt = 'cat'\n[[source]]\nurl = 'none.y4m'", &["none.y4m: found nothing there"]);
    refused("prompt = 'cat'\n[[zone]]\nname = 'a'\nbox = [0, 0, 320, 240]", &["a", "0 to 1"]);
    let both = ["run", "--source", "a.y4m", "--prompt", "cat", "--vocab", "x.safetensors"];
    fs::write(folder.path().join("a.y4m"), "YUV4MPEG2 W4 H4 F1:1 C444\n").unwrap();
    edgeclip(folder.path(), &both).refuses(&["both prompt and vocab"]);
    edgeclip(folder.path(), &["run", "--zone", "gate=1,2", "--source", "a.y4m"])
        .refuses(&["--zone", "NAME=x0,y0,x1,y1"]);
    edgeclip(folder.path(), &["run", "--camera-fps", "5", "--prompt", "x"])
        .refuses(&["--camera-fps", "--source"]);
}

#[test]
fn a_password_is_never_printed() {
    let folder = tempdir().unwrap();
    film(folder.path(), "walk.y4m", &Studio::new().walk(6), 2);
    let camera = "rtsp://user:secret@127.0.0.1:1/stream";
    let both = answer(folder.path(), &["walk.y4m", camera], &[&CAT[..], &["--frames", "6"]].concat());
    let alone = answer(folder.path(), &[camera], &[&CAT[..], &["--follow"]].concat());
    let unknown = answer(folder.path(), &["ftp://user:secret@host/film"], &CAT);
    assert!(both.stderr.contains("rtsp://127.0.0.1:1/stream: "), "{both:?}");
    for answer in [both, alone, unknown] {
        assert!(!format!("{answer:?}").contains("secret"), "{answer:?}");
    }
}
