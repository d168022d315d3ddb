//! What is found and what happens, as every output takes it: plain types without behaviour of their own.
//!
//! [`PictureReport`] is the result for one still picture, [`FrameReport`] that for one frame of a live
//! source.

mod event;
mod findings;
mod frame;
mod picture;
#[cfg(test)]
pub(crate) mod samples;
mod timing;

pub use event::{Before, EventRecord, rounded};
pub use findings::{Detection, Findings, ShownBoxes, Tag};
pub use frame::FrameReport;
pub use picture::PictureReport;
pub use timing::{Latency, LiveTiming, STAGES, Timing};
