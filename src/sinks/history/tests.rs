use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::*;
use crate::geometry::Rect;
use crate::model::FeatureVector;
use crate::report::{Sighting, VectorSpace};
use crate::sinks::clock::{day, parse_utc};
use crate::sinks::files::Rotation;
use crate::system::Reading;

const LIMITS: HistoryLimits = HistoryLimits { days: 36_500, bytes: 1 << 30, free: 0 };

fn space(digit: &str) -> Arc<VectorSpace> {
    let hash = || digit.repeat(64);
    Arc::new(VectorSpace {
        vision_sha256: hash(),
        prompt_sha256: hash(),
        text_sha256: hash(),
        features_sha256: hash(),
        embedding: 4,
    })
}

fn sighting(track: u64, time: &str, embedding: [f32; 4]) -> Sighting {
    let time = parse_utc(time).unwrap();
    Sighting {
        space: space("a"),
        track,
        appeared: time,
        time: time + Duration::from_millis(1500),
        frame: 7,
        label: "car".into(),
        score: 0.75,
        rect: Rect { x0: 1.0, y0: 2.0, x1: 30.0, y1: 40.5 },
        objectness: 2.0,
        embedding: FeatureVector::quantised(&embedding).unwrap(),
        features: FeatureVector::quantised(&[embedding[3], embedding[0]]),
    }
}

fn words(embedding: [f32; 4]) -> Sought {
    Sought::Words(FeatureVector::quantised(&embedding).unwrap())
}

/// Ids, sources and cosines of what is found.
fn found(folder: &Path, vector: Sought, narrow: impl FnOnce(&mut Query<'_>)) -> Vec<(u64, String, f32)> {
    let space = space("a");
    let mut query =
        Query { space: &space, vector, times: 0..u64::MAX, sources: Vec::new(), labels: Vec::new(), most: 5 };
    narrow(&mut query);
    let found = search(folder, &query).unwrap().found;
    found.into_iter().map(|f| (f.seen.track, f.seen.source, (f.cosine * 100.0).round() / 100.0)).collect()
}

#[test]
fn what_is_like_the_sentence_is_found_first_wherever_it_lies() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("history");
    let mut log = HistoryLog::open(&folder, LIMITS).unwrap();
    log.add("gate", &sighting(1, "2026-11-21T10:00", [1.0, 0.0, 0.0, 0.0])).unwrap();
    log.add("gate", &sighting(2, "2026-11-22T10:00", [1.0, 1.0, 0.0, 0.0])).unwrap();
    log.add("yard", &sighting(3, "2026-11-22T11:00", [0.0, 1.0, 0.0, 1.0])).unwrap();
    // A better look at the same.
    log.add("yard", &sighting(3, "2026-11-22T11:00", [0.0, 1.0, 0.0, 0.0])).unwrap();
    let all = |words| found(&folder, words, |_| ());
    let gate = || "gate".to_owned();
    let yard = || "yard".to_owned();
    assert_eq!(all(words([1.0, 0.0, 0.0, 0.0])), [(1, gate(), 1.0), (2, gate(), 0.71), (3, yard(), 0.0)]);
    assert_eq!(all(words([0.0, 1.0, 0.0, 0.0]))[0], (3, yard(), 1.0));
    let example = Sought::Example(FeatureVector::quantised(&[0.0, 1.0]).unwrap());
    assert_eq!(found(&folder, example, |_| ())[0], (2, gate(), 1.0));
    let ms = |text: &str| row::milliseconds(parse_utc(text).unwrap());
    let (from, to) = (ms("2026-11-22"), ms("2026-11-22T10:30"));
    assert_eq!(found(&folder, words([1.0; 4]), |query| query.times = from..to), [(2, gate(), 0.71)]);
    let only = |names: &mut Vec<String>, name: &str| *names = vec![name.to_owned()];
    assert_eq!(found(&folder, words([1.0; 4]), |query| only(&mut query.sources, "yard"))[0].0, 3);
    assert_eq!(found(&folder, words([1.0; 4]), |query| only(&mut query.labels, "dog")), []);
    assert_eq!(found(&folder, words([1.0; 4]), |query| query.most = 1).len(), 1);
    let line = fs::read_to_string(folder.join("2026-11-21.history.jsonl")).unwrap();
    let entry = r#"{"id":"2026-11-21T10-00-00.000Z_gate_1","time":1795255201.5,"source":"gate","frame":7,"track":1,"label":"car","label_score":0.75,"box":[1.0,2.0,30.0,40.5]}"#;
    assert_eq!(line.lines().nth(1), Some(entry));
}

