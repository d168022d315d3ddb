//! Notifications: webhooks, ntfy, Telegram, Pushover. docs/notifications.md describes the rules.

mod message;
mod post;
mod queue;
mod request;
mod rule;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use self::message::Facts;
use self::post::Sender;
use self::queue::Queue;
use self::request::Request;
use self::rule::Rule;
use self::target::Target;
use super::service::Task;
use crate::config;
use crate::error::Result;
use crate::report::FrameReport;
use crate::sinks::{Painter, PictureSink, Sink, live_jpeg};
use crate::source::Picture;

pub(crate) use self::target::Address;

/// One rule, and the way to whom it tells. Files are read when it is made.
pub(super) struct Notifier {
    settings: config::Notify,
    queue: Arc<Queue>,
    target: Arc<Target>,
}

impl Notifier {
    /// As the settings say.
    ///
    /// # Errors
    /// A file cannot be read, or the address not be used.
    pub(super) fn new(settings: &config::Notify) -> Result<Self> {
        let target = Arc::new(Target::new(settings)?);
        if settings.hours.is_some() {
            // The file with the rules of this place cannot be read later.
            crate::system::minute_of_day(std::time::SystemTime::now());
        }
        Ok(Self { settings: settings.clone(), queue: Arc::default(), target })
    }

    /// What takes reports, if no pictures are sent.
    pub(super) fn sink(&self, painter: Painter) -> Option<Box<dyn Sink>> {
        (!self.settings.pictures).then(|| Box::new(self.teller(painter)) as Box<dyn Sink>)
    }

    /// What takes reports with their pictures, if those are sent.
    pub(super) fn picture_sink(&self, painter: Painter) -> Option<Box<dyn PictureSink>> {
        self.settings.pictures.then(|| Box::new(self.teller(painter)) as Box<dyn PictureSink>)
    }

    fn teller(&self, painter: Painter) -> Teller {
        let body = self.settings.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        Teller {
            name: self.target.address.shown.clone(),
            rule: Rule::new(self.settings.clone()),
            message: self.settings.message.clone(),
            body,
            target: Arc::clone(&self.target),
            queue: Arc::clone(&self.queue),
            painter,
            idle: true,
        }
    }

    /// What sends.
    pub(super) fn task(&self) -> Task {
        Box::pin(Sender::new(Arc::clone(&self.target), Arc::clone(&self.queue)).run())
    }

    /// Has it send what is queued, if that goes quickly.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Turns events into messages.
struct Teller {
    name: String,
    rule: Rule,
    message: Option<String>,
    body: Option<Value>,
    target: Arc<Target>,
    queue: Arc<Queue>,
    painter: Painter,
    idle: bool,
}

impl Teller {
    fn tell(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        // The painter sees every report: frames without a look show boxes as in the last one.
        self.painter.follow(report);
        let events = self.rule.take(report);
        self.idle = events.is_empty();
        if self.idle {
            return Ok(());
        }
        let jpeg = match picture {
            Some(picture) => {
                let mut rgb = picture.data.clone();
                self.painter.annotate(&mut rgb, picture.width, picture.height, report);
                Some(live_jpeg(&self.name, &rgb, picture.width, picture.height)?)
            }
            None => None,
        };
        let title = report.source.to_string();
        for event in events {
            let facts = Facts::of(report, event, self.message.as_deref())?;
            self.queue.push(Request::new(&self.target, facts, &title, self.body.as_ref(), jpeg.as_deref()));
        }
        Ok(())
    }
}

impl Sink for Teller {
    fn name(&self) -> &str {
        &self.name
    }

    fn was_idle(&self) -> bool {
        self.idle
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        self.tell(report, None)
    }
}

impl PictureSink for Teller {
    fn name(&self) -> &str {
        &self.name
    }

    fn was_idle(&self) -> bool {
        self.idle
    }

    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        self.tell(report, picture)
    }
}
