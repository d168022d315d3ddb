//! `edgeclip detect` and `edgeclip vocab` from end to end.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::common::{Answer, edgeclip, photo, picture};

const PROMPT: &str = "person, dog, bus = a red bus";

fn detect(folder: &Path, arguments: &[&str]) -> Answer {
    edgeclip(folder, &[&["detect", "--prompt", PROMPT], arguments].concat()).ok()
}

/// The lines without what differs from run to run.
fn without_timing(answer: &Answer) -> Vec<Value> {
    let mut lines = answer.json();
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("timing_ms").unwrap();
    }
    lines
}

fn scores(found: &Value) -> Vec<f64> {
    found.as_array().unwrap().iter().map(|one| one["score"].as_f64().unwrap()).collect()
}

#[test]
fn a_line_has_the_documented_keys_and_values() {
    let folder = tempdir().unwrap();
    photo(&folder.path().join("a.jpg"));
    let answer = detect(folder.path(), &["a.jpg", "--threshold", "0"]);
    assert!(
        answer.stdout.starts_with(r#"{"path":"a.jpg","width":512,"height":512,"tags":["#),
        "{}",
        answer.stdout
    );
    let [line] = &answer.json()[..] else { panic!("not one line: {}", answer.stdout) };
    let keys = ["decode", "preprocess", "vision", "regions", "match", "total"];
    let timing: Vec<f64> = keys.iter().map(|key| line["timing_ms"][key].as_f64().unwrap()).collect();
    assert!((timing[..5].iter().sum::<f64>() - timing[5]).abs() < 0.01, "{timing:?}");
    assert!(timing[2] > 0.0);

    let tags = line["tags"].as_array().unwrap();
    assert_eq!(tags.len(), 3);
    let detections = line["detections"].as_array().unwrap();
    assert!(!detections.is_empty());
    for found in [&line["tags"], &line["detections"]] {
        let scores = scores(found);
        assert!(
            scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|s| (0.0..=1.0).contains(s)),
            "{scores:?}"
        );
    }
    for one in detections {
        assert!(["person", "dog", "bus"].contains(&one["label"].as_str().unwrap()), "{one}");
        let sides: Vec<f64> = one["box"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let [x0, y0, x1, y1] = sides[..] else { panic!("{one}") };
        assert!(0.0 <= x0 && x0 < x1 && x1 <= 512.0 && 0.0 <= y0 && y0 < y1 && y1 <= 512.0, "{one}");
    }
}

#[test]
fn threshold_and_top_limit_what_is_reported() {
    let folder = tempdir().unwrap();
    photo(&folder.path().join("a.jpg"));
    let all = detect(folder.path(), &["a.jpg", "--threshold", "0"]).json().remove(0);
    let best = scores(&all["detections"])[0];

    let two = detect(folder.path(), &["a.jpg", "--threshold", "0", "--top", "2"]).json().remove(0);
    assert_eq!(two["tags"].as_array().unwrap()[..], all["tags"].as_array().unwrap()[..2]);
    assert_eq!(two["detections"].as_array().unwrap()[..], all["detections"].as_array().unwrap()[..2]);

    let threshold = format!("{:.3}", best / 2.0);
    let strong = detect(folder.path(), &["a.jpg", "--threshold", &threshold]).json().remove(0);
    let expected = all["detections"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|d| d["score"].as_f64() >= threshold.parse().ok());
    assert_eq!(scores(&strong["detections"]).len(), expected.count());
    let none = detect(folder.path(), &["a.jpg", "--threshold", "1"]).json().remove(0);
    assert_eq!(none["detections"], Value::Array(vec![]));
}

#[test]
fn text_is_for_people() {
    let folder = tempdir().unwrap();
    photo(&folder.path().join("a.jpg"));
    let text = detect(folder.path(), &["a.jpg", "--threshold", "0", "--top", "2", "--format", "text"]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("a.jpg  512x512, ") && lines[1].starts_with("  tags: "), "{text}");
    assert!(!text.contains('\x1b'), "colours without a terminal: {text:?}");
    let empty = detect(folder.path(), &["a.jpg", "--threshold", "1", "--format", "text"]).stdout;
    assert!(empty.ends_with("nothing detected\n"), "{empty}");
}

#[test]
fn annotated_pictures_keep_their_size_and_show_something() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    let original = image::open(photo(&path.join("a b.jpg"))).unwrap().into_rgb8();
    picture(&path.join("c.png"), 90, 150);
    let differing = |file: &str| {
        let drawn = image::open(path.join(file)).unwrap().into_rgb8();
        assert_eq!(drawn.dimensions(), (512, 512), "{file}");
        drawn.pixels().zip(original.pixels()).filter(|(a, b)| a != b).count()
    };
    detect(path, &["a b.jpg", "--threshold", "0", "--top", "1", "--annotate", "one.png"]);
    let changed = differing("one.png");
    assert!((500..60_000).contains(&changed), "{changed} pixels changed");
    detect(path, &["a b.jpg", "--threshold", "0", "--top", "1", "--annotate", "one.jpg"]);
    assert!(differing("one.jpg") > 200);
    detect(path, &["a b.jpg", "--threshold", "1", "--annotate", "none.png"]);
    assert_eq!(differing("none.png"), 0);

    detect(path, &["a b.jpg", "c.png", "--threshold", "0", "--top", "1", "--annotate", "deep/out"]);
    assert_eq!(differing("deep/out/a b.png"), changed);
    assert_eq!(image::image_dimensions(path.join("deep/out/c.png")).unwrap(), (90, 150));
}

