//! The loop of `edgeclip run`: the newest frame of the source whose turn it is, through all rooms, to the sinks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::detect::Pipeline;
use super::feed::Feed;
use super::mailbox::Mailbox;
use super::outbox::Outbox;
use super::plan::Plan;
use super::rate::Governor;
use super::seen::Seen;
use super::still::Thumbnail;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::preprocess::rgb;
use crate::sinks::{LiveTiming, Moment, Timing};
use crate::source::{CapturedFrame, Picture};
use crate::system::{State, notify};

/// How long the loop waits for a frame before it looks after everything else.
const PATIENCE: Duration = Duration::from_millis(200);
/// The same while a recording's frames wait for a slow sink.
const HELD: Duration = Duration::from_millis(10);
/// How often systemd is told that all is well.
const WATCHDOG: Duration = Duration::from_secs(1);

/// Everything that the loop needs.
pub struct Watch {
    /// The networks.
    pub pipeline: Pipeline,
    /// What to look for.
    pub plan: Plan,
    /// One a source.
    pub feeds: Vec<Feed>,
    /// Where frames come from.
    pub mailbox: Arc<Mailbox>,
    /// Where moments go. When one has nobody left who reads it, the loop ends.
    pub outboxes: Vec<Outbox>,
    /// How often to look.
    pub governor: Governor,
    /// Whether frames that are not looked at go to the sinks as well, with predicted tracks.
    pub every_frame: bool,
    /// Other plans.
    pub plans: Receiver<Plan>,
    /// Set when all shall end.
    pub stop: Arc<AtomicBool>,
    /// End after so many looks.
    pub most: Option<u64>,
    /// Called several times a second and at the end, for status and the like.
    pub tick: Box<dyn FnMut(&mut Report<'_>)>,
}

/// What [`Watch::tick`] may look at.
pub struct Report<'a> {
    /// One a source.
    pub feeds: &'a [Feed],
    /// Where frames come from.
    pub mailbox: &'a Mailbox,
    /// Where moments go.
    pub outboxes: &'a [Outbox],
    /// How often to look; takes temperatures.
    pub governor: &'a mut Governor,
    /// Whether this is the last report.
    pub last: bool,
}

impl Watch {
    /// Runs until the sources have ended, enough has been looked at, nobody reads standard output any more, or `stop` is set.
    ///
    /// # Errors
    /// A bug; or the first source that failed, if all have ended.
    pub fn run(&mut self) -> Result<()> {
        let mut looks = 0;
        let mut watchdog = Instant::now();
        // The model is loaded and the sources are being opened. A camera may come days later.
        notify(State::Ready);
        while !self.stop.load(Ordering::Relaxed) && self.most.is_none_or(|most| looks < most) {
            self.look_after(false);
            if self.outboxes.iter().any(Outbox::is_gone) {
                break;
            }
            // A source without frames for minutes is no reason to be restarted; an inference that hangs is.
            if Instant::now() >= watchdog {
                watchdog = Instant::now() + WATCHDOG;
                notify(State::Watchdog);
            }
            let over = self.mailbox.is_over();
            // A recording waits for sinks, but nothing else waits for it.
            let held = self.outboxes.iter().any(Outbox::is_full);
            let predicts = self.every_frame;
            let feeds = &self.feeds;
            let turn = |source: usize, shot: &CapturedFrame, waits: bool| {
                let feed = feeds.get(source)?;
                let due = feed.is_due(feed.clock(shot, waits));
                let chosen = if waits { !held } else { due || predicts };
                chosen.then(|| (!due, feed.served()))
            };
            let until = Instant::now() + if held { HELD } else { PATIENCE };
            let Some((source, mut shot, waits)) = self.mailbox.take(until, turn) else {
                if over {
                    break;
                }
                continue;
            };
            match self.frame(source, &mut shot, waits) {
                Ok(looked) => looks += u64::from(looked),
                Err(error @ Error::Input { .. }) => {
                    if let Some(feed) = self.feeds.get(source) {
                        feed.faults.add_broken(&feed.name, &error.to_string());
                    }
                }
                Err(error) => return Err(error),
            }
            self.mailbox.give_back(source, shot);
        }
        self.look_after(true);
        // Who ends the program knows of failures before: they were told.
        let failure = self.mailbox.failure().filter(|_| !self.stop.load(Ordering::Relaxed));
        failure.map_or(Ok(()), Err)
    }

