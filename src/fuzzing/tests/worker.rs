//! A target in a process of its own, so that an abort, a stack that is too small, a loop without end and memory
//! that is asked for are seen from outside.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::mutation::Random;
use super::{TARGETS, seeds};

/// What the process is to do: target, seed, rounds and seconds, of which the first to be over counts.
const ORDER: &str = "EDGECLIP_FUZZ_ORDER";
/// Where it writes each input before it is used.
const FOLDER: &str = "EDGECLIP_FUZZ_FOLDER";
/// Most memory that an input may take, with all that the process holds.
const MOST_MEGABYTES: u64 = 500;
/// Most processor time that an input may take. The parser and what it calls are compiled for tests: slowly.
const MOST_SECONDS: u64 = 20;
/// Longest time that the process may take for an input on a machine that does other things as well.
const HANGS: Duration = Duration::from_secs(240);

/// How long a target is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    pub seed: u64,
    pub rounds: u64,
    pub time: Duration,
}

/// Runs a target in another process, and panics with what to do again if it fails.
pub(super) fn survives(target: &str, amount: Amount) {
    let folder = tempfile::tempdir().unwrap();
    let Amount { seed, rounds, time } = amount;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fuzzing::tests::worker::works", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ORDER, format!("{target} {seed} {rounds} {}", time.as_millis()))
        .env(FOLDER, folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let output = thread::spawn(move || text(&mut output));
    let errors = thread::spawn(move || text(&mut errors));
    let input = folder.path().join("input");
    let mut last = (Instant::now(), None);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        let changed = fs::metadata(&input).and_then(|about| about.modified()).ok();
        if changed != last.1 {
            last = (Instant::now(), changed);
        } else if last.0.elapsed() > HANGS {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let (output, errors) = (output.join().unwrap(), errors.join().unwrap());
    let done = output.lines().find(|line| line.starts_with("done "));
    match (status, done) {
        (Some(status), Some(done)) if status.success() => println!("{target}, seed {seed}: {done}"),
        _ => {
            let kept = std::env::temp_dir().join(format!("edgeclip-fuzz-{target}-{seed}"));
            fs::copy(&input, &kept).unwrap_or_default();
            let how = status.map_or("it hangs".to_owned(), |status| status.to_string());
            panic!(
                "{target} fails ({how}) over {}; again with EDGECLIP_FUZZ_SEED={seed}\n{output}{errors}",
                kept.display()
            );
        }
    }
}

fn text(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    let start = bytes.len().saturating_sub(8000);
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

/// What the other process does.
#[test]
#[ignore = "the other tests here start it"]
fn works() {
    let (Ok(order), Ok(folder)) = (std::env::var(ORDER), std::env::var(FOLDER)) else { return };
    let words: Vec<&str> = order.split(' ').collect();
    let &[target, seed, rounds, milliseconds] = &words[..] else { panic!("{order}") };
    let (_, entry) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let input = Path::new(&folder).join("input");
    let until = Instant::now() + Duration::from_millis(milliseconds.parse().unwrap());
    let seeds = seeds(target);
    for (file, bytes) in &seeds {
        assert!(measured(&input, bytes, *entry), "the seed {file} of {target} is refused");
    }
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    let mut random = Random(seed.parse().unwrap());
    let (mut accepted, mut round) = (0, 0);
    let rounds: u64 = rounds.parse().unwrap();
    while round < rounds && Instant::now() < until {
        accepted += u64::from(measured(&input, &random.mutated(&seeds), *entry));
        round += 1;
    }
    println!("\ndone {round} inputs, {accepted} accepted");
}

/// Runs the target on `bytes`, within time and memory.
fn measured(input: &PathBuf, bytes: &[u8], entry: super::Entry) -> bool {
    fs::write(input, bytes).unwrap();
    // Sets the peak back.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let start = Instant::now();
    let before = processor_seconds();
    let accepted = entry(bytes);
    if start.elapsed() > Duration::from_secs(MOST_SECONDS) {
        let taken = processor_seconds() - before;
        assert!(taken <= MOST_SECONDS, "{taken} s of processor time");
    }
    let peak = peak_megabytes();
    assert!(peak <= MOST_MEGABYTES, "{peak} MB");
    accepted
}

/// Peak of the memory that the process holds.
fn peak_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<u64>().unwrap() / 1024
}

/// User and system time of the process.
fn processor_seconds() -> u64 {
    /// Of the kernel's clock, on every architecture here.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name before may have spaces.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>() / TICKS_PER_SECOND
}