#[test]
fn what_was_written_half_is_cut_off_and_it_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let one = |track| sighting(track, "2026-11-22T10:00", [1.0, 0.0, 0.0, 0.0]);
    let mut log = HistoryLog::open(folder, LIMITS).unwrap();
    log.add("gate", &one(1)).unwrap();
    log.add("gate", &one(2)).unwrap();
    drop(log);
    let append = |name: &str, bytes: &[u8]| {
        OpenOptions::new().append(true).open(folder.join(name)).unwrap().write_all(bytes).unwrap();
    };
    append("2026-11-22.history.jsonl", br#"{"id":"2026"#);
    append("2026-11-22.embeddings", &[9; 50]);
    append("2026-11-22.features", &[9; 3]);
    let mut log = HistoryLog::open(folder, LIMITS).unwrap();
    log.add("gate", &one(3)).unwrap();
    let tracks = found(folder, words([1.0, 0.0, 0.0, 0.0]), |_| ());
    assert_eq!(
        tracks.iter().map(|found| (found.0, found.2)).collect::<Vec<_>>(),
        [(3, 1.0), (2, 1.0), (1, 1.0)]
    );
    // Vectors that are missing cannot be made up: what comes next has files of its own.
    drop(log);
    OpenOptions::new().write(true).open(folder.join("2026-11-22.embeddings")).unwrap().set_len(40).unwrap();
    let mut log = HistoryLog::open(folder, LIMITS).unwrap();
    log.add("gate", &one(4)).unwrap();
    assert!(folder.join("2026-11-22-2.history.jsonl").exists());
    let tracks = found(folder, words([1.0, 0.0, 0.0, 0.0]), |_| ());
    assert_eq!(tracks.iter().map(|found| found.0).collect::<Vec<_>>(), [4, 1]);
}

#[test]
fn other_networks_have_files_of_their_own_and_are_not_compared() {
    let place = tempfile::tempdir().unwrap();
    let mut log = HistoryLog::open(place.path(), LIMITS).unwrap();
    let new = sighting(1, "2026-11-22T10:00", [1.0, 0.0, 0.0, 0.0]);
    let old = Sighting { space: space("b"), track: 2, ..new.clone() };
    let wordy = Sighting { features: None, ..new.clone() };
    [&old, &new, &wordy, &old].into_iter().try_for_each(|sighting| log.add("gate", sighting)).unwrap();
    let names: Vec<String> = segments_of(place.path());
    assert_eq!(names, ["2026-11-22", "2026-11-22-2", "2026-11-22-3"]);
    let space = space("a");
    let vector = words([1.0, 0.0, 0.0, 0.0]);
    let query =
        Query { space: &space, vector, times: 0..u64::MAX, sources: Vec::new(), labels: Vec::new(), most: 5 };
    let searched = search(place.path(), &query).unwrap();
    assert_eq!((searched.compared, searched.other_networks), (2, vec!["2026-11-22".to_owned()]));
}

