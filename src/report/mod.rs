//! What is found and what happens, as every output takes it: plain types without behaviour of their own.
//!
//! [`PictureReport`] is the result for one still picture, [`FrameReport`] that for one frame of a live
//! source.

mod event;
mod features;
mod findings;
mod frame;
mod grid;
mod picture;
#[cfg(test)]
pub(crate) mod samples;
mod sighting;
mod timing;

pub(crate) use event::rounded;
pub use event::{Before, EventRecord};
pub(crate) use features::FeatureRecord;
pub use findings::{Detection, Findings, ShownBoxes, Tag};
pub use frame::FrameReport;
pub use grid::Grid;
pub(crate) use picture::PictureReport;
pub(crate) use sighting::{Sighting, VectorSpace};
pub(crate) use timing::{Latency, STAGES};
pub use timing::{LiveTiming, Timing};
