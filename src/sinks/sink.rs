//! What outputs of live sources implement: one trait for those that take reports, which hold no pixels, one for
//! those that show pictures.

use crate::error::Result;
use crate::report::FrameReport;
use crate::source::Picture;

/// An output of reports: words, numbers and boxes. Each runs on a thread of its own, so that a slow one delays no
/// other.
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
///
/// No pixel can reach it: a report holds none,
///
/// ```compile_fail,E0609
/// # use edgeclip::{FrameReport, Result, Sink};
/// # struct Printer;
/// # impl Sink for Printer {
/// #     fn name(&self) -> &str {
/// #         "printer"
/// #     }
/// #
/// fn take(&mut self, report: &FrameReport) -> Result<()> {
///     println!("{:?}", report.picture);
///     Ok(())
/// }
/// # }
/// ```
///
/// and the method takes nothing else:
///
/// ```compile_fail,E0050
/// # use edgeclip::{FrameReport, Picture, Result, Sink};
/// # struct Printer;
/// # impl Sink for Printer {
/// #     fn name(&self) -> &str {
/// #         "printer"
/// #     }
/// #
/// fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
///     Ok(())
/// }
/// # }
/// ```
pub trait Sink: Send {
    /// What messages call it.
    fn name(&self) -> &str;

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

/// An output that shows pictures, such as a screen. Frames are converted for such outputs only: as long as there
/// is none, no frame leaves the loop.
///
/// What a mask or `blur` hides is hidden in the picture already. A picture sink is given to
/// [`WatcherBuilder::picture_sink`](crate::watcher::WatcherBuilder::picture_sink), and is no [`Sink`]:
///
/// ```compile_fail,E0277
/// use edgeclip::{FrameReport, Picture, PictureSink, Result, Watcher};
///
/// struct Screen;
///
/// impl PictureSink for Screen {
///     fn name(&self) -> &str {
///         "screen"
///     }
///
///     fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// Watcher::builder().sink(Screen);
/// ```
pub trait PictureSink: Send {
    /// What messages call it.
    fn name(&self) -> &str;

    /// Same as [`Sink::was_idle`].
    fn was_idle(&self) -> bool {
        false
    }

    /// Takes one report and the frame's pixels: 8-bit sRGB. They are missing where the sink was so slow that they
    /// had to be given up; events never are.
    ///
    /// # Errors
    /// Same as [`Sink::take`].
    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()>;
}
