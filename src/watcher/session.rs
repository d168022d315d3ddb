//! Everything that a watch consists of, put together from settings: `edgeclip run` and [`super::Watcher`]
//! differ in who makes the settings and who attends to the loop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Sender, channel};

use super::heat::Heat;
use super::outputs::{Sinks, sinks};
use super::planner::{Beginning, Planner};
use super::sealing;
use super::sources::{self, Captures};
use crate::config::{Settings, SourceSettings};
use crate::error::Result;
use crate::pipeline::{
    Outboxes, Plan, Progress, RateController, SourceState, Sources, Watch, WatchControl, bundle, threads,
};
use crate::source::{Live, set_max_picture_mb};
use crate::system::{State, notify, thermal};

/// Sources and sinks besides those in the settings.
#[derive(Default)]
pub(crate) struct Own {
    /// Sources, which come after the others.
    pub sources: Vec<Box<dyn Live>>,
    /// Sinks, which come after the others.
    pub sinks: Sinks,
    /// Files that are read again while it runs, besides those that the settings name.
    pub files: Vec<PathBuf>,
}

/// A watch that is ready to run: the networks are loaded, and one source is open at least.
pub(crate) struct Session {
    watch: Watch,
    captures: Captures,
    stop: Arc<AtomicBool>,
    warning: Option<String>,
}

/// Changes what a running session looks for.
pub(crate) struct Reload {
    /// Makes plans.
    pub planner: Planner,
    /// Takes them.
    pub plans: Sender<Plan>,
}

impl Session {
    /// Opens sinks and loads the model while sources are being opened. `stop` ends it once it is set.
    ///
    /// # Errors
    /// Settings, words, the model, a sink or all sources cannot be used.
    pub(crate) fn start(settings: &Settings, own: Own, stop: Arc<AtomicBool>) -> Result<(Self, Reload)> {
        if let Some(megabytes) = settings.max_picture_mb {
            set_max_picture_mb(megabytes);
        }
        sealing::check(settings)?;
        let sinks = sinks(settings)?;
        let mut wanted = sources::wanted(settings)?;
        wanted.extend(own.sources.into_iter().map(sources::own));
        // From here on, threads begin and foreign bytes are read.
        if settings.seal {
            sealing::close(settings, &own.files)?;
        }
        let mut settings = settings.clone();
        // Each has zones and lines, those shared by all.
        settings.source.resize(wanted.len(), SourceSettings::default());
        let captures = Captures::start(wanted, Arc::clone(&stop))?;
        let mut planner = Planner::new(bundle(settings.model.as_deref())?);
        let Beginning { pipeline, plan, warning } = planner.start(&settings, threads(settings.threads))?;
        let mut outboxes = Outboxes::default();
        sinks.start(&mut outboxes)?;
        own.sinks.start(&mut outboxes)?;
        let mut rate = RateController::new(plan.target, plan.max_celsius, captures.names.len());
        rate.measured(&thermal(Path::new("/")));
        let states = captures.names.iter().enumerate().map(|(index, (name, faults))| {
            SourceState::new(Arc::clone(name), Arc::clone(faults), &plan, index)
        });
        let states = states.collect::<Result<_>>()?;
        captures.begin()?;
        let mailbox = Arc::clone(&captures.mailbox);
        let (plans, receiver) = channel();
        let control = WatchControl {
            plans: receiver,
            stop: Arc::clone(&stop),
            most_looks: settings.frames,
            every_frame: settings.every_frame,
        };
        let watch = Watch::new(pipeline, plan, Sources { states, mailbox, rate }, outboxes, control);
        Ok((Self { watch, captures, stop, warning }, Reload { planner, plans }))
    }

    /// Where reports go, to add sinks.
    pub(crate) fn outboxes_mut(&mut self) -> &mut Outboxes {
        self.watch.outboxes_mut()
    }

    /// What there is to say of the model, such as that it runs in float.
    pub(crate) fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Where frames come from.
    pub(crate) fn sources(&self) -> &Sources {
        self.watch.sources()
    }

    /// Where reports go.
    pub(crate) fn outboxes(&self) -> &Outboxes {
        self.watch.outboxes()
    }

    /// Runs until it ends, and until the sinks have written what they have. `tick` is called several times a
    /// second, and at the end.
    ///
    /// # Errors
    /// Same as [`Watch::run`].
    pub(crate) fn run(&mut self, tick: &mut dyn FnMut(&mut Progress<'_>)) -> Result<()> {
        let mut heat = Heat::new();
        let watched = self.watch.run(&mut |progress| {
            heat.run(&mut progress.sources.rate);
            tick(progress);
        });
        notify(State::Stopping);
        self.watch.outboxes().finish(&self.stop);
        self.captures.end();
        watched
    }
}
