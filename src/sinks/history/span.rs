//! Spans of time as people write them.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::sinks::clock::{day, parse_utc};

/// From the beginning of `since` to the end of `until`, in milliseconds since 1970; `names` are those of both.
///
/// # Errors
/// [`Error::Settings`] for what is no time, or an end before the beginning.
pub(crate) fn span(
    names: [&str; 2],
    since: Option<&str>,
    until: Option<&str>,
    now: SystemTime,
) -> Result<Range<u64>> {
    let milliseconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    };
    let [from, to] = names;
    let begin = since.map(|text| time(from, text, now)).transpose()?;
    let end = until.map(|text| time(to, text, now)).transpose()?;
    let first = begin.map_or(0, |(begin, _)| milliseconds(begin));
    let last = end.map_or(u64::MAX, |(_, end)| milliseconds(end));
    if last <= first {
        let found = format!("{} before {from}", until.unwrap_or_default());
        return Err(Error::settings(to, found, "a later time"));
    }
    Ok(first..last)
}

/// When the time that `text` names begins and ends.
fn time(name: &str, text: &str, now: SystemTime) -> Result<(SystemTime, SystemTime)> {
    const DAY: Duration = Duration::from_secs(86_400);
    let of_day = |day: &str| parse_utc(day).map(|begin| (begin, begin + DAY));
    let today = |before| of_day(&day(now, before));
    let ago = || {
        let unit = match text.chars().last()? {
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let number: u32 = text.get(..text.len() - 1)?.parse().ok()?;
        let then = now.checked_sub(Duration::from_secs(u64::from(number) * unit));
        let then = then.unwrap_or(SystemTime::UNIX_EPOCH).max(SystemTime::UNIX_EPOCH);
        Some((then, then))
    };
    let time = match text {
        "today" => today(0),
        "yesterday" => today(1),
        day if day.len() == 10 && parse_utc(day).is_some() => of_day(day),
        other => parse_utc(other).map(|time| (time, time)).or_else(ago),
    };
    let expected =
        "today, yesterday, a day such as 2026-11-22, a time such as 2026-11-22T06:00, 90m, 12h or 7d";
    time.ok_or_else(|| Error::settings(name, text, expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::clock::utc;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = parse_utc("2026-11-30T13:00").unwrap();
        let read = |text: &str| {
            let (begin, end) = time("--since", text, now).unwrap();
            [utc(begin), utc(end)].map(|time| time.get(..16).unwrap().to_owned())
        };
        assert_eq!(read("today"), ["2026-11-30T00:00", "2026-12-01T00:00"]);
        assert_eq!(read("yesterday"), ["2026-11-29T00:00", "2026-11-30T00:00"]);
        assert_eq!(read("2026-11-22"), ["2026-11-22T00:00", "2026-11-23T00:00"]);
        assert_eq!(read("2026-11-22T06:30"), ["2026-11-22T06:30"; 2]);
        assert_eq!(read("90m"), ["2026-11-30T11:30"; 2]);
        assert_eq!(read("4000000000d"), ["1970-01-01T00:00"; 2]);
        for wrong in ["", "d", "-1d", "1w", "tomorrow", "2026-11-31", "ñ"] {
            let told = time("--since", wrong, now).unwrap_err().to_string();
            assert!(told.contains("--since") && told.contains("yesterday"), "{told}");
        }
    }
}
