//! Everything that a watch consists of, put together from settings: `edgeclip run` and [`super::Watcher`]
//! differ in who makes the settings and who attends to the loop.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::heat::Heat;
#[cfg(feature = "serve")]
use super::oracle::Desk;
use super::outputs::{Sinks, sinks};
use super::planner::{Beginning, Planner};
use super::reload::Reload;
use super::sealing;
use super::sources::{self, Captures};
use crate::config::{Settings, SourceSettings};
use crate::error::Result;
use crate::pipeline::{
    Outboxes, Progress, RateController, SourceState, Sources, Watch, WatchControl, bundle, statuses, threads,
};
use crate::sinks::Painter;
use crate::source::{Live, set_max_picture_mb};
use crate::surfaces::Surfaces;
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
    surfaces: Surfaces,
}

/// How often others are told of rates, temperatures and the like.
const STATUS: Duration = Duration::from_secs(2);
/// Most questions that wait for a turn between two frames.
const VISITS: usize = 4;

impl Session {
    /// Opens sinks and loads the model while sources are being opened. `stop` ends it once it is set.
    ///
    /// # Errors
    /// Settings, words, the model, a sink or all sources cannot be used.
    pub(crate) fn start(
        settings: &Settings,
        own: Own,
        stop: Arc<AtomicBool>,
    ) -> Result<(Self, Arc<Mutex<Reload>>)> {
        if let Some(megabytes) = settings.max_picture_mb {
            set_max_picture_mb(megabytes);
        }
        sealing::check(settings)?;
        let sinks = sinks(settings)?;
        let mut surfaces = Surfaces::new(settings)?;
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
        let painter = Painter::new(settings.show).with_trails(settings.trails);
        let told = Sinks { reports: surfaces.sinks(&painter), pictures: surfaces.picture_sinks(&painter) };
        told.start(&mut outboxes)?;
        let mut rate = RateController::new(plan.target, plan.max_celsius, captures.names.len());
        rate.measured(&thermal(Path::new("/")));
        let states = captures.names.iter().enumerate().map(|(index, (name, faults))| {
            SourceState::new(Arc::clone(name), Arc::clone(faults), &plan, index)
        });
        let states = states.collect::<Result<_>>()?;
        captures.begin()?;
        let mailbox = Arc::clone(&captures.mailbox);
        let (plans, receiver) = channel();
        let switches: Arc<[AtomicBool]> = captures.names.iter().map(|_| AtomicBool::new(true)).collect();
        let names = captures.names.iter().map(|(name, _)| Arc::clone(name)).collect();
        let listener = surfaces.listener();
        let most_looks = settings.frames;
        let every_frame = settings.every_frame;
        let reload = Reload::new(
            settings,
            planner,
            plans,
            names,
            Arc::clone(&switches),
            listener,
            own.files.first().cloned(),
        );
        reload.begun(&plan);
        let reload = Arc::new(Mutex::new(reload));
        let (visits, visitors) = sync_channel(VISITS);
        if surfaces.is_some() {
            let (obey, errands) = Reload::obey(&reload)?;
            #[cfg(feature = "serve")]
            surfaces.ask_by(Arc::new(Desk { visits, errands }));
            #[cfg(not(feature = "serve"))]
            drop((visits, errands));
            surfaces.start(&obey)?;
        }
        let control = WatchControl {
            plans: receiver,
            visits: visitors,
            stop: Arc::clone(&stop),
            switches,
            most_looks,
            every_frame,
        };
        let watch = Watch::new(pipeline, plan, Sources { states, mailbox, rate }, outboxes, control);
        Ok((Self { watch, captures, stop, warning, surfaces }, reload))
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
        let listener = self.surfaces.is_some().then(|| self.surfaces.listener());
        let (mut due, mut beat) = (Instant::now(), 0);
        let watched = self.watch.run(&mut |progress| {
            heat.run(&mut progress.sources.rate);
            let now = Instant::now();
            if let Some(listener) = listener.as_ref().filter(|_| now >= due) {
                due = now + STATUS;
                listener.status(&statuses(progress, now), beat);
                beat += 1;
            }
            tick(progress);
        });
        notify(State::Stopping);
        self.watch.outboxes().finish(&self.stop);
        self.surfaces.finish();
        self.captures.end();
        watched
    }
}
