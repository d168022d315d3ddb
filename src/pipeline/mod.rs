//! The only room that knows every other: one picture through all rooms, and the threads of live sources.

mod boxes;
mod capture;
mod detect;
mod durations;
mod frame_result;
mod frequency;
mod load;
mod mailbox;
mod motion_gate;
mod outbox;
mod plan;
mod rate;
mod source_state;
mod stats;
mod watch;
mod words;

pub use boxes::clipped;
pub use capture::{Capture, Faults, Open};
pub use detect::{Encoded, Look, NamedRegion, Pipeline, Region};
pub use load::{bundle, float_warning, threads};
pub use mailbox::{CaptureCounts, Ended, Mailbox};
pub use outbox::{Outbox, finish};
pub use plan::{Plan, StatePrompts};
pub use rate::RateController;
pub use source_state::SourceState;
pub use watch::{Progress, Sources, Watch, WatchControl};
pub use words::{Words, open_vocabulary};

#[cfg(test)]
#[cfg(feature = "text")]
mod cost_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod int8_tests;
