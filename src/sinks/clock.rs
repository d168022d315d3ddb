//! Times for people and spreadsheets: ISO 8601 in UTC, since a static program has no table of time zones.

use std::time::{Duration, SystemTime};

const DAY: u64 = 86_400;

/// `2026-11-22T06:00:00.123Z`; times before 1970 count as its start.
pub(crate) fn utc(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = date(since.as_secs() / DAY);
    let second = since.as_secs() % DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since.subsec_millis())
}

/// `2026-11-22`, so many days before `time`.
pub(crate) fn day(time: SystemTime, before: u32) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = date((since.as_secs() / DAY).saturating_sub(u64::from(before)));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-22` of milliseconds since 1970; the last day of 9999 for all that is later.
pub(crate) fn day_of_milliseconds(milliseconds: u64) -> String {
    const LAST: u64 = 253_402_300_799;
    day(SystemTime::UNIX_EPOCH + Duration::from_secs((milliseconds / 1000).min(LAST)), 0)
}

/// The time that `2026-11-22`, `2026-11-22T06:00` or `2026-11-22T06:00:30` says, in UTC; `None` for other texts.
pub(crate) fn parse_utc(text: &str) -> Option<SystemTime> {
    let (day, clock) = text.split_once('T').unwrap_or((text, "00:00"));
    let numbers = |text: &str, mark: char, digits: &[usize]| {
        let parts: Vec<&str> = text.split(mark).collect();
        let form =
            parts.len() == digits.len() && parts.iter().zip(digits).all(|(part, most)| part.len() == *most);
        let numbers = parts.iter().map(|part| part.parse().ok().filter(|_| !part.starts_with('+')));
        numbers.collect::<Option<Vec<u64>>>().filter(|_| form)
    };
    let of_day = numbers(day, '-', &[4, 2, 2])?;
    let clock = clock.strip_suffix('Z').unwrap_or(clock);
    let mut of_clock = numbers(clock, ':', &[2, 2]).or_else(|| numbers(clock, ':', &[2, 2, 2]))?;
    of_clock.resize(3, 0);
    let [year, month, of_month] = *of_day.as_slice() else { return None };
    let [hour, minute, second] = *of_clock.as_slice() else { return None };
    if !(1970..=9999).contains(&year) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // From the first day that it can be, which is a month before at most, forward.
    let least = (year - 1970) * 365 + (month.max(1) - 1) * 28;
    let days = (least..least + 3000).find(|days| date(*days) == (year, month, of_month))?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(days * DAY + hour * 3600 + minute * 60 + second))
}

/// Seconds since 1970 with 3 decimals.
pub(crate) fn unix(time: SystemTime) -> f64 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    (seconds * 1e3).round() / 1e3
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01. Years are counted from March, so
/// that a leap day is the last of its year, in eras of 400 years (Hinnant, "chrono-compatible low-level date
/// algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097;
    let days = days + 719_468;
    let (era, of_era) = (days / ERA, days % ERA);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, expected) in [
            ("1970-01-01", "1970-01-01T00:00:00.000Z"),
            ("2000-02-29T23:59", "2000-02-29T23:59:00.000Z"),
            ("2026-11-22T06:00:30Z", "2026-11-22T06:00:30.000Z"),
            ("9999-12-31", "9999-12-31T00:00:00.000Z"),
        ] {
            assert_eq!(parse_utc(text).map(utc).as_deref(), Some(expected));
        }
        for other in [
            "",
            "2026-02-30",
            "2026-13-01",
            "26-01-01",
            "2026-1-01",
            "2026-01-01T24:00",
            "2026-01-01T1",
            "+026-01-01",
        ] {
            assert_eq!(parse_utc(other), None, "{other}");
        }
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_315_200);
        assert_eq!(
            [day(time, 0), day(time, 22), day(time, u32::MAX)],
            ["2026-11-22", "2026-10-31", "1970-01-01"]
        );
    }

    #[test]
    fn times_are_those_of_gnu_date() {
        // date -u -d @N +%FT%TZ
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (1_795_315_200, "2026-11-22T02:40:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(utc(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn days_follow_each_other_for_five_centuries() {
        let lengths = |year: u64| {
            let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        let mut days = 0;
        for year in 1970..2470 {
            for (month, length) in (1..).zip(lengths(year)) {
                for day in 1..=length {
                    assert_eq!(date(days), (year, month, day));
                    days += 1;
                }
            }
        }
    }

    #[test]
    fn milliseconds_are_cut_and_times_before_1970_do_no_harm() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_999_999);
        assert_eq!(utc(time), "1970-01-01T00:00:01.999Z");
        assert_eq!(unix(time), 2.0);
        assert_eq!(utc(SystemTime::UNIX_EPOCH - Duration::from_secs(9)), "1970-01-01T00:00:00.000Z");
        assert_eq!(unix(SystemTime::UNIX_EPOCH - Duration::from_secs(9)), 0.0);
    }
}
