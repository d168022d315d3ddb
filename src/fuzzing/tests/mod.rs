//! Every target over its seeds and deterministic mutations of them, on a stable compiler. A few seconds, unless
//! `EDGECLIP_FUZZ_SECONDS` says how many all targets together may take; then with another seed each time, unless
//! `EDGECLIP_FUZZ_SEED` gives one.

mod mutation;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use worker::{Amount, survives};

/// Mutations of each target where no time is given; networks take longer to open, and connections to make.
const ROUNDS: u64 = 400;
const ROUNDS_OF_SLOW_ONES: u64 = 100;
const SEED: u64 = 1;
/// Longer than any of these takes.
const NO_LIMIT: Duration = Duration::from_secs(3600);

type Entry = fn(&[u8]) -> bool;

/// Every target of `fuzz/`, with the rounds of its test: they run side by side.
macro_rules! targets {
    ($($(#[$when:meta])* $target:ident: $rounds:expr,)*) => {
        const TARGETS: &[(&str, Entry)] = &[$($(#[$when])* (stringify!($target), super::$target),)*];

        mod mutated {
            use super::*;

            $(
                $(#[$when])*
                #[test]
                fn $target() {
                    survives(stringify!($target), amount($rounds));
                }
            )*
        }
    };
}

targets! {
    animation: ROUNDS,
    avi: ROUNDS,
    configuration: ROUNDS,
    graph: ROUNDS_OF_SLOW_ONES,
    #[cfg(feature = "rtsp")] h264: ROUNDS,
    #[cfg(feature = "http")] http: ROUNDS,
    manifest: ROUNDS,
    mjpeg: ROUNDS,
    #[cfg(feature = "mqtt")] mqtt: ROUNDS,
    #[cfg(feature = "http")] multipart: ROUNDS,
    onnx: ROUNDS_OF_SLOW_ONES,
    picture: ROUNDS,
    prompts: ROUNDS,
    request: ROUNDS,
    #[cfg(feature = "rtsp")] rtsp: ROUNDS_OF_SLOW_ONES,
    #[cfg(feature = "text")] tokenizer: ROUNDS,
    vocabulary: ROUNDS,
    y4m: ROUNDS,
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Contents of the target's seeds, by file name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz().join("seeds").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seeds", folder.display());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text}, expected a number")))
}

fn amount(rounds: u64) -> Amount {
    let rounds = setting("EDGECLIP_FUZZ_ROUNDS").unwrap_or(rounds);
    let fixed = setting("EDGECLIP_FUZZ_SEED");
    match setting("EDGECLIP_FUZZ_SECONDS") {
        None => Amount { seed: fixed.unwrap_or(SEED), rounds, time: NO_LIMIT },
        Some(seconds) => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            let time = Duration::from_secs(seconds) / TARGETS.len() as u32;
            Amount { seed: fixed.unwrap_or(now), rounds: u64::MAX, time }
        }
    }
}

#[test]
fn each_target_has_a_program_and_seeds() {
    let names = |folder: &str| {
        let entries = fs::read_dir(fuzz().join(folder)).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.map(|entry| stem(entry.unwrap().path())).collect();
        names.sort();
        names
    };
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let readme = fs::read_to_string(fuzz().join("README.md")).unwrap();
    let programs = names("fuzz_targets");
    assert_eq!(programs, names("seeds"));
    for program in &programs {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{program}.rs\"")), "{program}");
        assert!(readme.contains(&format!("| `{program}` |")), "{program}");
    }
    let absent = |name: &str| match name {
        "h264" | "rtsp" => !cfg!(feature = "rtsp"),
        "http" | "multipart" => !cfg!(feature = "http"),
        "mqtt" => !cfg!(feature = "mqtt"),
        "tokenizer" => !cfg!(feature = "text"),
        _ => false,
    };
    let here: Vec<&str> = programs.iter().map(String::as_str).filter(|name| !absent(name)).collect();
    assert_eq!(here, TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

/// Its lock file is not made by the workspace's: it must have the same versions.
#[test]
fn the_programs_are_of_the_same_dependencies() {
    let packages = |lock: &Path| {
        let text = fs::read_to_string(lock).unwrap();
        let field = |package: &str, name: &str| {
            let line =
                package.lines().find_map(|line| line.strip_prefix(&format!("{name} = "))).unwrap_or_default();
            line.trim_matches('"').to_owned()
        };
        let packages = text.split("[[package]]").skip(1);
        let packages =
            packages.map(|package| format!("{} {}", field(package, "name"), field(package, "version")));
        packages.collect::<std::collections::BTreeSet<_>>()
    };
    let ours = packages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"));
    let own = ["arbitrary", "edgeclip-fuzz", "libfuzzer-sys"];
    let other: Vec<String> = packages(&fuzz().join("Cargo.lock"))
        .into_iter()
        .filter(|package| !ours.contains(package) && !own.iter().any(|name| package.starts_with(name)))
        .collect();
    assert!(other.is_empty(), "cp Cargo.lock fuzz/ && cd fuzz && cargo metadata >/dev/null: {other:?}");
}
