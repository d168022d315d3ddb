//! Which failures of a source or sink are told: so few that a broken cable fills no disk, and yet no new
//! fault hides behind an old one.

use std::fmt;
use std::time::{Duration, Instant};

/// Reasons that are told apart; all further ones count as one.
const REASONS: usize = 16;
/// After so long without a failure for the same reason, the next is news. Also the longest time that outages
/// for one reason are not told.
const NEWS: Duration = Duration::from_secs(600);

/// Failures of one thing, counted by reason.
///
/// During an outage, the first, second, fourth, eighth … failure for a reason is told. The first failure of
/// another outage for that reason is told as well, unless such outages keep coming: then at intervals that
/// double, up to ten minutes.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    seen: Vec<Reason>,
    outage: Option<Outage>,
}

#[derive(Debug)]
struct Reason {
    key: String,
    /// Failures so far, and in this outage.
    count: u64,
    now: u64,
    last: Instant,
    /// When an outage was last told, and how many in a row.
    told: Option<(Instant, u32)>,
}

#[derive(Debug)]
struct Outage {
    since: Instant,
    failures: u64,
    told: bool,
}

/// What worked again: `again after 42 failures, 61 s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Failures in a row.
    pub failures: u64,
    /// Time since the first of them.
    pub lasted: Duration,
}

impl fmt::Display for Recovery {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failures, plural) = (self.failures, if self.failures == 1 { "" } else { "s" });
        write!(to, "again after {failures} failure{plural}, {} s", self.lasted.as_secs_f64().round())
    }
}

impl Reasons {
    /// Counts a failure. If it is to be told, gives the number of failures for this reason so far. Reasons
    /// that differ in numbers only are the same.
    pub(crate) fn failed(&mut self, why: &str, now: Instant) -> Option<u64> {
        let outage = self.outage.get_or_insert(Outage { since: now, failures: 0, told: false });
        outage.failures += 1;
        let reason = reason(&mut self.seen, why, now);
        if now.duration_since(reason.last) >= NEWS {
            (reason.count, reason.now, reason.told) = (0, 0, None);
        }
        (reason.count, reason.now, reason.last) = (reason.count + 1, reason.now + 1, now);
        let due = reason.told.is_none_or(|(when, times)| {
            now.duration_since(when) >= NEWS.min(Duration::from_secs(1) * 2u32.saturating_pow(times))
        });
        let begins = reason.now == 1 && due;
        if begins {
            reason.told = Some((now, reason.told.map_or(1, |(_, times)| times + 1)));
        }
        let tell = begins || reason.now > 1 && reason.now.is_power_of_two() && outage.told;
        let tell = tell || reason.count.is_power_of_two();
        outage.told |= tell;
        tell.then_some(reason.count)
    }

    /// Whether it did not work when it was last heard of.
    #[cfg(test)]
    pub(crate) fn is_out(&self) -> bool {
        self.outage.is_some()
    }

    /// Notes that it works. Gives what is to be told if it did not before, and that had been told.
    pub(crate) fn succeeded(&mut self, now: Instant) -> Option<Recovery> {
        let outage = self.outage.take()?;
        self.seen.iter_mut().for_each(|reason| reason.now = 0);
        let lasted = now.duration_since(outage.since);
        outage.told.then_some(Recovery { failures: outage.failures, lasted })
    }
}

/// The entry of `why`.
fn reason<'a>(seen: &'a mut Vec<Reason>, why: &str, now: Instant) -> &'a mut Reason {
    let key = key(why);
    let at = match seen.iter().position(|reason| reason.key == key) {
        Some(at) => at,
        None if seen.len() < REASONS => {
            seen.push(Reason { key, count: 0, now: 0, last: now, told: None });
            seen.len() - 1
        }
        // The last one stands for all others.
        None => REASONS - 1,
    };
    &mut seen[at]
}

/// The text with every run of digits as one `#`.
fn key(why: &str) -> String {
    let mut key = String::with_capacity(why.len());
    for c in why.chars().take(500) {
        match c.is_ascii_digit() {
            true if key.ends_with('#') => {}
            true => key.push('#'),
            false => key.push(c),
        }
    }
    key
}

#[cfg(test)]
#[path = "reasons_tests.rs"]
mod tests;
