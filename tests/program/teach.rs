//! `edgeclip vocab add` and the commands around it, from end to end.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::common::film::{Studio, film};
use super::common::live::Running;
use super::common::taught::{model, photos};
use super::common::{Answer, edgeclip, picture};

const FILE: &str = "things.vocab.safetensors";

/// `edgeclip vocab COMMAND FILE …` with the model that compares examples.
fn vocab(path: &Path, command: &str, arguments: &[&str]) -> Answer {
    let with_model = ["add", "test", "renew"].contains(&command);
    let model = ["--model", model().to_str().unwrap()];
    let model: &[&str] = if with_model { &model } else { &[] };
    edgeclip(path, &[&["vocab", command, FILE], arguments, model].concat())
}

fn shown(path: &Path) -> Value {
    vocab(path, "show", &["--json"]).ok().json().remove(0)
}

/// The best score of a name among the detections of a picture.
fn score(path: &Path, photo: &str, name: &str) -> f64 {
    let arguments =
        ["detect", photo, "--vocab", FILE, "--threshold", "0", "--model", model().to_str().unwrap()];
    let found = edgeclip(path, &arguments).ok().json().remove(0);
    let detections = found["detections"].as_array().unwrap().iter().filter(|found| found["label"] == name);
    detections.map(|found| found["score"].as_f64().unwrap()).fold(0.0, f64::max)
}

#[test]
fn a_name_is_taught_by_pictures_and_words_found_and_taken_back() {
    let folder = photos();
    let path = folder.path();
    let added = vocab(path, "add", &["--name", "our cat", "cat.jpg", "--annotate", "taken.png"]).ok().stdout;
    assert!(
        added.contains("cat.jpg: took the box ") && added.contains("our cat: 1 new example; now 1 example"),
        "{added}"
    );
    assert!(path.join("taken.png").exists());
    let (own, other) = (score(path, "cat.jpg", "our cat"), score(path, "coffee.jpg", "our cat"));
    assert!(own > 0.3 && own > 3.0 * other, "{own} and {other}");

    vocab(path, "add", &["--name", "cup", "--words", "cup, coffee cup", "coffee.jpg", "--whole"]).ok();
    let labels = shown(path)["labels"].clone();
    assert_eq!(labels[1]["prompts"], json!(["cup", "coffee cup"]));
    assert_eq!(
        (&labels[0]["examples"][0]["file"], &labels[1]["examples"][0]["box"]),
        (&json!("cat.jpg"), &Value::Null)
    );
    // No pixels, no folders.
    let bytes = fs::read(path.join(FILE)).unwrap();
    assert!(bytes.len() < 500_000 && !String::from_utf8_lossy(&bytes).contains(path.to_str().unwrap()));

    let again = vocab(path, "add", &["--name", "cup", "coffee.jpg", "--whole"]).ok().stdout;
    assert!(
        again.contains("known already as an example of cup") && again.contains("cup: 0 new examples"),
        "{again}"
    );
    vocab(path, "rename", &["cup", "mug"]).ok();
    vocab(path, "merge", &["our cat", "mug"]).ok();
    assert_eq!(shown(path)["labels"].as_array().unwrap().len(), 1);
    vocab(path, "undo", &[]).ok();
    assert_eq!(shown(path)["labels"][1]["label"], "mug");
    let id = shown(path)["labels"][0]["examples"][0]["id"].as_str().unwrap().to_owned();
    assert!(vocab(path, "show", &["--examples"]).ok().stdout.contains(&id));
    vocab(path, "remove", &["--example", &id]).refuses(&["our cat: found its last example"]);
    vocab(path, "remove", &["our cat"]).ok();
    assert_eq!(shown(path)["labels"][0]["label"], "mug");
}

