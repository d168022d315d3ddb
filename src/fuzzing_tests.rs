use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Mutations of each seed, unless `EDGECLIP_FUZZ_ROUNDS` says otherwise; networks take longer to open.
const ROUNDS: usize = 300;
const ROUNDS_OF_NETWORKS: usize = 60;

type Entry = fn(&[u8]) -> bool;

/// Every target of `fuzz/`.
const TARGETS: &[(&str, Entry)] = &[
    ("animation", animation),
    ("avi", avi),
    ("configuration", configuration),
    #[cfg(feature = "rtsp")]
    ("h264", h264),
    ("manifest", manifest),
    ("mjpeg", mjpeg),
    #[cfg(feature = "http")]
    ("multipart", multipart),
    ("onnx", onnx),
    ("picture", picture),
    ("request", request),
    #[cfg(feature = "text")]
    ("tokenizer", tokenizer),
    ("vocabulary", vocabulary),
    ("y4m", y4m),
];

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

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }

    /// One to four changes: bits flipped, bytes set, the end cut off, spans repeated or removed.
    fn mutated(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let span = (1 + self.below(64)).min(bytes.len() - at);
            match self.below(8) {
                0 => bytes.truncate(at),
                1 => {
                    let copy = bytes[at..at + span].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
                2 => drop(bytes.drain(at..at + span)),
                3 => bytes[at..at + span.min(4)].fill([0, 0x7f, 0x80, 0xff][self.below(4)]),
                4 | 5 if !bytes.is_empty() => bytes[at] = self.below(256) as u8,
                _ if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
        bytes
    }
}

/// Runs a target over mutations of its seeds; a failed one names what to do again.
fn survives(target: &str, rounds: usize) {
    let longer = std::env::var("EDGECLIP_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds = longer.unwrap_or(rounds);
    let (_, entry) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    for (file, seed) in seeds(target) {
        assert!(entry(&seed), "the seed {file} of {target} is refused");
        let mut random = Random(seed.len() as u64);
        for round in 0..rounds {
            let bytes = random.mutated(&seed);
            let outcome = std::panic::catch_unwind(|| entry(&bytes));
            if outcome.is_err() {
                let kept = std::env::temp_dir().join(format!("edgeclip-fuzz-{target}"));
                fs::write(&kept, &bytes).unwrap();
                panic!("round {round} of {target}/{file}: {}", kept.display());
            }
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
    let programs = names("fuzz_targets");
    assert_eq!(programs, names("seeds"));
    for program in &programs {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{program}.rs\"")), "{program}");
    }
    let absent = |name: &str| {
        name == "h264" && !cfg!(feature = "rtsp") || name == "multipart" && !cfg!(feature = "http")
    };
    let here: Vec<&str> = programs.iter().map(String::as_str).filter(|name| !absent(name)).collect();
    assert_eq!(here, TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn mutated_streams_are_frames_or_errors() {
    for target in ["avi", "mjpeg", "y4m"] {
        survives(target, ROUNDS);
    }
}

#[cfg(feature = "http")]
#[test]
fn mutated_parts_are_pictures_or_errors() {
    survives("multipart", ROUNDS);
}

#[cfg(feature = "rtsp")]
#[test]
fn mutated_h264_is_pictures_or_errors() {
    survives("h264", ROUNDS);
}

#[test]
fn mutated_pictures_are_pictures_or_errors() {
    survives("picture", ROUNDS);
    survives("animation", ROUNDS);
}

#[test]
fn mutated_texts_are_settings_or_errors() {
    for target in ["configuration", "manifest", "request", "vocabulary"] {
        survives(target, ROUNDS);
    }
}

#[test]
fn mutated_networks_run_or_are_refused() {
    survives("onnx", ROUNDS_OF_NETWORKS);
}
