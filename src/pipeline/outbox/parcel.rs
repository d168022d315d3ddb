//! What waits for a sink, and the kind of sink that takes it.

use std::sync::Arc;

use crate::error::Result;
use crate::report::FrameReport;
use crate::sinks::{PictureSink, Sink};
use crate::source::Picture;

/// What one kind of sink is given.
pub(crate) trait Parcel: Send + 'static {
    /// The sinks that take it.
    type Sink: ?Sized + Send + 'static;

    /// The report in it.
    fn report(&self) -> &FrameReport;

    /// Lets go of its pixels; false if it has none.
    fn drop_picture(&mut self) -> bool;

    /// What messages call the sink.
    fn name(sink: &Self::Sink) -> &str;

    /// Whether the sink had nothing to write lately.
    fn was_idle(sink: &Self::Sink) -> bool;

    /// Gives it to the sink.
    ///
    /// # Errors
    /// Those of the sink.
    fn hand_to(&self, sink: &mut Self::Sink) -> Result<()>;
}

impl Parcel for Arc<FrameReport> {
    type Sink = dyn Sink;

    fn report(&self) -> &FrameReport {
        self
    }

    fn drop_picture(&mut self) -> bool {
        false
    }

    fn name(sink: &Self::Sink) -> &str {
        sink.name()
    }

    fn was_idle(sink: &Self::Sink) -> bool {
        sink.was_idle()
    }

    fn hand_to(&self, sink: &mut Self::Sink) -> Result<()> {
        sink.take(self)
    }
}

/// A report with its frame's pixels.
#[derive(Clone)]
pub(crate) struct Shown {
    /// What the frame showed.
    pub report: Arc<FrameReport>,
    /// Its pixels, with everything hidden that is to be hidden; `None` if nobody has looked for that, or once they had
    /// to be given up.
    pub picture: Option<Arc<Picture>>,
}

impl Parcel for Shown {
    type Sink = dyn PictureSink;

    fn report(&self) -> &FrameReport {
        &self.report
    }

    fn drop_picture(&mut self) -> bool {
        self.picture.take().is_some()
    }

    fn name(sink: &Self::Sink) -> &str {
        sink.name()
    }

    fn was_idle(sink: &Self::Sink) -> bool {
        sink.was_idle()
    }

    fn hand_to(&self, sink: &mut Self::Sink) -> Result<()> {
        sink.take(&self.report, self.picture.as_deref())
    }
}
