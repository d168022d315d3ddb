//! The only room that knows every other: one picture through all rooms, and the threads of live sources.

mod appearance;
mod best_looks;
mod blur;
mod boxes;
mod capture;
mod crops;
mod detect;
mod durations;
mod faults;
mod frame_result;
mod frequency;
mod load;
mod luma;
mod mailbox;
mod motion_gate;
mod opening;
mod outbox;
mod plan;
mod rate;
mod reasons;
mod source_state;
mod stats;
mod status;
mod thresholds;
mod tiles;
mod watch;
mod words;

pub(crate) use blur::Blur;
pub(crate) use boxes::clipped;
pub(crate) use capture::{Capture, Open};
pub(crate) use detect::{Encoded, NamedRegion, Pipeline};
pub(crate) use faults::Faults;
pub(crate) use load::{bundle, float_warning, threads};
pub(crate) use mailbox::Mailbox;
pub(crate) use opening::Opening;
pub(crate) use outbox::Outboxes;
pub(crate) use plan::Plan;
pub(crate) use rate::RateController;
pub(crate) use source_state::SourceState;
pub(crate) use status::statuses;
pub(crate) use thresholds::{AskedScores, Thresholds};
pub use tiles::Tiles;
#[cfg(feature = "serve")]
pub(crate) use watch::Visit;
pub(crate) use watch::{Progress, Sources, Watch, WatchControl};
pub(crate) use words::{Words, hidden_words, open_vocabulary};

#[cfg(test)]
#[cfg(feature = "text")]
mod cost_tests;
#[cfg(test)]
mod example_bundle;
#[cfg(test)]
mod examples_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod int8_tests;
