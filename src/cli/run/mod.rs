//! `edgeclip run`

mod flags;
mod followed;
mod list;
mod log;
mod outputs;
mod planner;
mod sources;
mod status;
mod summary;
mod tick;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use tracing_subscriber::filter::LevelFilter;

use self::followed::Followed;
use self::planner::Planner;
use self::tick::{Tick, on_terminal};
use super::model::ModelArgs;
use super::{Failures, print};
use crate::config::{Settings, resolve};
use crate::error::{Error, Result};
use crate::pipeline::{Governor, Mailbox, Plan, Watch, finish};
use crate::system::{State, notify};

/// Watch cameras and streams: one line of JSON a frame, and one for everything that happens
///
/// Always looks at the newest frame; those that come while it looks at another are skipped. Ends on SIGTERM or Ctrl-C, takes
/// a changed configuration on SIGHUP. docs/output.md describes the lines, docs/sources.md sources, docs/events.md zones and
/// events, docs/configuration.md the file; docs/boards.md cameras on boards.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip run --list
  edgeclip run --source /dev/video0 --prompt \"person, dog\"
  edgeclip run --source /dev/video0 --pixel-format MJPG --size 1280x720 --camera-fps 30 --vocab street.vocab.safetensors
  edgeclip run --source rtsp://user:password@192.168.1.20/stream2 --prompt \"person, dog\" --fps 5 --snapshot events/
  rpicam-vid -t 0 -n --codec mjpeg -o - | edgeclip run --source - --prompt \"person, dog\"
  edgeclip run --source /dev/video0 --prompt person --zone garden=0,0.4,0.6,1 --line door=0.5,0,0.5,1 --events-only
  edgeclip run --config edgeclip.toml
  edgeclip run --source clip.y4m --prompt cat --print-config > edgeclip.toml")]
pub struct Args {
    /// List cameras with their formats and controls, and end
    #[arg(long, help_heading = "Sources")]
    list: bool,
    /// File of settings; flags take the place of what it says
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,
    /// Print all settings as a configuration file, and end
    #[arg(long, help_heading = "Configuration")]
    print_config: bool,
    /// Messages on standard error: error, warn, info, debug or off
    #[arg(long, value_name = "LEVEL", default_value = "info", help_heading = "Output")]
    log: LevelFilter,
    #[command(flatten)]
    sources: flags::SourceFlags,
    #[command(flatten)]
    flags: flags::Flags,
    #[command(flatten)]
    places: flags::PlaceFlags,
}

impl Args {
    fn settings(&self) -> Result<Settings> {
        resolve(flags::table(self.config.as_deref(), &self.flags, &self.sources, &self.places)?)
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Settings, words, the model, a sink or the only source cannot be used. Faults that a source survives are told and counted.
pub fn run(args: Args) -> Result<Failures> {
    if args.list {
        return list::list();
    }
    let files = Arc::new(Followed::new(args.config.clone()));
    let settings = args.settings()?;
    files.set(settings.files());
    if args.print_config {
        let text = toml::to_string_pretty(&settings).map_err(|error| Error::Internal(error.to_string()))?;
        print(|out| std::io::Write::write_all(out, text.as_bytes()))?;
        return Ok(Failures::default());
    }
    log::start(args.log);
    let (stop, hangup) = signals()?;
    let opened = sources::open(&settings)?;
    let model = ModelArgs { model: settings.model.clone(), threads: settings.threads };
    let mut planner = Planner::new(model.bundle()?);
    let (pipeline, plan) = planner.start(&settings, model.threads())?;
    let outboxes = outputs::outboxes(&settings)?;
    let mailbox = Arc::new(Mailbox::new(opened.len()));
    let mut governor = Governor::new(plan.target, plan.max_celsius, opened.len());
    governor.measured(&crate::system::thermal(std::path::Path::new("/")));
    let (feeds, captures) = sources::start(opened, &plan, &mailbox, &stop)?;
    let (sender, plans) = channel();
    let status = (settings.status > 0.0).then(|| Duration::from_secs_f32(settings.status));
    let (most, every_frame) = (settings.frames, settings.every_frame);
    let (terminal, reload) = (on_terminal(), reloader(args, settings, planner, sender, Arc::clone(&files)));
    let mut tick = Tick::new(status, Arc::clone(&stop), hangup, files, terminal, reload);
    let mut watch = Watch {
        pipeline,
        plan,
        feeds,
        mailbox,
        outboxes,
        governor,
        every_frame,
        plans,
        stop: Arc::clone(&stop),
        most,
        tick: Box::new(move |report| tick.run(report)),
    };
    let watched = watch.run();
    notify(State::Stopping);
    // What sinks have not written yet, they write now.
    finish(&watch.outboxes, &stop);
    stop.store(true, Ordering::Relaxed);
    watch.mailbox.wake();
    // Status ends before the summary begins.
    watch.tick = Box::new(|_| {});
    summary::sources(&watch.feeds, &watch.mailbox, terminal);
    summary::sinks(&watch.outboxes, terminal);
    sources::join(captures);
    watched.map(|()| Failures::default())
}

/// A flag that SIGTERM and SIGINT set (a second one ends the program at once), and one that SIGHUP sets.
fn signals() -> Result<(Arc<AtomicBool>, Arc<AtomicBool>)> {
    let (stop, hangup) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let wrong = |source| Error::Io { name: "signals".to_owned(), source };
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop)).map_err(wrong)?;
        flag::register(signal, Arc::clone(&stop)).map_err(wrong)?;
    }
    flag::register(SIGHUP, Arc::clone(&hangup)).map_err(wrong)?;
    Ok((stop, hangup))
}

/// Reads the configuration again in a thread of its own, so that no frame is lost meanwhile, and sends the new plan.
fn reloader(
    args: Args,
    settings: Settings,
    planner: Planner,
    plans: Sender<Plan>,
    files: Arc<Followed>,
) -> Box<dyn FnMut()> {
    // One after the other: the last one that is sent is of the newest file.
    let shared = Arc::new(Mutex::new((args, settings, planner)));
    Box::new(move || {
        let (shared, plans, files) = (Arc::clone(&shared), plans.clone(), Arc::clone(&files));
        thread::spawn(move || {
            let (args, before, planner) = &mut *shared.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = args.settings().and_then(|settings| {
                files.set(settings.files());
                for key in settings.needs_restart(before) {
                    tracing::warn!("{key} has changed, which takes a restart to have an effect");
                }
                planner.plan(&settings.with_sources_of(before))
            });
            match changed {
                // The other end is gone only where all ends.
                Ok(plan) => drop(plans.send(plan)),
                Err(error) => tracing::error!("{error}; the configuration of before stays"),
            }
        });
    })
}
