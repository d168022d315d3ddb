//! The loop of `edgeclip run`: the newest frame of the source whose turn it is, through all rooms, to the
//! sinks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::best_looks::Looked;
use super::detect::Pipeline;
use super::frame_result::FrameResult;
use super::mailbox::Mailbox;
use super::outbox::{Outboxes, Queued};
use super::plan::Plan;
use super::rate::RateController;
use super::source_state::{Asked, SourceState};
use super::tiles::Tile;
use crate::error::{ErrorKind, Result};
use crate::frame::Frame;
use crate::preprocess::rgb;
use crate::privacy::pixelate;
use crate::report::{FrameReport, LiveTiming, Timing, VectorSpace};
use crate::source::apart::check_alive;
use crate::source::{CapturedFrame, Picture};
use crate::system::{State, notify};

/// How long the loop waits for a frame before it attends to everything else.
const PATIENCE: Duration = Duration::from_millis(200);
/// The same while a recording's frames wait for a slow sink.
const HELD: Duration = Duration::from_millis(10);
/// How often systemd is told that all is well.
const WATCHDOG: Duration = Duration::from_secs(1);

/// Looks at frames until it is stopped.
pub(crate) struct Watch {
    pipeline: Pipeline,
    /// What the vectors of its looks may be compared with.
    space: Arc<VectorSpace>,
    plan: Plan,
    sources: Sources,
    outboxes: Outboxes,
    control: WatchControl,
}

/// Where frames come from, and how often each source is looked at.
pub(crate) struct Sources {
    /// One per source.
    pub states: Vec<SourceState>,
    /// The newest frame of each.
    pub mailbox: Arc<Mailbox>,
    /// The time between two looks.
    pub rate: RateController,
}

/// Something that is done with the networks between two frames.
pub(crate) type Visit = Box<dyn FnOnce(&Pipeline, &Plan) + Send>;

/// What others decide about the loop.
pub(crate) struct WatchControl {
    /// Plans that replace the one before.
    pub plans: Receiver<Plan>,
    /// What is done between two frames, one at a time.
    pub visits: Receiver<Visit>,
    /// Set when all shall end.
    pub stop: Arc<AtomicBool>,
    /// Which sources are looked at; others keep their newest frame, and recordings wait.
    pub switches: Arc<[AtomicBool]>,
    /// End after so many looks.
    pub most_looks: Option<u64>,
    /// Whether frames that are not looked at go to the sinks as well, with predicted tracks.
    pub every_frame: bool,
}

/// What the loop shows to status and the like.
pub(crate) struct Progress<'a> {
    /// Where frames come from. Whoever reads temperatures passes them on to [`Sources::rate`].
    pub sources: &'a mut Sources,
    /// Where reports go.
    pub outboxes: &'a Outboxes,
    /// Whether this is the end.
    pub last: bool,
}

impl Watch {
    /// A loop that looks for what `plan` says.
    pub(crate) fn new(
        pipeline: Pipeline,
        plan: Plan,
        sources: Sources,
        outboxes: Outboxes,
        control: WatchControl,
    ) -> Self {
        let space = Arc::new(VectorSpace::of(pipeline.manifest()));
        Self { pipeline, space, plan, sources, outboxes, control }
    }

    /// Where reports go, to add sinks.
    pub(crate) fn outboxes_mut(&mut self) -> &mut Outboxes {
        &mut self.outboxes
    }

    /// Where frames come from.
    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Where reports go.
    pub(crate) fn outboxes(&self) -> &Outboxes {
        &self.outboxes
    }

