//! What every output of live sources implements.

use crate::error::Result;
use crate::report::FrameReport;

/// An output of live sources. Each runs on a thread of its own, so that a slow one delays no other.
pub trait Sink: Send {
    /// What messages call it.
    fn name(&self) -> &str;

    /// Whether every report must carry [`FrameReport::picture`].
    fn wants_pictures(&self) -> bool;

    /// Takes one report.
    ///
    /// # Errors
    /// Logged and counted; the sink is given the next report all the same.
    fn take(&mut self, report: &FrameReport) -> Result<()>;
}
