//! What is told at the end.

use std::time::Duration;

use crate::pipeline::{Feed, Mailbox, Outbox};
use crate::report::{Latency, STAGES};

/// One line for each source: its faults, if there were any; on a terminal also how long results took.
pub fn sources(feeds: &[Feed], mailbox: &Mailbox, terminal: bool) {
    for (index, feed) in feeds.iter().enumerate() {
        let (faults, frames) = (&feed.faults, mailbox.counts(index).captured);
        if faults.broken() + faults.stalled() + faults.lost() > 0 {
            tracing::warn!(
                "{}: {frames} frames, {} looked at, {} broken, {} stalls, {} losses",
                feed.name,
                feed.stats.looked,
                faults.broken(),
                faults.stalled(),
                faults.lost()
            );
        }
        if let Some((latency, stages)) = feed.stats.overall() {
            let stages: Vec<String> = STAGES
                .iter()
                .zip(stages)
                .map(|(name, took)| format!("{name} {}", percentiles(took)))
                .collect();
            let (looked, latency) = (feed.stats.looked, percentiles(latency));
            let text = format!(
                "{}: {looked} of {frames} frames looked at, median/99 % in ms: latency {latency}, of which {}",
                feed.name,
                stages.join(", ")
            );
            tell(terminal, &text);
        }
    }
}

/// One line for each sink that was too slow or failed; on a terminal, for each that has taken anything how long that took.
pub fn sinks(outboxes: &[Outbox], terminal: bool) {
    for outbox in outboxes {
        let (name, counts) = (outbox.name(), outbox.counts());
        if counts.lost_frames + counts.lost_events + counts.failed > 0 {
            tracing::warn!(
                "{name}: {} results written, {} failures; {} frames and {} events left out",
                counts.taken,
                counts.failed,
                counts.lost_frames,
                counts.lost_events
            );
        }
        if let Some(took) = outbox.overall() {
            tell(
                terminal,
                &format!("{name}: {} results, median/99 % in ms: {}", counts.taken, percentiles(took)),
            );
        }
    }
}

/// Who does not watch finds it in the log when asked for.
fn tell(terminal: bool, text: &str) {
    if terminal {
        tracing::info!("{text}");
    } else {
        tracing::debug!("{text}");
    }
}

/// `12.3/45.6`
fn percentiles(latency: Latency) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    format!("{:.1}/{:.1}", ms(latency.p50), ms(latency.p99))
}
