//! The only room that knows every other: one picture through all rooms, and the threads of live sources.

mod capture;
mod detect;
mod durations;
mod feed;
mod frequency;
mod mailbox;
mod outbox;
mod plan;
mod rate;
mod seen;
mod stats;
mod still;
mod watch;

pub use capture::{Capture, Faults, Open};
pub use detect::{Encoded, Findings, Look, NamedRegion, Pipeline, Region};
pub use feed::Feed;
pub use mailbox::{CaptureCounts, Ended, Mailbox};
pub use outbox::{Outbox, finish};
pub use plan::{Plan, StatePrompts};
pub use rate::Governor;
pub use watch::{Report, Watch};
