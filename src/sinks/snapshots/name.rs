//! Names of snapshots: time and event, in characters that every file system accepts.

use std::time::SystemTime;

use crate::report::EventRecord;
use crate::sinks::clock::utc;

/// Most characters that a zone, label or state adds to the name: the whole stays below 143 bytes, the limit
/// of the strictest file system in use (eCryptfs), with room for suffixes.
const PART: usize = 24;

/// `2026-11-22T06-00-00.123Z`
const TIME: &[u8] = b"0000-00-00T00-00-00.000Z";

/// `2026-11-22T06-00-00.123Z_enter_gate_person_12`: time, kind, zone or line, label or state, track.
pub(crate) fn stem(time: SystemTime, record: &EventRecord<'_>) -> String {
    let mut stem = format!("{}_{}", utc(time).replace(':', "-"), record.event.name());
    for part in [record.place(), record.label, record.state].into_iter().flatten() {
        stem.push('_');
        stem.push_str(&plain(part));
    }
    if let Some(track) = record.track {
        stem.push_str(&format!("_{track}"));
    }
    stem
}

/// Whether `stem` could be from this sink: it begins with a time as [`stem`] writes it.
pub(crate) fn is_stem(stem: &str) -> bool {
    let (bytes, length) = (stem.as_bytes(), TIME.len());
    let fits = |(found, form): (&u8, &u8)| if *form == b'0' { found.is_ascii_digit() } else { found == form };
    bytes.get(length) == Some(&b'_') && bytes.iter().zip(TIME).all(fits)
}

/// ASCII letters and digits; every run of other characters becomes one hyphen.
pub(crate) fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("-");
    let cut = joined.get(..PART).unwrap_or(&joined).trim_end_matches('-');
    if cut.is_empty() { "x".to_owned() } else { cut.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::events::Event;
    use crate::report::samples::events;

    fn named(event: &Event) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_327_200_123);
        stem(time, &EventRecord::of(event))
    }

    #[test]
    fn names_tell_time_and_event() {
        let names: Vec<String> = events().iter().map(named).collect();
        let time = "2026-11-22T06-00-00.123Z_";
        let expected = [
            "appear_person_7",
            "disappear_person_7",
            "enter_gate-east_person_7",
            "leave_gate-east_person_7",
            "dwell_gate-east_person_7",
            "cross_kerb_person_7",
            "occupancy_gate-east_person",
            "state_door_an-open-door",
            "state_door_a-closed-door",
            "tag_rain",
        ];
        assert_eq!(names, expected.map(|name| format!("{time}{name}")));
        assert!(names.iter().all(|name| is_stem(name)));
    }

    #[test]
    fn names_are_good_for_every_file_system() {
        let long = "ein sehr langer Name ".repeat(50);
        for zone in
            ["../../etc/passwd", "a\\b:c*d?\"<>|", "käfer \u{0} 犬", "", "...", "-", &long, "CON.", "a\nb"]
        {
            let event = Event::Enter { zone: zone.into(), track: u64::MAX, label: zone.into() };
            let name = named(&event);
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{name}");
            assert!(name.len() <= 124 && !name.contains("..") && is_stem(&name), "{name}");
        }
        assert_eq!(plain("Tür 3: ganz/links"), "T-r-3-ganz-links");
    }

    #[test]
    fn names_of_other_files_are_not_taken_for_those_of_snapshots() {
        let own = "2026-11-22T06-00-00.123Z_tag_rain";
        assert!(is_stem(own));
        for other in [
            "",
            "holiday",
            "2026-11-22",
            &own[1..],
            &own.replace('T', " "),
            &own[..24],
            &own.replace("Z_", "Z-"),
        ] {
            assert!(!is_stem(other), "{other}");
        }
    }
}
