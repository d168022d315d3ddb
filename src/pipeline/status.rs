//! The state of sources and sinks.

use std::time::{Instant, SystemTime};

use super::source_state::SourceState;
use super::watch::Progress;
use crate::sinks::{SinkStatus, Status};

/// The state of each source.
pub(crate) fn statuses(progress: &Progress<'_>, now: Instant) -> Vec<Status> {
    let sinks = progress.outboxes.iter().map(|outbox| SinkStatus {
        name: outbox.name().to_owned(),
        lag: outbox.lag(),
        write: outbox.latest(),
        lost: outbox.counts().lost_frames + outbox.counts().lost_events,
        failed: outbox.counts().failed,
    });
    let sinks: Vec<SinkStatus> = sinks.collect();
    let (mailbox, rate) = (&progress.sources.mailbox, &progress.sources.rate);
    let status = |(index, state): (usize, &SourceState)| Status {
        source: state.name.to_string(),
        time: SystemTime::now(),
        fps_captured: mailbox.captures_per_second(index, now),
        fps_looked: state.stats.looks_per_second(now),
        captured: mailbox.counts(index).captured,
        looked: state.stats.looked,
        dropped: mailbox.counts(index).dropped,
        broken: state.faults.broken(),
        stalled: state.faults.stalled() + state.faults.lost(),
        latency: state.stats.latency(),
        stages: state.stats.stages(),
        temperature: rate.celsius(),
        throttled: rate.throttled().to_vec(),
        rate: rate.share(),
        behind: rate.is_behind(),
        sinks: sinks.clone(),
    };
    progress.sources.states.iter().enumerate().map(status).collect()
}
