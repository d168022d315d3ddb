//! What every output of live sources implements.

use crate::error::Result;
use crate::report::FrameReport;

/// An output of live sources. Each runs on a thread of its own, so that a slow one delays no other.
///
/// ```
/// use edgeclip::{FrameReport, Result, Sink};
///
/// /// Prints who comes and goes.
/// struct Printer;
///
/// impl Sink for Printer {
///     fn name(&self) -> &str {
///         "printer"
///     }
///
///     fn take(&mut self, report: &FrameReport) -> Result<()> {
///         report.events.iter().for_each(|event| println!("{}: {event:?}", report.source));
///         Ok(())
///     }
/// }
/// ```
pub trait Sink: Send {
    /// What messages call it.
    fn name(&self) -> &str;

    /// Whether every report must carry [`FrameReport::picture`].
    fn wants_pictures(&self) -> bool {
        false
    }

    /// Whether the last [`Sink::take`] had nothing to write, so that its success does not show that the output
    /// works. After a failure, the first success that does is told.
    fn was_idle(&self) -> bool {
        false
    }

    /// Takes one report. If it takes long, frames without events are skipped meanwhile, except those of
    /// recordings, which wait.
    ///
    /// # Errors
    /// Logged and counted; the sink is given the next report all the same. Only after an
    /// [`Error::io`](crate::error::Error::io) of kind `BrokenPipe`, the reader has gone and the loop ends.
    fn take(&mut self, report: &FrameReport) -> Result<()>;
}
