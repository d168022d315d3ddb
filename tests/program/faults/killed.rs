//! A program that is killed while it writes: what is there afterwards is whole, and the next run goes on with it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::live::{Running, is, wait_until};

/// How often it is killed.
const TIMES: u64 = 12;

fn start(folder: &Path) -> Running {
    let flags = ["--source", "visits.y4m", "--repeat", "--prompt", "cat", "--threshold", "0.25"];
    let writes =
        ["--snapshot", "snap", "--snapshot-per-minute", "600", "--annotate", "frames", "--csv", "all.csv"];
    let soon = ["--set", "track.confirm_hits=1", "--set", "track.lost_seconds=0.3"];
    Running::new(folder, &[&flags[..], &writes, &soon].concat())
}

/// Names of files in a folder; temporary ones begin with a dot.
fn names(folder: &Path) -> Vec<String> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

/// Every picture can be decoded, every description is one, every row has all columns.
fn is_whole(folder: &Path) {
    for place in [folder.join("snap"), folder.join("frames")] {
        for name in names(&place).iter().filter(|name| !name.starts_with('.')) {
            let bytes = fs::read(place.join(name)).unwrap();
            match name.rsplit_once('.').unwrap().1 {
                "json" => assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap()["type"], "snapshot"),
                _ => assert!(image::load_from_memory(&bytes).is_ok(), "{name}"),
            }
        }
    }
    let table = fs::read_to_string(folder.join("all.csv")).unwrap_or_default();
    let commas = |line: &str| line.matches(',').count();
    let expected = table.lines().next().map_or(0, commas);
    assert!(table.lines().all(|line| commas(line) == expected), "{table}");
    assert!(table.is_empty() || table.ends_with('\n'), "{table}");
}

#[test]
fn what_a_killed_program_leaves_is_whole_and_the_next_goes_on() {
    let folder = tempdir().unwrap();
    let studio = Studio::new();
    let visit = [vec![studio.picture(Some(60)); 3], vec![studio.picture(None); 6]].concat();
    film(folder.path(), "visits.y4m", &visit, 8);
    for time in 0..TIMES {
        let mut running = start(folder.path());
        running.until(|line| is(line, "frame") && line["frame"].as_u64() >= Some(time));
        running.signal("KILL");
        running.wait();
        is_whole(folder.path());
    }
    let pictures = |place: &str| {
        let names = names(&folder.path().join(place));
        names.iter().filter(|name| name.ends_with(".jpg")).count()
    };
    let before = [pictures("snap"), pictures("frames")];
    let mut running = start(folder.path());
    running.until(|line| line["event"] == "appear");
    wait_until("more pictures", || pictures("snap") > before[0] && pictures("frames") > before[1]);
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
    is_whole(folder.path());
    // What the killed ones had begun is gone.
    for place in ["snap", "frames"] {
        let begun: Vec<String> =
            names(&folder.path().join(place)).into_iter().filter(|name| name.starts_with('.')).collect();
        assert_eq!(begun, [""; 0], "{place}");
    }
}
