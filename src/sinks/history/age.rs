//! How old segments are, whatever the clock said when they were begun.

use std::collections::BTreeMap;

/// A segment's day and number.
pub(super) type Place = (String, u32);

/// What is known of a segment without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// Of all its files.
    pub bytes: u64,
    /// Rises from segment to segment in the order in which they are begun; 0 in files of old.
    pub sequence: u64,
}

/// The segments, the one that was begun first before all others.
fn in_order(segments: &BTreeMap<Place, Kept>) -> Vec<(&Place, &Kept)> {
    let mut order: Vec<_> = segments.iter().collect();
    order.sort_by_key(|(_, kept)| kept.sequence);
    order
}

/// The one that was begun first.
pub(super) fn oldest(segments: &BTreeMap<Place, Kept>) -> Option<Place> {
    in_order(segments).first().map(|(place, _)| (*place).clone())
}

/// Whether nothing has been begun after the segment at `place`.
pub(super) fn is_newest(segments: &BTreeMap<Place, Kept>, place: &Place) -> bool {
    in_order(segments).last().is_some_and(|(newest, _)| *newest == place)
}

/// Those that are older than the day `first`, by a clock that says `today`. None is older than what was begun before it: the clock
/// was behind, then, when it was begun. One of a day that is still to come is as old as the one before it.
pub(super) fn before(segments: &BTreeMap<Place, Kept>, first: &str, today: &str) -> Vec<Place> {
    let mut latest = None;
    let aged = in_order(segments).into_iter().filter(|(place, _)| {
        let day = place.0.as_str();
        if day <= today {
            latest = latest.max(Some(day));
        }
        latest.unwrap_or(day) < first
    });
    aged.map(|(place, _)| place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(days: &[(&str, u64)]) -> BTreeMap<Place, Kept> {
        let kept = |&(day, sequence): &(&str, u64)| ((day.to_owned(), 1), Kept { bytes: 1, sequence });
        days.iter().map(kept).collect()
    }

    fn days(places: Vec<Place>) -> Vec<String> {
        places.into_iter().map(|(day, _)| day).collect()
    }

    #[test]
    fn what_a_wrong_clock_has_dated_is_as_old_as_what_was_written_before_it() {
        // 1970 came after a restart without a clock, 2036 from one that was far ahead.
        let found = segments(&[
            ("2026-10-01", 1),
            ("2026-11-20", 2),
            ("1970-01-01", 3),
            ("2036-05-05", 4),
            ("2026-11-22", 5),
        ]);
        assert_eq!(oldest(&found).unwrap().0, "2026-10-01");
        assert_eq!(days(before(&found, "2026-11-01", "2026-11-22")), ["2026-10-01"]);
        assert_eq!(
            days(before(&found, "2026-11-21", "2026-11-22")),
            ["2026-10-01", "2026-11-20", "1970-01-01", "2036-05-05"]
        );
        assert!(is_newest(&found, &("2026-11-22".to_owned(), 1)));
    }

    #[test]
    fn files_of_old_are_in_the_order_of_their_days_and_before_all_others() {
        let found = segments(&[("2026-11-20", 0), ("2026-11-19", 0), ("2026-01-01", 1)]);
        assert_eq!(oldest(&found).unwrap().0, "2026-11-19");
        assert_eq!(days(before(&found, "2026-11-20", "2026-11-22")), ["2026-11-19"]);
        assert!(before(&BTreeMap::new(), "2026-11-20", "2026-11-22").is_empty());
    }
}