#[test]
fn hidden_names_compete_and_are_never_printed() {
    let folder = photos();
    let path = folder.path();
    vocab(path, "add", &["--name", "pet", "cat.jpg"]).ok();
    let alone = score(path, "cat.jpg", "pet");
    vocab(path, "add", &["--name", "that cat", "cat.jpg", "--whole", "--hidden"]).ok();
    let beside = score(path, "cat.jpg", "pet");
    assert!(beside < alone, "{beside} beside a hidden name, {alone} alone");
    let arguments =
        ["detect", "cat.jpg", "--vocab", FILE, "--threshold", "0", "--model", model().to_str().unwrap()];
    assert!(!edgeclip(path, &arguments).ok().stdout.contains("that cat"));
}

#[test]
fn thresholds_are_proposed_and_written() {
    let folder = photos();
    let path = folder.path();
    fs::create_dir_all(path.join("nothing")).unwrap();
    fs::create_dir_all(path.join("pet")).unwrap();
    fs::rename(path.join("astronaut.jpg"), path.join("nothing/astronaut.jpg")).unwrap();
    fs::copy(path.join("cat.jpg"), path.join("pet/cat.jpg")).unwrap();
    vocab(path, "add", &["--name", "pet", "cat.jpg", "--box", "30,20,400,290"]).ok();
    vocab(path, "add", &["--name", "pet", "cat.jpg", "--box", "60,10,430,280"]).ok();
    vocab(path, "add", &["--name", "cup", "coffee.jpg"]).ok();
    let tested = vocab(path, "test", &["pet", "--nothing", "nothing", "--json"]).ok().json().remove(0);
    let pet = &tested["labels"][0];
    let left_out = json!({ "examples": 2, "right": 2, "right_by_examples": 2, "confused_with": null });
    assert_eq!(pet["left_out"], left_out);
    assert_eq!((&pet["pictures"], &pet["best"], &tested["nothing"]), (&json!(1), &json!(1), &json!(1)));
    let proposed = pet["proposed"].as_f64().unwrap();
    let text = vocab(path, "test", &["pet", "--nothing", "nothing", "--fit"]).ok().stdout;
    assert!(text.contains("pet: 2 of 2 examples right when left out; found on"), "{text}");
    assert!((shown(path)["labels"][0]["threshold"].as_f64().unwrap() - proposed).abs() < 1e-3);
}

#[test]
fn words_speak_for_an_example_that_is_left_out() {
    let folder = photos();
    let path = folder.path();
    vocab(path, "add", &["--name", "pet", "--words", "cat", "cat.jpg", "--whole"]).ok();
    vocab(path, "add", &["--name", "drink", "--words", "cup of coffee", "coffee.jpg", "--whole"]).ok();
    vocab(path, "add", &["--name", "nameless", "astronaut.jpg", "--whole"]).ok();
    let tested = vocab(path, "test", &["--json"]).ok().json().remove(0);
    // Nothing is left to compare with but what other names look like.
    let left_out = json!({ "examples": 1, "right": 1, "right_by_examples": 0, "confused_with": null });
    assert_eq!((&tested["labels"][0]["left_out"], &tested["labels"][1]["left_out"]), (&left_out, &left_out));
    assert_eq!(tested["labels"][2]["left_out"], Value::Null);
    let text = vocab(path, "test", &[]).ok().stdout;
    assert!(
        text.contains("pet: 1 of 1 examples right when left out (0 by examples alone)\n")
            && text.contains("all: 2 of 2 examples right when left out, 0 by examples alone"),
        "{text}"
    );
}

