//! `edgeclip privacy-report`.

use std::fs;

use tempfile::tempdir;

use crate::common::edgeclip;

/// A configuration that keeps pictures to itself.
const QUIET: &str = r#"
prompt = "person"
events_only = true
seal = true
[[source]]
url = "rtsp://admin:hunter2@192.168.1.20:8554/stream?key=hunter2"
"#;

#[test]
fn it_says_whether_pictures_leave_and_shows_no_secret() {
    let folder = tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::write(root.join("quiet.toml"), QUIET).unwrap();
    let report =
        |more: &[&str]| edgeclip(&root, &[&["privacy-report", "--config", "quiet.toml"], more].concat()).ok();

    let text = report(&[]).stdout;
    assert!(!text.contains("hunter2"), "{text}");
    for line in [
        "  stay inside: no setting writes one",
        "  standard output: events, as JSON Lines",
        "  nobody can connect to edgeclip: it listens nowhere",
        "  connects to 192.168.1.20 port 8554 (rtsp://192.168.1.20:8554/stream)",
    ] {
        assert!(text.lines().any(|found| found == line), "no {line:?} in {text}");
    }

    let json = &report(&["--json"]).json()[0];
    assert_eq!(json["pictures_leave"], false);
    assert_eq!(json["seal"]["on"], true);
    assert_eq!(json["connects"][0]["port"], 8554);
    assert_eq!(json["seal"]["writes"], serde_json::json!([]));
    let reads = json["seal"]["reads"].as_array().unwrap();
    assert!(reads.iter().any(|path| *path == *root.to_str().unwrap()), "{json}");

    let json = &report(&["--json", "--set", "snapshot=events", "--set", "seal=false"]).json()[0];
    assert_eq!((&json["pictures_leave"], &json["seal"]["on"]), (&true.into(), &false.into()));
    let snapshot = &json["writes"][1];
    assert_eq!((&snapshot["setting"], &snapshot["to"]), (&"snapshot".into(), &"events".into()));
    assert!(snapshot["kept"].as_str().unwrap().starts_with("the newest 500 MB"), "{snapshot}");

    // What pictures do not show, and what that cannot do.
    let text = report(&["--set", "snapshot=events"]).stdout;
    assert!(text.contains("  nothing in them is hidden: there are neither blur nor masks\n"), "{text}");
    let hidden =
        ["--set", "snapshot=events", "--set", "blur=face, screen", "--set", "mask=[{box=[0,0,1,0.1]}]"];
    let text = report(&hidden).stdout;
    for line in [
        "  blur pixelates before anything leaves: face, screen (from a score of 0.1 on)",
        "    it cannot hide what the model misses: the small, the distant, what is half hidden",
        "  masks: 1 area is black in rtsp://192.168.1.20:8554/stream, for the network and for pictures, whatever is there",
    ] {
        assert!(text.lines().any(|found| found == line), "no {line:?} in {text}");
    }
    assert!(!text.contains("nothing in them is hidden"), "{text}");
    let json = &report(&[&hidden[..], &["--json"]].concat()).json()[0]["hides"];
    assert_eq!(json["blur"]["words"], serde_json::json!(["face, screen"]));
    assert_eq!(json["masks"][0]["areas"], 1);
    // Nothing was made.
    assert_eq!(fs::read_dir(&root).unwrap().count(), 1);

    edgeclip(&root, &["privacy-report", "--set", "fps=-1"]).refuses(&["fps"]);
}