#[test]
fn a_vocabulary_file_gives_the_same_results_as_its_prompts() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    photo(&path.join("a.jpg"));
    edgeclip(path, &["vocab", "build", "--prompt", PROMPT, "--out", "v.vocab.safetensors"]).ok();
    let prompted = detect(path, &["a.jpg", "--threshold", "0"]);
    let opened =
        edgeclip(path, &["detect", "a.jpg", "--threshold", "0", "--vocab", "v.vocab.safetensors"]).ok();
    assert_eq!(without_timing(&opened), without_timing(&prompted));

    let shown =
        edgeclip(path, &["vocab", "show", "v.vocab.safetensors", "--format", "json"]).ok().json().remove(0);
    let labels: Vec<_> =
        shown["labels"].as_array().unwrap().iter().map(|l| (&l["label"], &l["prompt"])).collect();
    let expected = [("person", "person"), ("dog", "dog"), ("bus", "a red bus")];
    assert_eq!(labels.len(), 3);
    for (label, expected) in labels.iter().zip(expected) {
        assert_eq!((label.0.as_str(), label.1.as_str()), (Some(expected.0), Some(expected.1)));
    }
    assert!(shown["negatives"].as_u64().unwrap() > 0);
    let text = edgeclip(path, &["vocab", "show", "v.vocab.safetensors"]).ok().stdout;
    assert!(text.starts_with("v.vocab.safetensors: 3 labels, ") && text.contains("a red bus"), "{text}");
}

#[test]
fn thresholds_of_a_vocabulary_hold_unless_the_command_line_says_otherwise() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    photo(&path.join("a.jpg"));
    let build = ["vocab", "build", "--prompt", PROMPT, "--out", "v.vocab.safetensors"];
    let thresholds = ["--threshold", "dog=0", "--threshold", "person=1", "--threshold", "bus=1"];
    edgeclip(path, &[&build[..], &thresholds].concat()).ok();
    let found = |arguments: &[&str]| {
        let line =
            edgeclip(path, &[&["detect", "a.jpg", "--vocab", "v.vocab.safetensors"], arguments].concat())
                .ok()
                .json()
                .remove(0);
        let labels: Vec<String> = ["tags", "detections"]
            .iter()
            .flat_map(|key| line[key].as_array().unwrap().clone())
            .map(|one| one["label"].as_str().unwrap().to_owned())
            .collect();
        labels
    };
    let own = found(&[]);
    assert!(!own.is_empty() && own.iter().all(|label| label == "dog"), "{own:?}");
    assert!(found(&["--threshold", "0"]).contains(&"person".to_owned()));
}

#[test]
fn prompts_that_are_hard_to_tell_apart_are_pointed_out_once() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    edgeclip(
        path,
        &["vocab", "build", "--prompt", "red bus, a red bus, airport", "--out", "v.vocab.safetensors"],
    )
    .ok();
    let text = edgeclip(path, &["vocab", "show", "v.vocab.safetensors"]).ok().stdout;
    assert_eq!(text.matches("hard to tell apart: red bus and a red bus").count(), 1, "{text}");
    assert_eq!(text.matches("hard to tell apart").count(), 1, "{text}");
}

#[test]
fn folders_and_patterns_are_expanded_in_order() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("my photos")).unwrap();
    for name in ["my photos/b.png", "my photos/a 1.png", "my photos/c.jpg", "z.png"] {
        picture(&path.join(name), 32, 24);
    }
    fs::write(path.join("my photos/notes.txt"), "not a picture").unwrap();
    let paths = |arguments: &[&str]| {
        let lines = detect(path, arguments).json();
        lines.iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&["my photos"]), ["my photos/a 1.png", "my photos/b.png", "my photos/c.jpg"]);
    assert_eq!(paths(&["z.png", "my photos/*.png"]), ["z.png", "my photos/a 1.png", "my photos/b.png"]);
}

#[test]
fn prompts_come_from_files_too() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    photo(&path.join("a.jpg"));
    fs::write(path.join("things.txt"), "# things\nperson\n\ndog\nbus = a red bus\n").unwrap();
    let listed = detect(path, &["a.jpg", "--threshold", "0"]);
    let read = edgeclip(path, &["detect", "a.jpg", "--threshold", "0", "--prompt", "@things.txt"]).ok();
    assert_eq!(without_timing(&read), without_timing(&listed));
}