#[test]
fn data_sets_teach_and_what_was_exported_is_read_back() {
    let folder = photos();
    let path = folder.path();
    let events = path.join("events");
    fs::create_dir(&events).unwrap();
    let snapshot = |name: &str, photo: &str, label: &str, (w, h): (u32, u32)| {
        fs::copy(path.join(photo), events.join(format!("{name}.plain.jpg"))).unwrap();
        let track = |id: u64, seen: bool| json!({ "id": id, "label": label, "score": 0.9, "box": [30, 20, 400, 290.5], "velocity": [0, 0], "seen": seen, "age": 1 });
        let json = json!({
            "type": "snapshot", "version": 1, "name": name, "sequence": 1, "pictures": [format!("{name}.jpg"), format!("{name}.plain.jpg")],
            "source": "s", "frame": 1, "time": 1.0, "event": "appear", "track": 1, "label": label, "width": w, "height": h,
            "tracks": [track(1, true), track(2, false)],
        });
        fs::write(events.join(format!("{name}.json")), json.to_string()).unwrap();
    };
    snapshot("a", "cat.jpg", "cat & co", (451, 300));
    snapshot("b", "coffee.jpg", "cup", (600, 400));
    fs::write(events.join("other.json"), "{}").unwrap();
    for (format, out, flags) in [
        ("coco", "coco.json", &["--coco", "coco.json", "--images", "events"][..]),
        ("yolo", "yolo", &["--yolo", "yolo/data.yaml"]),
        ("voc", "voc", &["--voc", "voc"]),
        ("label-studio", "tasks.json", &[]),
    ] {
        let told = edgeclip(path, &["export", "events", "--format", format, "--out", out]).ok().stdout;
        assert_eq!(told, format!("{out}: 2 pictures, 2 boxes, 2 names\n"));
        edgeclip(path, &["export", "events", "--format", format, "--out", out]).refuses(&[out, "--force"]);
        if flags.is_empty() {
            continue;
        }
        vocab(path, "add", flags).ok();
        let labels = shown(path)["labels"].clone();
        assert_eq!(
            (&labels[0]["label"], &labels[1]["label"]),
            (&json!("cat & co"), &json!("cup")),
            "{format}"
        );
        let rect = labels[0]["examples"][0]["box"].as_array().unwrap().clone();
        let near = |(a, b): (&Value, f64)| (a.as_f64().unwrap() - b).abs() < 1.0;
        assert!(rect.iter().zip([30.0, 20.0, 400.0, 290.5]).all(near), "{format}: {rect:?}");
        fs::remove_file(path.join(FILE)).unwrap();
    }
    let tasks: Value = serde_json::from_slice(&fs::read(path.join("tasks.json")).unwrap()).unwrap();
    let result = &tasks[0]["predictions"][0]["result"][0];
    assert_eq!(tasks[0]["data"]["image"], "/data/local-files/?d=a.plain.jpg");
    assert_eq!(
        (&result["type"], &result["value"]["rectanglelabels"]),
        (&json!("rectanglelabels"), &json!(["cat & co"]))
    );
    assert!((result["value"]["x"].as_f64().unwrap() - 100.0 * 30.0 / 451.0).abs() < 1e-9);
}

/// The snapshots of a film in which the cat goes by, and the label of each.
fn snapshots(path: &Path, film: &str, folder: &str) -> Vec<(String, Value)> {
    let model = model().to_str().unwrap();
    // So low that what is hardly like it is an alarm.
    let more = ["--model", model, "--fps", "1000", "--threshold", "0.01"];
    let flags = [&["--source", film, "--vocab", FILE, "--snapshot", folder], &more[..]].concat();
    let ended = Running::new(path, &flags).end();
    assert_eq!(ended.code, Some(0), "{:?}", ended.errors);
    let Ok(entries) = fs::read_dir(path.join(folder)) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".json"));
    names.sort();
    let read = |name: String| {
        let json = serde_json::from_slice(&fs::read(path.join(folder).join(&name)).unwrap()).unwrap();
        (format!("{folder}/{name}"), json)
    };
    names.into_iter().map(read).collect()
}