    /// One frame of a source; true if it was looked at.
    fn frame(&mut self, source: usize, shot: &mut CapturedFrame, waits: bool) -> Result<bool> {
        let Some(feed) = self.feeds.get_mut(source) else { return Ok(false) };
        let now = Instant::now();
        let clock = feed.clock(shot, waits);
        let due = feed.is_due(clock);
        if due {
            feed.serve(clock, shot.taken, self.governor.period());
        } else if !self.every_frame {
            return Ok(false);
        }
        let (number, time, taken) = (shot.number, shot.time, shot.taken);
        let mut timing = LiveTiming { queue: taken.elapsed(), ..LiveTiming::default() };
        let frame = shot.decode(&feed.name)?;
        let wanted = self.outboxes.iter().any(Outbox::wants_pictures);
        let picture = wanted.then(|| pixels(&frame)).transpose()?;
        let frame = match &picture {
            Some(picture) => picture.frame()?,
            None => frame,
        };
        timing.look.decode = now.elapsed();
        let thumbnail = if due && self.plan.skip_still { Thumbnail::of(&frame) } else { None };
        let still = due && thumbnail.as_ref().is_some_and(|thumbnail| feed.is_still(clock, thumbnail));
        let looked = due && !still;
        if looked {
            let seen = Seen::look(&self.pipeline, &self.plan, source, &frame)?;
            timing.look = Timing { decode: timing.look.decode, ..seen.timing };
            feed.looked(clock, thumbnail, seen);
        }
        let started = Instant::now();
        let (tracks, events) = if due { feed.follow(clock, &frame) } else { feed.predict(clock, &frame) };
        timing.track = started.elapsed();
        if looked {
            self.governor.looked(now.elapsed());
            feed.stats.looked(Instant::now(), taken.elapsed(), &timing);
        }
        feed.stats.still += u64::from(still);
        let (width, height) = (frame.width, frame.height);
        let (tags, detections) = if looked {
            (feed.seen().tags.clone(), feed.seen().detections.clone())
        } else {
            Default::default()
        };
        let moment = Arc::new(Moment {
            source: Arc::clone(&feed.name),
            frame: number,
            time,
            width,
            height,
            tags,
            detections,
            tracks,
            events,
            outlines: feed.outlines(),
            timing,
            latency: taken.elapsed(),
            picture,
        });
        for outbox in &self.outboxes {
            outbox.offer(&moment);
        }
        Ok(looked)
    }

    /// What must be done now and then whether frames come or not.
    fn look_after(&mut self, last: bool) {
        if let Ok(plan) = self.plans.try_recv() {
            self.reload(plan);
        }
        (self.tick)(&mut Report {
            feeds: &self.feeds,
            mailbox: &self.mailbox,
            outboxes: &self.outboxes,
            governor: &mut self.governor,
            last,
        });
    }

    fn reload(&mut self, plan: Plan) {
        for (index, feed) in self.feeds.iter_mut().enumerate() {
            if let Err(error) = feed.reload(&plan, index) {
                tracing::error!("{}: {error}", feed.name);
            }
        }
        self.governor.set(plan.target, plan.max_celsius);
        self.plan = plan;
        tracing::info!("prompts, zones and rates are those of the changed configuration");
    }
}

/// The frame as a picture of its own.
fn pixels(frame: &Frame<'_>) -> Result<Picture> {
    Ok(Picture { name: String::new(), width: frame.width, height: frame.height, data: rgb(frame)? })
}
