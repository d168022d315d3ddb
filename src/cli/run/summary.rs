//! What is logged at the end.

use std::time::Duration;

use crate::pipeline::{Outboxes, Sources};
use crate::report::{Latency, STAGES};

/// One line per source that had faults; on a terminal also how long results took.
pub(crate) fn sources(sources: &Sources, terminal: bool) {
    for (index, state) in sources.states.iter().enumerate() {
        let (faults, frames) = (&state.faults, sources.mailbox.counts(index).captured);
        if faults.broken() + faults.stalled() + faults.lost() > 0 {
            tracing::warn!(
                "{}: {frames} frames, {} looked at, {} broken, {} stalls, {} losses",
                state.name,
                state.stats.looked,
                faults.broken(),
                faults.stalled(),
                faults.lost()
            );
        }
        if let Some((latency, stages)) = state.stats.overall() {
            let stages: Vec<String> = STAGES
                .iter()
                .zip(stages)
                .map(|(name, took)| format!("{name} {}", percentiles(took)))
                .collect();
            let (looked, latency) = (state.stats.looked, percentiles(latency));
            let text = format!(
                "{}: {looked} of {frames} frames looked at, median/99 % in ms: latency {latency}, of which {}",
                state.name,
                stages.join(", ")
            );
            log(terminal, &text);
        }
    }
}

/// One line per sink that was too slow or failed; on a terminal also how long each took.
pub(crate) fn sinks(outboxes: &Outboxes, terminal: bool) {
    for outbox in outboxes.iter() {
        let (name, counts) = (outbox.name(), outbox.counts());
        if counts.lost_frames + counts.lost_events + counts.failed > 0 {
            tracing::warn!(
                "{name}: {} results written, {} failures; {} frames and {} events dropped",
                counts.taken,
                counts.failed,
                counts.lost_frames,
                counts.lost_events
            );
        }
        if let Some(took) = outbox.overall() {
            log(
                terminal,
                &format!("{name}: {} results, median/99 % in ms: {}", counts.taken, percentiles(took)),
            );
        }
    }
}

/// Shown on a terminal; elsewhere only with `--log debug`.
fn log(terminal: bool, text: &str) {
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