#[test]
fn a_false_alarm_that_was_corrected_does_not_come_again() {
    let folder = photos();
    let path = folder.path();
    // By mistake, a cup was shown as a cat as well.
    film(path, "cup.y4m", &Studio::with("coffee.jpg").walk(12), 10);
    film(path, "cat.y4m", &Studio::new().walk(12), 10);
    let dimmed = |tenths: u8| {
        let mut frames = Studio::with("coffee.jpg").walk(15);
        frames
            .iter_mut()
            .flat_map(|frame| frame.pixels_mut())
            .for_each(|pixel| pixel.0 = pixel.0.map(|v| v / 10 * tenths));
        film(path, "later.y4m", &frames, 10);
    };
    vocab(path, "add", &["--name", "cat", "cat.jpg", "coffee.jpg"]).ok();
    let wrong = snapshots(path, "cup.y4m", "wrong");
    assert!(!wrong.is_empty(), "no false alarm to correct");
    for (file, json) in &wrong {
        assert_eq!(
            (&json["label"], json["features"]["box"].as_array().map(Vec::len)),
            (&json!("cat"), Some(4))
        );
        vocab(path, "add", &["--event", file]).refuses(&["--right, --wrong or --is NAME"]);
        vocab(path, "add", &["--event", file, "--wrong"]).ok();
    }
    // Another box of the same thing may need a correction of its own, since the mistaken example still speaks for it.
    dimmed(9);
    for (file, _) in snapshots(path, "later.y4m", "later") {
        vocab(path, "add", &["--event", &file, "--wrong"]).ok();
    }
    dimmed(8);
    assert!(snapshots(path, "later.y4m", "latest").is_empty());
    let right = snapshots(path, "cat.y4m", "right");
    assert!(!right.is_empty() && right.iter().all(|(_, json)| json["label"] == "cat"));
    vocab(path, "add", &["--event", &right[0].0, "--is", "our cat"]).ok();
    let labels = shown(path)["labels"].clone();
    assert_eq!(
        (&labels[1]["label"], labels[1]["examples"].as_array().unwrap().len()),
        (&json!("our cat"), 1)
    );
    // The corrections are in the data set.
    edgeclip(path, &["export", "right", "--format", "coco", "--out", "c.json", "--vocab", FILE]);
    let coco: Value = serde_json::from_slice(&fs::read(path.join("c.json")).unwrap()).unwrap();
    assert!(coco["categories"].as_array().unwrap().iter().any(|category| category["name"] == "our cat"));
}

