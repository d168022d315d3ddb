//! Questions that take the model, and what is taught.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::tempdir;

use super::client::Board;

const JSON: &str = "Content-Type: application/json\r\n";

fn photo() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cat.jpg")).unwrap()
}

fn post(board: &Board, path: &str, body: &Value) -> super::client::Answer {
    board.ask("POST", path, JSON, body.to_string().as_bytes())
}

#[test]
fn a_sealed_board_answers_questions_about_pictures_and_texts() {
    if !crate::seal::can_seal() {
        return;
    }
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "commands = false\n", &["--seal"]);
    board.ready();
    let seen = board.ask("POST", "/api/v1/detect?threshold=0.1", "Content-Type: image/jpeg\r\n", &photo());
    assert_eq!(seen.status, 200, "{}", seen.text());
    let seen = seen.json();
    assert!(seen["detections"].as_array().unwrap().iter().any(|found| found["label"] == "cat"), "{seen}");
    assert!(seen["path"].is_null() && seen["timing_ms"]["vision"].as_f64() > Some(0.0));
    for (body, kind, status) in [
        (b"no picture".as_slice(), "image/jpeg", 422),
        (&photo()[..2000], "image/png", 200),
        (b"{}", "application/json", 415),
    ] {
        let answer = board.ask("POST", "/api/v1/detect", &format!("Content-Type: {kind}\r\n"), body);
        // What is cut off is decoded as far as it goes, or refused: nothing else.
        assert!(answer.status == status || kind == "image/png" && answer.status == 422, "{answer:?}");
    }

    // As OpenAI's clients ask.
    let id = board.json("/v1/models")["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(board.json("/api/v1/status")["space"], json!(id));
    let name = id.split('@').next().unwrap();
    let texts =
        post(&board, "/v1/embeddings", &json!({"model": name, "input": ["a cat", "a bus", "a cat"]})).json();
    assert_eq!(
        (&texts["object"], &texts["model"], &texts["data"][2]["index"]),
        (&json!("list"), &json!(id), &json!(2))
    );
    let row = |answer: &Value, index: usize| -> Vec<f64> {
        let row = answer["data"][index]["embedding"].as_array().unwrap();
        row.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let [cat, bus, again] = [0, 1, 2].map(|index| row(&texts, index));
    assert!((dot(&cat, &cat) - 1.0).abs() < 1e-3 && cat == again);
    let url = format!("data:image/jpeg;base64,{}", STANDARD.encode(photo()));
    let asked = json!({"input": url, "modality": "image", "encoding_format": "base64"});
    let shown = post(&board, "/v1/embeddings", &asked).json();
    let bytes = STANDARD.decode(shown["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let shown: Vec<f64> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()).into()).collect();
    assert!(dot(&shown, &cat) > dot(&shown, &bus), "{} {}", dot(&shown, &cat), dot(&shown, &bus));
    for (body, status) in [
        (json!({"model": "text-embedding-3-small", "input": "x"}), 404),
        (json!({"input": []}), 400),
        (json!({"input": [1, 2]}), 400),
        (json!({"input": "http://example.com/x.jpg", "modality": "image"}), 400),
        (json!({"input": "", "encoding_format": "float"}), 400),
        (json!({"input": "x", "encoding_format": "hex"}), 400),
    ] {
        let answer = post(&board, "/v1/embeddings", &body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }

    // Several at once wait for each other.
    let asker = &*board;
    thread::scope(|scope| {
        let ask = || asker.ask("POST", "/api/v1/detect", "Content-Type: image/jpeg\r\n", &photo()).status;
        let all: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        assert_eq!(all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>(), [200; 4]);
    });

    // What was seen is found.
    let found = board.until("/api/v1/search?q=a+cat&since=today&camera=yard", |answer| {
        answer.status == 200 && answer.json()["results"][0].is_object()
    });
    let found = found.json();
    assert_eq!(
        (&found["results"][0]["label"], &found["results"][0]["camera"]),
        (&json!("cat"), &json!("yard"))
    );
    assert!(found["results"][0]["score"].as_f64() > Some(0.2), "{found}");
    assert_eq!(board.get("/api/v1/search?q=a+cat&since=tomorrow").status, 422);
    assert_eq!(board.get("/api/v1/search").status, 400);
    board.running.signal("TERM");
    let ended = board.running.end();
    assert!(!ended.errors.iter().any(|line| line.contains("the seal has refused")), "{ended:?}");
}

#[test]
fn what_is_shown_is_looked_for_and_what_was_wrong_is_not_said_again() {
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "pictures = true\n", &[]);
    board.ready();
    let held = board.ask("POST", "/api/v1/cameras/yard/hold", "", b"").json();
    assert_eq!((&held["width"], &held["height"]), (&json!(320), &json!(240)));
    let id = held["held"].as_str().unwrap();
    let shown = board.get(&format!("/api/v1/cameras/yard/frame.jpg?held={id}"));
    assert_eq!((shown.status, shown.header("X-Frame")), (200, Some(held["frame"].to_string().as_str())));
    let example = json!({"name": "our tiger", "box": [60, 70, 210, 170], "held": id, "words": "a tiger"});
    let taught = post(&board, "/api/v1/cameras/yard/examples", &example);
    assert_eq!(taught.status, 200, "{taught:?}");
    let taught = taught.json();
    assert_eq!((&taught["name"], &taught["examples"]), (&json!("our tiger"), &json!(1)));
    assert_eq!(taught["prompts"]["labels"][1]["name"], "our tiger");
    board.until("/api/v1/live?types=x", |answer| answer.status == 400);
    for (body, status) in [
        (json!({"name": "x", "box": [500, 500, 600, 600], "held": id}), 422),
        (json!({"name": "x", "box": [0, 0, 10, 10], "held": "99"}), 404),
        (json!({"name": " "}), 422),
        (json!({"label": "x"}), 400),
    ] {
        let answer = post(&board, "/api/v1/cameras/yard/examples", &body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    assert_eq!(
        board.json("/api/v1/prompts")["labels"].as_array().unwrap().len(),
        2,
        "nothing of what was refused"
    );

    let listed =
        board.until("/api/v1/events?kind=appear", |answer| answer.json()["events"][0].is_object()).json();
    let event = listed["events"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/events/{event}/verdict");
    assert_eq!(post(&board, &path, &json!({})).status, 400);
    let judged = post(&board, &path, &json!({"right": true}));
    assert_eq!((judged.status, &judged.json()["verdict"]), (200, &json!("right")), "{judged:?}");
    assert_eq!(board.json(&format!("/api/v1/events/{event}"))["verdict"], "right");
    assert_eq!(post(&board, "/api/v1/events/1-1/verdict", &json!({"right": false})).status, 404);
}

#[test]
fn what_has_changed_is_saved_once_somebody_agrees() {
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "pictures = true\nsave = true\n", &["--seal"]);
    board.ready();
    let file = folder.path().join("run.toml");
    let before = fs::read_to_string(&file).unwrap();
    assert_eq!(board.json("/api/v1/status")["unsaved"], false);
    assert_eq!(post(&board, "/api/v1/save", &json!({})).json()["saved"], json!([]), "nothing has changed");
    board.put("/api/v1/prompts", r#"{"prompts":["cat","our dog = a dog"]}"#);
    board.put("/api/v1/thresholds/cat", r#"{"threshold":0.1}"#);
    board.put("/api/v1/cameras/yard/places", r#"{"zones":[{"name":"left","box":[0,0,0.5,1]}]}"#);
    assert_eq!(board.json("/api/v1/status")["unsaved"], true);
    let settings = board.get("/api/v1/configuration").text();
    assert!(settings.contains("our dog = a dog") && settings.contains("left"), "{settings}");
    let asks = post(&board, "/api/v1/save", &json!({"replace": false}));
    assert_eq!(
        (asks.status, &asks.json()["keys"]),
        (409, &json!(["prompt", "label", "source.zone"])),
        "{asks:?}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let saved = post(&board, "/api/v1/save", &json!({"replace": true}));
    assert_eq!((saved.status, &saved.json()["saved"]), (200, &json!(["run.toml"])), "{saved:?}");
    assert_eq!(fs::read_to_string(folder.path().join("run.toml.before")).unwrap(), before);
    let after = fs::read_to_string(&file).unwrap();
    assert!(after.contains("threshold = 0.1") && after.contains("repeat = true"), "{after}");
    assert_eq!(board.json("/api/v1/prompts")["prompts"], json!(["cat", "our dog = a dog"]));
    assert_eq!(board.json("/api/v1/status")["unsaved"], false);

    // What was taught goes into a vocabulary.
    let example = json!({"name": "our tiger", "box": [60, 70, 210, 170]});
    assert_eq!(post(&board, "/api/v1/cameras/yard/examples", &example).status, 200);
    let saved = post(&board, "/api/v1/save", &json!({"replace": true}));
    assert_eq!((saved.status, saved.json()["keys"].clone()), (200, json!(["vocab"])), "{saved:?}");
    assert!(folder.path().join("learned.vocab.safetensors").exists());
    let prompts = board.json("/api/v1/prompts");
    assert_eq!(prompts["vocabulary"], "learned.vocab.safetensors", "{prompts}");
    assert_eq!(
        (&prompts["labels"][2]["name"], &prompts["labels"][2]["examples"]),
        (&json!("our tiger"), &json!(1))
    );
    drop(board);
    // The next run looks for it.
    let mut again = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    again.args(["run", "--config", "run.toml", "--print-config"]).current_dir(folder.path());
    let printed = String::from_utf8(again.output().unwrap().stdout).unwrap();
    assert!(
        printed.contains("vocab = \"learned.vocab.safetensors\"") && !printed.contains("prompt ="),
        "{printed}"
    );
}