#[test]
fn the_oldest_days_go_and_files_of_others_stay() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let others = ["2020-01-01.history.jsonl", "2020-01-01.embeddings", "notes.txt"];
    others.iter().for_each(|name| fs::write(folder.join(name), "mine").unwrap());
    let mut log = HistoryLog::open(folder, LIMITS).unwrap();
    for day in ["2026-11-20", "2026-11-21", "2026-11-22"] {
        log.add("gate", &sighting(1, day, [1.0, 0.0, 0.0, 0.0])).unwrap();
    }
    assert_eq!(
        log.bytes(),
        log::segments(log.folder()).unwrap().values().map(|kept| kept.bytes).sum::<u64>()
    );
    drop(log);
    let most = HistoryLimits { bytes: 9_500, ..LIMITS };
    let mut log = HistoryLog::open(folder, most).unwrap();
    log.add("gate", &sighting(2, "2026-11-22", [1.0, 0.0, 0.0, 0.0])).unwrap();
    assert_eq!(segments_of(folder), ["2026-11-21", "2026-11-22"]);
    drop(log);
    let now = SystemTime::now();
    let today = day(now, 0);
    let mut log = HistoryLog::open(folder, LIMITS).unwrap();
    log.add("gate", &sighting(3, &today, [1.0, 0.0, 0.0, 0.0])).unwrap();
    log.add("gate", &sighting(3, &day(now, 40), [1.0, 0.0, 0.0, 0.0])).unwrap();
    drop(log);
    let month = HistoryLimits { days: 30, ..LIMITS };
    // Nobody has set the clock.
    drop(HistoryLog::with_clock(folder, month, Box::new(move || reading(now, false))).unwrap());
    assert!(segments_of(folder).contains(&"2026-11-22".to_owned()));
    drop(HistoryLog::with_clock(folder, month, Box::new(move || reading(now + 60 * DAY, true))).unwrap());
    assert_eq!(segments_of(folder), Vec::<String>::new());
    assert!(others.iter().all(|name| fs::read(folder.join(name)).unwrap() == b"mine"));
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn reading(wall: SystemTime, synchronised: bool) -> Reading {
    Reading { wall, at: Instant::now(), synchronised }
}

/// A board without a battery: it starts in 1970, has been in 2036 once, and NTP sets it right.
#[test]
fn a_leap_of_the_clock_deletes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let now = Arc::new(Mutex::new(reading(parse_utc("2026-11-20").unwrap(), true)));
    let clocks = Arc::clone(&now);
    let limits = HistoryLimits { days: 30, bytes: 14_000, free: 0 };
    let mut log =
        HistoryLog::with_clock(place.path(), limits, Box::new(move || *clocks.lock().unwrap())).unwrap();
    let mut see = |day: &str, synchronised| {
        *now.lock().unwrap() = reading(parse_utc(day).unwrap(), synchronised);
        log.add("gate", &sighting(1, day, [1.0, 0.0, 0.0, 0.0])).unwrap();
        segments_of(place.path())
    };
    see("2026-11-20", true);
    see("2036-05-05", false);
    assert_eq!(see("1970-01-01", false), ["1970-01-01", "2026-11-20", "2036-05-05"]);
    // Right again, and all of it is younger than a month.
    let all = ["1970-01-01", "2026-11-20", "2026-11-21", "2036-05-05"];
    assert_eq!(see("2026-11-21", true), all);
    // What was begun first is a month old; what came after it was begun later, whatever it is called.
    assert_eq!(see("2026-12-21", true), ["2026-11-21", "2026-12-21"]);
}

