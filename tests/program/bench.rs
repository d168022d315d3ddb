//! `edgeclip bench` at the command line.

use std::fs;
use std::path::Path;
use std::process::Command;

use edgeclip_engine::Engine;
use serde_json::Value;
use tempfile::tempdir;

use crate::common::edgeclip;

const QUICK: [&str; 5] = ["bench", "--runs", "3", "--threads", "2"];

/// The default model's vision network.
fn network() -> Engine {
    Engine::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default/vision.onnx")).unwrap()
}

fn measured(extra: &[&str]) -> Value {
    let folder = tempdir().unwrap();
    let answer = edgeclip(folder.path(), &[&QUICK, extra].concat()).ok();
    let mut lines = answer.json();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

fn sum(steps: &[Value], key: &str) -> f64 {
    steps.iter().map(|step| number(step, key)).sum()
}

#[test]
fn help_fits_a_screen_and_has_examples() {
    let help = edgeclip(Path::new("."), &["bench", "--help"]).ok().stdout;
    assert!(help.lines().count() <= 30, "{} lines", help.lines().count());
    for part in ["Examples:", "edgeclip bench --explain --sort time", "--threads", "EDGECLIP_ISA"] {
        assert!(help.contains(part), "no {part} in {help}");
    }
}

#[test]
fn json_holds_every_measurement() {
    let value = measured(&["--json"]);
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "first_result_ms",
        "fps",
        "input",
        "isa",
        "load_ms",
        "median_ms",
        "min_ms",
        "network",
        "p90_ms",
        "peak_memory_bytes",
        "runs",
        "threads",
    ];
    assert_eq!(keys, expected);
    assert_eq!((value["runs"].as_u64(), value["threads"].as_u64()), (Some(3), Some(2)));
    assert_eq!(value["input"], serde_json::json!(network().input().shape));
    let [min, median, p90] = ["min_ms", "median_ms", "p90_ms"].map(|key| number(&value, key));
    assert!(0.0 < min && min <= median && median <= p90, "{value}");
    assert!((number(&value, "fps") * median / 1e3 - 1.0).abs() < 0.01, "{value}");
    assert!(number(&value, "load_ms") < number(&value, "first_result_ms"), "{value}");
}

#[test]
#[cfg(target_os = "linux")]
fn vision_needs_less_than_64_mb() {
    let bytes = number(&measured(&["--json"]), "peak_memory_bytes");
    assert!((1e6..64e6).contains(&bytes), "{bytes} bytes");
}

#[test]
fn explain_lists_every_step_and_its_shares_sum_to_one() {
    let value = measured(&["--json", "--explain"]);
    let steps = value["steps"].as_array().unwrap();
    let expected: Vec<String> = network().steps().into_iter().map(|step| step.node).collect();
    let found: Vec<&str> = steps.iter().map(|step| step["node"].as_str().unwrap()).collect();
    assert_eq!(found, expected);
    assert!((sum(steps, "time_share") - 1.0).abs() < 1e-9);
    assert!((sum(steps, "macs_share") - 1.0).abs() < 1e-9);
    assert!((sum(steps, "macs") - number(&value, "macs")).abs() < 0.5);
    assert!((sum(steps, "median_us") - number(&value, "steps_us")).abs() < 1e-6);
    assert!(number(&value, "lowered_macs_share") >= 0.99, "{value}");
    for step in steps {
        assert_eq!(step["int8"].as_bool().unwrap(), step.get("reason").is_none(), "{step}");
    }
}

#[test]
fn explain_sorts_by_time() {
    let value = measured(&["--json", "--explain", "--sort", "time"]);
    let times: Vec<f64> =
        value["steps"].as_array().unwrap().iter().map(|step| number(step, "median_us")).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
}

#[test]
fn text_says_the_same_in_words() {
    let folder = tempdir().unwrap();
    let text = edgeclip(folder.path(), &[&QUICK[..], &["--explain"]].concat()).ok().stdout;
    for step in network().steps() {
        assert!(
            text.lines().any(|line| line.starts_with(&format!("{} ", step.node))),
            "no line of {}",
            step.node
        );
    }
    for part in ["2 threads", "first result after", "median of 3", "a second", "% of MACs lowered"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[test]
fn a_lone_network_is_timed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default/vision.onnx");
    let value = measured(&["--json", "--onnx", file.to_str().unwrap()]);
    assert_eq!(value["network"], file.to_str().unwrap());
    assert!(number(&value, "median_ms") > 0.0);
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("text.onnx"), "no network").unwrap();
    let refused = |arguments: &[&str], parts: &[&str]| {
        edgeclip(folder.path(), &[&["bench"], arguments].concat()).refuses(parts);
    };
    refused(&["--runs", "0"], &["--runs", "0"]);
    refused(&["--runs", "1000000000000"], &["--runs"]);
    refused(&["--runs", "many"], &["--runs", "many"]);
    refused(&["--threads", "0"], &["--threads", "0"]);
    refused(&["--threads", "100000"], &["--threads", "1..=256"]);
    refused(&["--sort", "time"], &["--explain"]);
    refused(&["--explain", "--sort", "size"], &["--sort", "size"]);
    refused(&["--onnx", "absent.onnx"], &["absent.onnx"]);
    refused(&["--onnx", "text.onnx"], &["text.onnx"]);
    refused(&["--onnx", "a.onnx", "--model", "b"], &["--onnx", "--model"]);
    refused(&["--model", "absent"], &["absent", "nothing there"]);
}

#[test]
fn an_unknown_instruction_set_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_edgeclip"))
        .args(["bench", "--runs", "1"])
        .env("EDGECLIP_ISA", "mmx")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.starts_with("edgeclip: EDGECLIP_ISA: found mmx, expected one of scalar"), "{line}");
}
