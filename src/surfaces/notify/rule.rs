//! Which events a rule tells of.

use std::time::{Duration, Instant, SystemTime};

use crate::config::Notify;
use crate::events::{Event, EventKind};
use crate::report::{EventRecord, FrameReport};
use crate::system::minute_of_day;

/// A rule, and when it told of something last.
pub(super) struct Rule {
    settings: Notify,
    minutes: Option<(u16, u16)>,
    told: Option<Instant>,
}

impl Rule {
    pub(super) fn new(settings: Notify) -> Self {
        Self { minutes: settings.minutes(), settings, told: None }
    }

    /// A report's events that are told of, if it is time for another message: the first one, or all where no pause is asked
    /// for.
    pub(super) fn take<'a>(&mut self, report: &'a FrameReport) -> Vec<&'a Event> {
        self.take_at(report, Instant::now(), minute_of_day)
    }

    fn take_at<'a>(
        &mut self,
        report: &'a FrameReport,
        now: Instant,
        minute: impl Fn(SystemTime) -> u16,
    ) -> Vec<&'a Event> {
        let pause = Duration::from_secs(self.settings.at_most_once_in.into());
        let waits = self.told.is_some_and(|told| now.duration_since(told) < pause);
        if waits || self.minutes.is_some_and(|(from, to)| !is_within(minute(report.time), from, to)) {
            return Vec::new();
        }
        let most = if pause.is_zero() { usize::MAX } else { 1 };
        let events: Vec<&Event> =
            report.events.iter().filter(|event| self.fits(report, event)).take(most).collect();
        if !events.is_empty() {
            self.told = Some(now);
        }
        events
    }

    fn fits(&self, report: &FrameReport, event: &Event) -> bool {
        let Notify { when, label, zone, source, .. } = &self.settings;
        let record = EventRecord::of(event);
        let among = |names: &[String], name: Option<&str>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|other| other == name))
        };
        when.contains(&EventKind::of(event))
            && among(label, record.label.or(record.state))
            && among(zone, record.place())
            && among(source, Some(&report.source))
    }
}

/// Whether a minute lies between two others, perhaps over midnight.
fn is_within(minute: u16, from: u16, to: u16) -> bool {
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::events;
    use crate::sinks::tests::frame_report;

    fn report() -> FrameReport {
        FrameReport { events: events(), ..frame_report() }
    }

    #[test]
    fn kinds_names_places_and_sources_are_chosen() {
        let kind = |change: &dyn Fn(&mut Notify)| {
            let mut settings = Notify { when: EventKind::ALL.to_vec(), ..Notify::default() };
            change(&mut settings);
            let report = report();
            let mut rule = Rule::new(settings);
            rule.take_at(&report, Instant::now(), |_| 0).first().map(|event| EventKind::of(event).name())
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(kind(&|_| {}), Some("appear"));
        assert_eq!(kind(&|rule| rule.when = vec![EventKind::Cross, EventKind::Tag]), Some("cross"));
        assert_eq!(kind(&|rule| rule.zone = names(&["door"])), Some("state"));
        assert_eq!(kind(&|rule| rule.zone = names(&["kerb"])), Some("cross"));
        assert_eq!(kind(&|rule| rule.label = names(&["rain", "a closed door"])), Some("state"));
        assert_eq!(kind(&|rule| rule.label = names(&["cat"])), None);
        assert_eq!(kind(&|rule| rule.source = names(&["elsewhere"])), None);
        assert_eq!(kind(&|rule| rule.source = vec![report().source.to_string()]), Some("appear"));
    }

    #[test]
    fn there_is_one_message_in_a_time_and_none_outside_the_hours() {
        let start = Instant::now();
        let mut rule = Rule::new(Notify { at_most_once_in: 60, ..Notify::default() });
        let report = report();
        let mut takes = |seconds| rule.take_at(&report, start + Duration::from_secs(seconds), |_| 0).len();
        assert_eq!([0, 1, 59, 60, 119, 121].map(&mut takes), [1, 0, 0, 1, 0, 1]);
        let hours = Notify { hours: Some("22:00-06:00".to_owned()), at_most_once_in: 0, ..Notify::default() };
        let mut rule = Rule::new(hours);
        let all = report
            .events
            .iter()
            .filter(|event| Notify::default().when.contains(&EventKind::of(event)))
            .count();
        assert!(all > 1, "a frame in which more than one thing happens");
        let mut takes = |hour: u16| rule.take_at(&report, start, |_| 60 * hour).len();
        assert_eq!([21, 22, 23, 0, 5, 6, 12].map(&mut takes), [0, all, all, all, all, 0, 0]);
        assert!(is_within(0, 0, 1440) && !is_within(600, 600, 600) && is_within(599, 540, 600));
    }
}