#[test]
fn what_was_begun_first_makes_room_whatever_the_clock_said() {
    let place = tempfile::tempdir().unwrap();
    let limits = HistoryLimits { bytes: 10_300, ..LIMITS };
    let mut log = HistoryLog::open(place.path(), limits).unwrap();
    for day in
        ["2036-05-05", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"]
    {
        log.add("gate", &sighting(1, day, [1.0, 0.0, 0.0, 0.0])).unwrap();
    }
    let left = segments_of(place.path());
    assert!(!left.contains(&"2036-05-05".to_owned()) && left.contains(&"2026-11-25".to_owned()), "{left:?}");
}

#[test]
fn what_is_seen_now_is_kept_even_if_all_of_today_must_make_room() {
    let place = tempfile::tempdir().unwrap();
    let limits = HistoryLimits { bytes: 9_500, ..LIMITS };
    let mut log = HistoryLog::open(place.path(), limits).unwrap();
    for track in 0..40 {
        log.add("gate", &sighting(track, "2026-11-22", [1.0, 0.0, 0.0, 0.0])).unwrap();
        let tracks = found(place.path(), words([1.0, 0.0, 0.0, 0.0]), |_| ());
        assert_eq!(tracks.first().map(|found| found.0), Some(track));
        assert!(log.bytes() <= 9_500);
    }
}

#[test]
fn what_is_forgotten_is_in_no_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let mut log = HistoryLog::open(folder, LIMITS).unwrap();
    let (first, second) = ([0.9, 0.1, 0.2, 0.3], [0.1, 0.9, 0.2, 0.3]);
    log.add("gate", &sighting(1, "2026-11-22T10:00", first)).unwrap();
    log.add("gate", &sighting(2, "2026-11-22T10:00", second)).unwrap();
    let id = "2026-11-22T10-00-00.000Z_gate_1";
    assert_eq!(forget(folder, &Forgotten::parse(id).unwrap()).unwrap(), 1);
    assert_eq!(forget(folder, &Forgotten::parse(id).unwrap()).unwrap(), 0);
    let numbers: Vec<u8> = row::unsigned(&FeatureVector::quantised(&first).unwrap().values).collect();
    for name in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(name.unwrap().path()).unwrap();
        assert!(!bytes.windows(4).any(|window| window == numbers), "numbers are left");
        assert!(!bytes.windows(id.len()).any(|window| window == id.as_bytes()), "the id is left");
    }
    // Whoever writes goes on, and what is there is found.
    log.add("gate", &sighting(3, "2026-11-22T10:00", second)).unwrap();
    let tracks: Vec<u64> = found(folder, words(second), |_| ()).iter().map(|found| found.0).collect();
    assert_eq!(tracks, [3, 2]);
    assert_eq!(forget(folder, &Forgotten::parse("2026-11-22").unwrap()).unwrap(), 2);
    assert_eq!(segments_of(folder), Vec::<String>::new());
    log.add("gate", &sighting(4, "2026-11-22T10:00", second)).unwrap();
    assert_eq!(found(folder, words(second), |_| ()).len(), 1);
    assert_eq!(forget(folder, &Forgotten::parse("all").unwrap()).unwrap(), 1);
    assert!(Forgotten::parse("2026-11").unwrap_err().to_string().contains("all, a day"));
}

/// A year of a thousand tracks a day.
#[test]
#[ignore = "a measurement: cargo test --release -- --ignored --nocapture a_year"]
fn a_year_is_searched() {
    const TRACKS: usize = 365_000;
    let place = tempfile::tempdir().unwrap();
    let mut state = 1u32;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let space = Arc::new(VectorSpace { embedding: 256, ..(*space("a")).clone() });
    let mut log = HistoryLog::open(place.path(), LIMITS).unwrap();
    let mut last = None;
    for index in 0..TRACKS {
        let embedding: Vec<f32> = (0..256).map(|_| number()).collect();
        let features: Vec<f32> = (0..512).map(|_| number()).collect();
        let time = parse_utc("2026-01-01").unwrap() + Duration::from_secs(index as u64 * 86);
        let embedding = FeatureVector::quantised(&embedding).unwrap();
        last = Some(embedding.clone());
        let one = sighting(index as u64, "2026-01-01", [1.0; 4]);
        let one = Sighting {
            space: Arc::clone(&space),
            appeared: time,
            time,
            embedding,
            features: FeatureVector::quantised(&features),
            ..one
        };
        log.add("gate", &one).unwrap();
    }
    let bytes = log.bytes();
    let mut times = Vec::new();
    let mut read = vec![0; 1 << 20];
    let started = std::time::Instant::now();
    for entry in fs::read_dir(place.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "embeddings") {
            let mut file = fs::File::open(path).unwrap();
            while std::io::Read::read(&mut file, &mut read).unwrap() > 0 {}
        }
    }
    println!("reading alone: {:?}", started.elapsed());
    for _ in 0..20 {
        let started = std::time::Instant::now();
        let vector = Sought::Words(last.clone().unwrap());
        let query = Query {
            space: &space,
            vector,
            times: 0..u64::MAX,
            sources: Vec::new(),
            labels: Vec::new(),
            most: 200,
        };
        let searched = search(place.path(), &query).unwrap();
        times.push(started.elapsed());
        assert_eq!((searched.compared, searched.found[0].seen.track), (TRACKS as u64, TRACKS as u64 - 1));
    }
    times.sort();
    println!("{TRACKS} entries, {bytes} bytes: median {:?}, slowest {:?}", times[10], times[19]);
}

fn segments_of(folder: &Path) -> Vec<String> {
    let folder = crate::system::Folder::open(folder).unwrap();
    log::segments(&folder).unwrap().into_keys().map(|(day, number)| log::stem(&day, number)).collect()
}
