//! `edgeclip run`

mod assign;
mod flags;
mod followed;
mod list;
mod status;
mod summary;
mod tick;

pub(super) use assign::assign;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use tracing_subscriber::filter::LevelFilter;

use self::followed::Followed;
use self::tick::{OnChange, Tick, on_terminal};
use super::model::warn;
use super::words::words;
use super::{Failures, print};
use crate::config::{Settings, resolve};
use crate::error::{Error, Result};
use crate::sinks::Inputs;
use crate::system::start_thread;
use crate::watcher::{Own, Reload, Session};

/// Watch cameras and streams: one line of JSON per frame, and one for everything that happens
///
/// Always looks at the newest frame; those that arrive while it looks at another are skipped. Ends on SIGTERM
/// or Ctrl-C, reloads a changed configuration on SIGHUP. docs/output.md describes the lines, docs/sources.md
/// sources, docs/events.md zones and events, docs/configuration.md the file; docs/boards.md cameras on
/// boards.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip run --list
  edgeclip run --list --onvif admin:password
  edgeclip run --source /dev/video0 --prompt \"person, dog\"
  edgeclip run --source /dev/video0 --pixel-format MJPG --size 1280x720 --camera-fps 30 --vocab street.vocab.safetensors
  edgeclip run --source rtsp://user:password@192.168.1.20/stream2 --prompt \"person, dog\" --fps 5 --snapshot events/
  edgeclip run --source \"exec:ffmpeg -loglevel error -i rtsps://camera/stream -an -f yuv4mpegpipe -\" --prompt person
  rpicam-vid -t 0 -n --codec mjpeg -o - | edgeclip run --source - --prompt \"person, dog\"
  edgeclip run --source /dev/video0 --prompt person --zone garden=0,0.4,0.6,1 --line door=0.5,0,0.5,1 --events-only
  edgeclip run --config edgeclip.toml
  edgeclip run --source clip.y4m --prompt cat --print-config > edgeclip.toml")]
pub(crate) struct Args {
    /// List cameras with their formats and controls, and end
    #[arg(long, help_heading = "Sources")]
    list: bool,
    /// With --list, ask the network as well which cameras speak ONVIF, and those for their streams, as this user
    #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "USER:PASSWORD", requires = "list", help_heading = "Sources")]
    onvif: Option<String>,
    /// File of settings; flags override it
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

    /// Sees to it that nothing is written over the configuration file.
    fn refuse_own_file(&self, settings: &Settings) -> Result<()> {
        let mut inputs = Inputs::default();
        self.config.iter().for_each(|file| inputs.add_file(file));
        inputs.refuse_stdout()?;
        let outputs = [("csv", &settings.csv), ("mjpeg", &settings.mjpeg)];
        outputs
            .iter()
            .flat_map(|(key, file)| file.iter().map(move |file| (key, file)))
            .try_for_each(|(key, file)| inputs.refuse_file(file, key))
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Settings, words, the model, a sink or the only source cannot be used. Faults that a source survives are
/// logged and counted.
pub(crate) fn run(args: Args) -> anyhow::Result<Failures> {
    if args.list {
        return list::list(args.onvif.as_deref());
    }
    // Before files are read: whoever changes one may tell at once.
    let (stop, hangup) = signals()?;
    let files = Arc::new(Followed::new(args.config.clone()));
    let settings = args.settings()?;
    files.set(settings.files());
    args.refuse_own_file(&settings)?;
    if args.print_config {
        let text = toml::to_string_pretty(&settings).map_err(|error| Error::bug(error.to_string()))?;
        print(|out| std::io::Write::write_all(out, text.as_bytes()))?;
        return Ok(Failures::default());
    }
    super::log::start(args.log);
    if settings.source.is_empty() {
        let expected = "--source, for example /dev/video0; `edgeclip run --list` lists cameras";
        return Err(Error::settings("run", "no source", expected).into());
    }
    words("run", settings.prompt.as_ref(), settings.vocab.as_deref())?;
    let own = Own { files: args.config.iter().cloned().collect(), ..Own::default() };
    let (mut session, reload) = Session::start(&settings, own, Arc::clone(&stop))?;
    warn(session.warning());
    let status = (settings.status > 0.0).then(|| Duration::from_secs_f32(settings.status));
    let read = reloader(args, settings, reload, Arc::clone(&files));
    let terminal = on_terminal();
    let mut tick = Tick::new(OnChange { hangup, files, read }, terminal);
    if let Some(interval) = status {
        tick.write_status(interval, stop)?;
    }
    let watched = session.run(&mut |progress| tick.run(progress));
    // Status ends before the summary begins.
    drop(tick);
    summary::sources(session.sources(), terminal);
    summary::sinks(session.outboxes(), terminal);
    drop(session);
    watched?;
    Ok(Failures::default())
}

/// A flag that SIGTERM and SIGINT set (a second one ends the program at once), and one that SIGHUP sets.
fn signals() -> anyhow::Result<(Arc<AtomicBool>, Arc<AtomicBool>)> {
    let (stop, hangup) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop)).context("signals")?;
        flag::register(signal, Arc::clone(&stop)).context("signals")?;
    }
    flag::register(SIGHUP, Arc::clone(&hangup)).context("signals")?;
    Ok((stop, hangup))
}

/// Reads the configuration again in its own thread, so that no frame is lost meanwhile, and sends the new
/// plan.
fn reloader(
    args: Args,
    settings: Settings,
    reload: Arc<Mutex<Reload>>,
    files: Arc<Followed>,
) -> Box<dyn FnMut()> {
    // One at a time, so that the last plan sent is from the newest file.
    let shared = Arc::new(Mutex::new((args, settings, reload)));
    Box::new(move || {
        let (shared, files) = (Arc::clone(&shared), Arc::clone(&files));
        let started = start_thread("reload", move || {
            let (args, before, reload) = &mut *shared.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = args.settings().and_then(|settings| {
                files.set(settings.files());
                for key in settings.needs_restart(before) {
                    tracing::warn!("{key} has changed, which takes effect after a restart");
                }
                let settings = settings.with_sources_of(before);
                words("run", settings.prompt.as_ref(), settings.vocab.as_deref())?;
                reload.lock().unwrap_or_else(PoisonError::into_inner).renew(settings)
            });
            if let Err(error) = changed {
                tracing::error!("{error}; keeping the previous configuration");
            }
        });
        if let Err(error) = started {
            tracing::error!("{error}; keeping the previous configuration");
        }
    })
}