#[test]
fn another_model_folder_can_be_used() {
    let folder = tempdir().unwrap();
    photo(&folder.path().join("a.jpg"));
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default");
    let embedded = detect(folder.path(), &["a.jpg", "--threshold", "0"]);
    let opened = detect(folder.path(), &["a.jpg", "--threshold", "0", "--model", model.to_str().unwrap()]);
    assert_eq!(without_timing(&opened), without_timing(&embedded));
}

#[test]
fn help_shows_examples() {
    let folder = tempdir().unwrap();
    for arguments in [
        &["detect", "--help"][..],
        &["vocab", "build", "--help"],
        &["vocab", "show", "--help"],
        &["embed", "--help"],
    ] {
        let help = edgeclip(folder.path(), arguments).ok().stdout;
        assert!(help.contains("Example") && help.contains("  edgeclip "), "{help}");
    }
}

#[test]
fn synonyms_find_what_the_single_prompt_finds() {
    let folder = tempdir().unwrap();
    let cat = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cat.jpg");
    let found = |prompt: &str| {
        let answer = edgeclip(folder.path(), &["detect", cat, "--prompt", prompt]);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        let line = answer.json().remove(0);
        (scores(&line["detections"]).iter().sum::<f64>(), line["detections"].clone(), answer.stderr)
    };
    let (alone, boxes, quiet) = found("cat");
    assert!(alone > 0.7 && !quiet.contains("hard to tell apart"), "{alone} {quiet}");
    for prompt in ["cat, cats", "cat, a cat", "cat, kitten", "cat, tabby cat", "[dog, cat]", "cat. dog."] {
        let (sum, found, _) = found(prompt);
        assert!((sum - alone).abs() < 0.02, "{prompt}: {sum}, alone {alone}");
        assert_eq!(found[0]["box"], boxes[0]["box"], "{prompt}");
    }
    let told = found("cat, cats").2;
    assert!(told.contains("hard to tell apart: \"cat\" and \"cats\" (similarity 0.89)"), "{told}");
    let refused = edgeclip(folder.path(), &["detect", cat, "--prompt", "cat|dog"]);
    assert!(
        refused.stderr.contains("found \"cat|dog\", expected commas between prompts"),
        "{}",
        refused.stderr
    );
}

#[test]
fn results_come_in_the_formats_of_other_tools() {
    let folder = tempdir().unwrap();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    for photo in ["cat.jpg", "astronaut.jpg"] {
        fs::copy(format!("{data}/{photo}"), folder.path().join(photo)).unwrap();
    }
    let detect = |more: &[&str]| {
        let pictures = ["detect", "cat.jpg", "astronaut.jpg", "--prompt", "person, cat"];
        edgeclip(folder.path(), &[&pictures, more].concat())
    };
    let plain = detect(&[]).ok().json();
    let cat = &plain[0]["detections"][0];
    let edge = |index: usize| cat["box"][index].as_f64().unwrap();
    let (width, height) = (edge(2) - edge(0), edge(3) - edge(1));
    let near = |value: &Value, expected: f64, most: f64| {
        assert!((value.as_f64().unwrap() - expected).abs() <= most, "{value} {expected}");
    };

    let coco = detect(&["--format", "coco"]).ok().json().remove(0);
    let names: Vec<&str> = coco["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|category| category["name"].as_str().unwrap())
        .collect();
    assert_eq!((names, &coco["images"][1]["file_name"]), (vec!["person", "cat"], &"astronaut.jpg".into()));
    let first = &coco["annotations"][0];
    assert_eq!(
        (&first["image_id"], &first["category_id"], &first["score"]),
        (&1.into(), &2.into(), &cat["score"])
    );
    near(&first["bbox"][2], width, 0.11);
    near(&first["area"], width * height, 50.0);

    let roboflow = detect(&["--format", "roboflow"]).ok().json();
    let first = &roboflow[0]["predictions"][0];
    assert_eq!(
        (&first["class"], &first["class_id"], &first["confidence"]),
        (&"cat".into(), &1.into(), &cat["score"])
    );
    near(&first["x"], (edge(0) + edge(2)) / 2.0, 0.11);
    assert_eq!(roboflow[1]["image"]["width"], 512);

    let labels = |more: &[&str]| detect(&[&["--format", "yolo", "--out", "labels"], more].concat());
    assert_eq!(labels(&[]).ok().stdout, "");
    let read = |name: &str| fs::read_to_string(folder.path().join("labels").join(name)).unwrap();
    assert_eq!(read("classes.txt"), "person\ncat\n");
    let line = read("cat.txt");
    let numbers: Vec<f64> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert!(numbers[0] == 1.0 && (numbers[3] - width / 451.0).abs() < 1e-3, "{line}");
    assert_eq!(Some(numbers[5]), cat["score"].as_f64());
    labels(&[]).refuses(&["labels", "not empty", "--force"]);
    // The same picture twice would have the same name.
    labels(&["--force", "cat.jpg"]).refuses(&["cat.jpg", "another file called cat.txt"]);
    detect(&["--out", "labels"]).refuses(&["--out", "--format yolo"]);
    detect(&["--format", "yolo"]).refuses(&["--out"]);
}
