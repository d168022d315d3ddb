//! `edgeclip doctor`: what it reports, and when it refuses.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::tempdir;

use crate::common::edgeclip;
use crate::common::film::{Studio, jpeg};
use crate::faults::camera::Camera;

/// The check called `name`.
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[test]
fn a_good_machine_passes_and_the_hashes_are_those_of_the_manifest() {
    let folder = tempdir().unwrap();
    let answer = edgeclip(folder.path(), &["doctor", "--json"]).ok();
    let report = &answer.json()[0];
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(check(report, "processor")["details"]["threads"].as_u64().unwrap() > 0);
    let model = &check(report, "model")["details"];
    assert_eq!(model["int8"], true);
    assert!(model["vision_ms"].as_f64().unwrap() > 0.0);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default/model.toml");
    let manifest: toml::Table = fs::read_to_string(root).unwrap().parse().unwrap();
    for (name, hash) in manifest["files"].as_table().unwrap() {
        assert_eq!(model["sha256"][name].as_str(), hash.as_str(), "{name}");
    }

    let text = edgeclip(folder.path(), &["doctor"]).ok().stdout;
    for name in ["processor", "memory", "temperature", "model", "camera"] {
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn faults_are_told_with_advice_after_everything_is_printed() {
    let folder = tempdir().unwrap();
    let answer =
        edgeclip(folder.path(), &["doctor", "--json", "--source", "/dev/video99", "--model", "none"]);
    answer.refuses(&["doctor: found 2 errors"]);
    let report = &answer.json()[0];
    assert_eq!(report["ok"], false);
    assert_eq!(check(report, "camera")["state"], "error");
    assert!(check(report, "camera")["advice"].as_str().unwrap().contains("edgeclip run --list"));
    assert!(check(report, "model")["found"].as_str().unwrap().contains("none"));
    assert_eq!(check(report, "processor")["state"], "ok");
}

#[test]
fn kernels_that_this_processor_has_not_are_an_error() {
    let answer = Command::new(env!("CARGO_BIN_EXE_edgeclip"))
        .args(["doctor", "--json"])
        .env("EDGECLIP_ISA", "mmx")
        .output()
        .unwrap();
    assert_eq!(answer.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let processor = check(&report, "processor");
    assert_eq!(processor["state"], "error");
    assert!(processor["advice"].as_str().unwrap().contains("scalar"), "{processor}");
}

#[test]
fn a_camera_of_the_network_is_watched_for_a_moment() {
    let folder = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let url = camera.url();
    let report = edgeclip(folder.path(), &["doctor", "--source", &url, "--json"]).json().remove(0);
    let found = check(&report, "camera");
    assert_eq!((&found["state"], &found["details"]["codec"]), (&"ok".into(), &"JPEG".into()), "{report}");
    assert_eq!([&found["details"]["width"], &found["details"]["height"]], [320, 240], "{report}");
    // 20 a second are sent.
    let fps = found["details"]["fps"].as_f64().unwrap();
    assert!(fps > 1.0 && fps < 40.0, "{report}");
    drop(camera);
    let answer = edgeclip(folder.path(), &["doctor", "--source", &url]);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(answer.stdout.contains("refused"), "{answer:?}");
    assert!(answer.stdout.contains("are the address and the port right"), "{answer:?}");
}
