//! The service's unit and its exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::tempdir;

use super::common::edgeclip;

fn packaged(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cross").join(file)
}

/// Values of `key` in the unit, in order.
fn values(unit: &str, key: &str) -> Vec<String> {
    let prefix = format!("{key}=");
    unit.lines().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
}

#[test]
fn settings_that_cannot_be_used_end_it_for_good_and_absent_sources_do_not() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("bad.toml"), "prompt = \"cat\"\nfps = -1\n").unwrap();
    fs::write(folder.path().join("unknown.toml"), "promt = \"cat\"\n").unwrap();
    fs::write(folder.path().join("absent.toml"), "prompt = \"cat\"\n[[source]]\nurl = \"absent.y4m\"\n")
        .unwrap();
    let code = |arguments: &[&str]| {
        let answer = edgeclip(folder.path(), arguments);
        assert_eq!(answer.stderr.lines().count(), 1, "{answer:?}");
        answer.code
    };
    assert_eq!(code(&["run", "--config", "bad.toml"]), Some(78));
    assert_eq!(code(&["run", "--config", "unknown.toml"]), Some(78));
    assert_eq!(code(&["run", "--no-such-flag"]), Some(78));
    assert_eq!(code(&["run", "--config", "absent.toml"]), Some(2));
    assert_eq!(code(&["detect", "--no-such-flag"]), Some(2));

    let unit = fs::read_to_string(packaged("edgeclip.service")).unwrap();
    assert_eq!(values(&unit, "RestartPreventExitStatus"), ["78"]);
    assert_eq!(values(&unit, "Restart"), ["always"]);
}

#[test]
fn the_unit_gives_away_neither_passwords_nor_memory_nor_network() {
    let unit = fs::read_to_string(packaged("edgeclip.service")).unwrap();
    assert_eq!(values(&unit, "LoadCredential"), ["edgeclip.toml:/etc/edgeclip/edgeclip.toml"]);
    assert_eq!(
        values(&unit, "ExecStart"),
        ["/usr/bin/edgeclip run --seal --config ${CREDENTIALS_DIRECTORY}/edgeclip.toml"]
    );
    for key in ["MemoryMax", "TasksMax", "StateDirectory", "OOMPolicy"] {
        assert_eq!(values(&unit, key).len(), 1, "{key}");
    }
    assert_eq!(values(&unit, "IPAddressDeny"), ["any"]);
    let drop_in = fs::read_to_string(packaged("packaging/files/ip-camera.conf")).unwrap();
    assert_eq!(values(&drop_in, "PrivateNetwork"), ["no"]);
    assert!(!values(&drop_in, "IPAddressAllow").is_empty());

    // Where a systemd is installed that looks at files, it has its say; exposure is in tenths.
    let analyse = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    let version = analyse(&["--version"]).map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let number = version.ok().and_then(|text| text.split_whitespace().nth(1)?.parse::<u32>().ok());
    if number.is_some_and(|number| number >= 250) {
        let unit = packaged("edgeclip.service");
        let output =
            analyse(&["security", "--offline=true", "--threshold=12", unit.to_str().unwrap()]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn an_option_that_does_not_apply_to_one_of_several_sources_ends_it_before_it_begins() {
    let folder = tempdir().unwrap();
    let films = ["--source", "film.y4m", "--source", "rtsp://u:secret@127.0.0.1:9/x", "--real-time"];
    let answer = edgeclip(folder.path(), &[&["run", "--prompt", "cat"], &films[..]].concat());
    assert_eq!(answer.code, Some(78), "{answer:?}");
    answer.refuses(&["rtsp://127.0.0.1:9/x: found the option real_time", "network camera"]);
}
