//! The queues in front of sinks. Reports go to all of them, pixels to those of pictures alone.

mod parcel;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::parcel::Shown;
use self::queue::{Outbox, SinkCounts};
use crate::error::Result;
use crate::report::{FrameReport, Latency};
use crate::sinks::{PictureSink, Sink};
use crate::source::Picture;

/// How long sinks may go on writing after the program was told to stop.
const GRACE: Duration = Duration::from_millis(1500);

/// One queue per sink.
#[derive(Default)]
pub(crate) struct Outboxes {
    reports: Vec<Outbox<Arc<FrameReport>>>,
    pictures: Vec<Outbox<Shown>>,
}

/// What is asked of a queue, whatever it holds.
pub(crate) trait Queued {
    /// What messages call the sink.
    fn name(&self) -> &str;

    /// Whether the next report would displace another. Callers that must not drop frames wait.
    fn is_full(&self) -> bool;

    /// Whether the reader of the sink's output has gone.
    fn is_gone(&self) -> bool;

    /// Age of the oldest report that the sink has not finished.
    fn lag(&self) -> Duration;

    /// Time the sink takes per report, over the latest ones; `None` before the first.
    fn latest(&self) -> Option<Latency>;

    /// The same over all reports, at most 1/32 off.
    fn overall(&self) -> Option<Latency>;

    /// What became of reports so far.
    fn counts(&self) -> SinkCounts;

    /// Lets the sink's thread end once the queue is empty.
    fn close(&self);

    /// Whether the sink's thread has ended.
    fn has_ended(&self) -> bool;

    /// Counts what the sink has not taken as lost.
    fn abandon(&self);
}

impl Outboxes {
    /// Starts a thread for a sink of reports.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) if the system has none left.
    pub(crate) fn add_sink(&mut self, sink: Box<dyn Sink>) -> Result<()> {
        self.reports.push(Outbox::new(sink)?);
        Ok(())
    }

    /// Starts a thread for a sink of pictures.
    ///
    /// # Errors
    /// Same as [`Outboxes::add_sink`].
    pub(crate) fn add_picture_sink(&mut self, sink: Box<dyn PictureSink>) -> Result<()> {
        self.pictures.push(Outbox::new(sink)?);
        Ok(())
    }

    /// Whether any sink shows pictures. If not, no frame need become one.
    pub(crate) fn want_pictures(&self) -> bool {
        !self.pictures.is_empty()
    }

    /// Queues a report for each sink without waiting; `picture` goes to sinks of pictures only.
    pub(crate) fn offer(&self, report: FrameReport, picture: Option<Picture>) {
        let (report, picture) = (Arc::new(report), picture.map(Arc::new));
        for outbox in &self.reports {
            outbox.offer(Arc::clone(&report));
        }
        for outbox in &self.pictures {
            outbox.offer(Shown { report: Arc::clone(&report), picture: picture.clone() });
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Queued> {
        let reports = self.reports.iter().map(|outbox| outbox as &dyn Queued);
        reports.chain(self.pictures.iter().map(|outbox| outbox as &dyn Queued))
    }

    /// Waits until the sinks have taken everything; once `stop` is set, only for a short time. A thread that is
    /// stuck in a write then ends with the program.
    pub(crate) fn finish(&self, stop: &AtomicBool) {
        self.iter().for_each(Queued::close);
        let mut until = None;
        while !self.iter().all(Queued::has_ended) {
            if stop.load(Ordering::Relaxed)
                && Instant::now() >= *until.get_or_insert_with(|| Instant::now() + GRACE)
            {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.iter().filter(|outbox| !outbox.has_ended()).for_each(Queued::abandon);
    }
}

#[cfg(test)]
mod tests;
