//! The only room that knows every other: one picture through all rooms, and the threads of live sources.

mod capture;
mod detect;
mod durations;
mod feed;
mod frame_result;
mod frequency;
mod mailbox;
mod outbox;
mod plan;
mod rate;
mod stats;
mod still;
mod watch;

pub use capture::{Capture, Faults, Open};
pub use detect::{Encoded, Look, NamedRegion, Pipeline, Region};
pub use feed::Feed;
pub use mailbox::Mailbox;
pub use outbox::{Outbox, finish};
pub use plan::{Plan, StatePrompts};
pub use rate::Governor;
pub use watch::{Report, Watch};