    /// Runs until the sources have ended, there were enough looks, nobody reads standard output any more, or
    /// it is stopped. `tick` is called several times a second, and at the end.
    ///
    /// # Errors
    /// A bug; nobody left to start decoders; or the first source that failed, if all have ended.
    pub(crate) fn run(&mut self, tick: &mut dyn FnMut(&mut Progress<'_>)) -> Result<()> {
        let mut looks = 0;
        let mut watchdog = Instant::now();
        // The model is loaded and one source is open. Another camera may come days later.
        notify(State::Ready);
        while !self.stopped() && self.control.most_looks.is_none_or(|most| looks < most) {
            self.attend(tick, false);
            check_alive()?;
            // A reader of standard output that has gone ends the program.
            if self.outboxes.iter().any(Queued::is_gone) {
                break;
            }
            // A source without frames for minutes is no reason to be restarted; an inference that hangs is.
            if Instant::now() >= watchdog {
                watchdog = Instant::now() + WATCHDOG;
                notify(State::Watchdog);
            }
            let over = self.sources.mailbox.is_over();
            let Some((source, mut captured, waits)) = self.next_frame() else {
                if over {
                    break;
                }
                continue;
            };
            match self.process(source, &mut captured, waits) {
                Ok(true) => {
                    looks += 1;
                    if let Some(state) = self.sources.states.get(source) {
                        state.faults.recovered(&state.name, captured.taken);
                    }
                }
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::Input => {
                    if let Some(state) = self.sources.states.get(source) {
                        state.faults.add_broken(&state.name, &error.to_string());
                    }
                }
                Err(error) => return Err(error),
            }
            self.sources.mailbox.give_back(source, captured);
        }
        self.attend(tick, true);
        // Earlier failures have been logged; after a stop, nobody asks for them.
        let failure = self.sources.mailbox.failure().filter(|_| !self.stopped());
        failure.map_or(Ok(()), Err)
    }

    /// The frame that is processed next, its source, and whether the source waits for it; `None` if none
    /// comes in time.
    fn next_frame(&self) -> Option<(usize, CapturedFrame, bool)> {
        // A recording waits for sinks, but nothing else waits for it.
        let held = self.outboxes.iter().any(Queued::is_full);
        let rank = |source: usize, captured: &CapturedFrame, waits: bool| {
            let is_on = self.control.switches.get(source).is_none_or(|on| on.load(Ordering::Relaxed));
            let state = self.sources.states.get(source).filter(|_| is_on)?;
            let clock = state.clock(captured, waits);
            let wanted = if waits { !held } else { state.is_due(clock) || self.control.every_frame };
            wanted.then(|| state.rank(clock, waits))
        };
        let until = Instant::now() + if held { HELD } else { PATIENCE };
        self.sources.mailbox.take(until, rank)
    }

    /// Takes one frame of a source through all rooms; true if the network ran on it.
    fn process(&mut self, source: usize, captured: &mut CapturedFrame, waits: bool) -> Result<bool> {
        let Some(state) = self.sources.states.get_mut(source) else { return Ok(false) };
        let started = Instant::now();
        let clock = state.clock(captured, waits);
        let due = state.is_due(clock);
        if due {
            state.serve(clock, captured.taken, self.sources.rate.period());
        } else if !self.control.every_frame {
            return Ok(false);
        }
        let (number, time, taken) = (captured.number, captured.time, captured.taken);
        let queue = taken.elapsed();
        let mut pixels = captured.decode_mut(&state.name)?;
        // Before anything else sees them.
        state.masks.blacken(&mut pixels);
        let frame = pixels.into_frame();
        let mut picture = self.outboxes.want_pictures().then(|| picture_of(&frame)).transpose()?;
        let frame = match &picture {
            Some(picture) => picture.frame()?,
            None => frame,
        };
        let decode = started.elapsed();
        let shown = picture.is_some();
        let look =
            |crops: &[Tile]| FrameResult::look(&self.pipeline, &self.plan, source, &frame, shown, crops);
        let input = self.pipeline.manifest().input.size;
        let recorded = self.plan.best_looks.then(|| {
            let space = Arc::clone(&self.space);
            Looked { space, time, frame: number, size: (frame.width, frame.height) }
        });
        let veiled = shown && self.plan.blur.is_some();
        // A recording waits until each of its pictures can be shown; of a camera, those are that are looked at.
        let each = veiled && waits;
        let asked = Asked { due: due || each, skip_still: self.plan.skip_still && !each, input, veiled };
        let step = state.advance(clock, asked, &frame, recorded.as_ref(), look)?;
        let timing =
            LiveTiming { queue, look: Timing { decode, ..step.findings.timing }, track: step.tracking };
        if step.looked && !due {
            state.looked_besides();
        }
        if step.looked {
            self.sources.rate.looked(started.elapsed());
            state.stats.looked(Instant::now(), taken.elapsed(), &timing);
        }
        let (width, height) = (frame.width, frame.height);
        picture = picture.filter(|_| step.hidden.is_some());
        if let (Some(picture), Some(blur)) = (&mut picture, &self.plan.blur) {
            let named = blur.named(&step.findings.detections, &step.tracks);
            for area in step.hidden.into_iter().flatten().chain(named) {
                pixelate(&mut picture.data, width, height, &area);
            }
        }
        let report = FrameReport {
            source: Arc::clone(&state.name),
            frame: number,
            time,
            width,
            height,
            looked: step.looked,
            tags: step.findings.tags,
            detections: step.findings.detections,
            tracks: step.tracks,
            events: step.events,
            features: step.features,
            sightings: step.sightings,
            crops: step.crops,
            outlines: state.outlines(),
            timing,
            latency: taken.elapsed(),
        };
        self.outboxes.offer(report, picture);
        Ok(step.looked)
    }

    /// Does what must be done from time to time, whether frames come or not.
    fn attend(&mut self, tick: &mut dyn FnMut(&mut Progress<'_>), last: bool) {
        if let Ok(plan) = self.control.plans.try_recv() {
            self.reload(plan);
        }
        if let Ok(visit) = self.control.visits.try_recv() {
            visit(&self.pipeline, &self.plan);
        }
        tick(&mut Progress { sources: &mut self.sources, outboxes: &self.outboxes, last });
    }

    fn reload(&mut self, plan: Plan) {
        for (index, state) in self.sources.states.iter_mut().enumerate() {
            if let Err(error) = state.reload(&plan, index) {
                tracing::error!("{}: {error}", state.name);
            }
        }
        self.sources.rate.set(plan.target, plan.max_celsius);
        self.plan = plan;
        tracing::info!("reloaded prompts, zones and rates");
    }

    fn stopped(&self) -> bool {
        self.control.stop.load(Ordering::Relaxed)
    }
}

/// The frame as a picture of its own.
fn picture_of(frame: &Frame<'_>) -> Result<Picture> {
    Ok(Picture { name: String::new(), width: frame.width, height: frame.height, data: rgb(frame)? })
}