#[test]
fn unusable_input_is_one_clear_line_and_changes_nothing() {
    let folder = photos();
    let path = folder.path();
    fs::write(path.join("empty.jpg"), "").unwrap();
    fs::create_dir(path.join("hollow")).unwrap();
    picture(&path.join("small.png"), 40, 30);
    let add = |arguments: &[&str]| vocab(path, "add", arguments);
    let refused = |arguments: &[&str], parts: &[&str]| {
        let before = fs::read(path.join(FILE)).ok();
        add(arguments).refuses(parts);
        assert!(fs::read(path.join(FILE)).ok() == before, "{arguments:?} changed the file");
    };
    refused(&[], &["nothing to learn", "--name NAME and pictures"]);
    refused(&["--name", "a"], &["nothing that shows \"a\""]);
    refused(&["--name", "a", "empty.jpg"], &["empty.jpg", "found an empty file"]);
    refused(&["--name", "a", "none.jpg"], &["none.jpg: found nothing there"]);
    refused(&["--name", "a", "hollow"], &["hollow", "found"]);
    refused(&["--name", "", "cat.jpg"], &["printable characters"]);
    image::RgbImage::from_pixel(40, 30, image::Rgb([120, 120, 121])).save(path.join("grey.png")).unwrap();
    refused(
        &["--name", "a", "grey.png"],
        &["grey.png: found a picture of one colour, expected something to see"],
    );
    refused(&["--name", "a", "cat.jpg", "--box", "1,2,3"], &["X0,Y0,X1,Y1"]);
    refused(&["--name", "a", "cat.jpg", "--box", "500,0,600,90"], &["cat.jpg", "inside 451x300 pixels"]);
    refused(&["--name", "a", "cat.jpg", "--box", "9,9,1,1"], &["cat.jpg", "x0 < x1"]);
    refused(
        &["--name", "a", "cat.jpg", "--box", "0.1,0.1,0.9,0.9"],
        &["cat.jpg, box 0: found [0.1, 0.1, 0.9, 0.9] in fractions, expected pixels of a picture of 451x300"],
    );
    refused(&["--name", "a", "cat.jpg", "--box=-9,-9,5000,4000"], &["cat.jpg", "mostly outside", "451x300"]);
    let other = |file: &str, parts: &[&str]| {
        edgeclip(path, &["vocab", "add", file, "--name", "a", "cat.jpg"]).refuses(parts);
        assert!(!path.join(file).exists());
    };
    other(
        "van.jpg",
        &["van.jpg: found the name of a picture, expected the vocabulary file before the pictures"],
    );
    other("none/a.vocab.safetensors", &["none/a.vocab.safetensors: found no folder of this name"]);
    refused(
        &["--name", "a", "cat.jpg", "coffee.jpg", "small.png", "--box", "1,1,9,9", "--box", "1,1,9,9"],
        &["2 boxes for 3 pictures"],
    );
    refused(&["--folder", "hollow"], &["hollow: found no folders in it"]);
    refused(&["--coco", "cat.jpg", "--images", "."], &["cat.jpg: found"]);
    refused(&["--images", "."], &["--images", "--coco"]);
    refused(&["--event", "cat.jpg", "--wrong"], &["cat.jpg: found", "a snapshot"]);
    add(&["--name", "a", "cat.jpg", "--whole"]).ok();
    refused(&["--name", "b", "cat.jpg", "--whole"], &["cat.jpg: found an example of \"a\"", "one meaning"]);
    refused(&["--name", "a", "cat.jpg", "--whole", "--not"], &["cat.jpg: found an example of \"a\""]);
    let sized = json!({
        "images": [{ "id": 1, "file_name": "cat.jpg", "width": 100, "height": 100 }],
        "categories": [{ "id": 1, "name": "a" }],
        "annotations": [{ "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9] }],
    });
    fs::write(path.join("c.json"), sized.to_string()).unwrap();
    refused(&["--coco", "c.json", "--images", "."], &["cat.jpg: found 451x300 pixels, expected 100x100"]);
    let boxes = |i: i64| json!({ "image_id": 1, "category_id": 1, "bbox": [i % 300, i / 300, 99, 99] });
    let many = json!({
        "images": [{ "id": 1, "file_name": "none.jpg" }],
        "categories": [{ "id": 1, "name": "a" }],
        "annotations": (0..10_000).map(boxes).collect::<Vec<_>>(),
    });
    fs::write(path.join("c.json"), many.to_string()).unwrap();
    // Before any picture is opened.
    refused(
        &["--coco", "c.json", "--images", "."],
        &["a: found 10000 examples, expected at most 1000 of a name"],
    );
    // Another space: the words' tower is the same, the features are not.
    edgeclip(path, &["detect", "cat.jpg", "--vocab", FILE]).refuses(&[FILE, "feature space", "vocab renew"]);
    // A broken file is left as it is.
    fs::write(path.join(FILE), "x").unwrap();
    refused(&["--name", "a", "cat.jpg"], &[FILE, "expected a *.vocab.safetensors file"]);
}

#[test]
fn crops_that_were_kept_are_embedded_again() {
    let folder = photos();
    let path = folder.path();
    vocab(path, "add", &["--name", "cat", "cat.jpg", "--keep-crops", "--words", "cat"]).ok();
    let crops: Vec<_> = fs::read_dir(path.join("things.crops")).unwrap().collect();
    assert_eq!(crops.len(), 1);
    let told = vocab(path, "renew", &[]).ok().stdout;
    assert!(told.contains("1 words and 1 examples renewed"), "{told}");
    vocab(path, "add", &["--name", "cup", "coffee.jpg"]).ok();
    vocab(path, "renew", &[]).refuses(&["1 of 2 examples without a crop", "--drop"]);
}
