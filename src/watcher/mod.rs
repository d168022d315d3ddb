//! The front door for live sources: a loop over cameras, recordings and streams, with sinks and sources of
//! one's own. `edgeclip run` is put together from the same parts.

mod builder;
mod heat;
mod names;
#[cfg(feature = "serve")]
mod oracle;
mod outputs;
mod planner;
mod reload;
#[cfg(feature = "serve")]
mod save;
mod sealing;
mod session;
mod sources;

pub use builder::WatcherBuilder;
pub(crate) use names::names;
pub(crate) use reload::Reload;
pub(crate) use sealing::grants;
pub(crate) use session::{Own, Session};

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Builder};

use crate::error::{Error, ErrorKind, Result};
use crate::report::FrameReport;
use crate::sinks::{PictureSink, Sink};
use crate::source::Picture;
use crate::system::no_thread;

/// Watches live sources: detects, tracks, reports events, hands one [`FrameReport`] per frame to every sink.
///
/// Always looks at the newest frame of a camera; those that arrive meanwhile are skipped. Of a recording,
/// every frame is looked at. A camera that is gone is opened again when it is back.
///
/// ```no_run
/// use std::ops::ControlFlow;
///
/// use edgeclip::Watcher;
///
/// # fn main() -> edgeclip::Result<()> {
/// let watcher = Watcher::builder().source("/dev/video0").prompts(["person", "dog"]).fps(5.0).build()?;
/// watcher.run_with(|report| {
///     for track in &report.tracks {
///         println!("{} {} {:?}", track.id, track.label, track.rect);
///     }
///     if report.frame < 1000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// })
/// # }
/// ```
///
/// Faults that a source or sink survives are logged with [`tracing`](https://docs.rs/tracing). Where the
/// environment variable `NOTIFY_SOCKET` is set, systemd is told that the loop is alive.
pub struct Watcher {
    session: Session,
    stop: StopHandle,
}

impl Watcher {
    /// Sources, prompts, sinks and settings are named there.
    pub fn builder() -> WatcherBuilder {
        WatcherBuilder::default()
    }

    /// Ends the loop from another thread, such as that of a signal handler.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Runs until all sources have ended, a sink's reader has gone ([`Sink::take`]), the setting `frames` is
    /// reached or it is stopped; then waits for the sinks to take what is queued, but for 1.5 s at most if it
    /// was stopped.
    ///
    /// # Errors
    /// Why the first source failed, if all have ended; [`Error::Bug`].
    pub fn run(mut self) -> Result<()> {
        self.session.run(&mut |_| {})
    }

    /// Same as [`Watcher::run`], and calls `on_report` with every report on this thread, until it breaks. If
    /// it is slower than a camera, it misses frames, but no events.
    ///
    /// # Errors
    /// Same as [`Watcher::run`].
    pub fn run_with(mut self, mut on_report: impl FnMut(&FrameReport) -> ControlFlow<()>) -> Result<()> {
        let (sender, reports) = sync_channel::<FrameReport>(0);
        self.session.outboxes_mut().add_sink(Box::new(Forward(sender)))?;
        self.drive(reports, |report| on_report(&report))
    }

    /// Same as [`Watcher::run_with`] with the pixels of each frame, as a [`PictureSink`] is given them.
    ///
    /// # Errors
    /// Same as [`Watcher::run`].
    pub fn run_with_pictures(
        mut self,
        mut on_frame: impl FnMut(&FrameReport, Option<&Picture>) -> ControlFlow<()>,
    ) -> Result<()> {
        let (sender, frames) = sync_channel::<(FrameReport, Option<Picture>)>(0);
        self.session.outboxes_mut().add_picture_sink(Box::new(Forward(sender)))?;
        self.drive(frames, |(report, picture)| on_frame(&report, picture.as_ref()))
    }

    /// Runs on another thread, and calls `on_each` on this one until it breaks.
    fn drive<T: Send>(
        mut self,
        all: Receiver<T>,
        mut on_each: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<()> {
        let (session, stop) = (&mut self.session, &self.stop);
        thread::scope(|scope| {
            let watched = Builder::new().spawn_scoped(scope, || session.run(&mut |_| {}));
            let watched = watched.map_err(|refused| no_thread("the loop", &refused))?;
            // Moved here, so that a panic of `on_each` ends the loop, too.
            let (all, stop) = (all, StopOnDrop(stop));
            for each in &all {
                if on_each(each).is_break() {
                    break;
                }
            }
            drop((all, stop));
            watched.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self.session.sources().states.iter().map(|source| &*source.name);
        let sinks = self.session.outboxes().iter().map(|outbox| outbox.name());
        to.debug_struct("Watcher")
            .field("sources", &sources.collect::<Vec<_>>())
            .field("sinks", &sinks.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Ends a [`Watcher`]; clones end the same one.
#[derive(Debug, Clone, Default)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// Ends the loop within a fraction of a second. May be called more than once, and before the loop runs.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to stop, or has ended.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

struct StopOnDrop<'a>(&'a StopHandle);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What messages call who watches with a closure.
const CALLER: &str = "the caller";

/// Hands reports to the thread that called [`Watcher::run_with`].
struct Forward<T>(SyncSender<T>);

impl<T> Forward<T> {
    fn send(&self, item: T) -> Result<()> {
        let gone = |_| Error::io(ErrorKind::Device, CALLER, io::ErrorKind::BrokenPipe.into());
        self.0.send(item).map_err(gone)
    }
}

impl Sink for Forward<FrameReport> {
    fn name(&self) -> &str {
        CALLER
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        self.send(report.clone())
    }
}

impl PictureSink for Forward<(FrameReport, Option<Picture>)> {
    fn name(&self) -> &str {
        CALLER
    }

    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        self.send((report.clone(), picture.cloned()))
    }
}

#[cfg(test)]
#[cfg(feature = "text")]
#[path = "tests.rs"]
mod tests;
