//! The only room that knows every other: one picture through all rooms, and the threads of live sources.

mod capture;
mod detect;
mod durations;
mod frame_result;
mod frequency;
mod mailbox;
mod motion_gate;
mod outbox;
mod plan;
mod rate;
mod source_state;
mod stats;
mod watch;

pub use capture::{Capture, Faults, Open};
pub use detect::{Encoded, Look, NamedRegion, Pipeline, Region};
pub use mailbox::{CaptureCounts, Ended, Mailbox};
pub use outbox::{Outbox, finish};
pub use plan::{Plan, StatePrompts};
pub use rate::RateController;
pub use source_state::SourceState;
pub use watch::{Progress, Sources, Watch, WatchControl};

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod int8_tests;
