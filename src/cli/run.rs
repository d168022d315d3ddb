//! `edgeclip run`

use std::io::Write;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::detect::probability;
use super::failures::complain;
use super::model::ModelArgs;
use super::words::WordArgs;
use super::{Failures, print};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::sinks::{Report, Timing, write_live_jsonl};
use crate::source::{Camera, FourCc, Live, Next, Offers, Shot, SourceOptions, Wish, cameras};
use crate::system::{State, notify};
use crate::vocabulary::Vocabulary;

/// Watch a camera: one line of JSON a frame
///
/// Always looks at the newest frame; those that come while it looks at another are skipped. Ends on SIGTERM or Ctrl-C.
/// docs/output.md describes the lines, docs/boards.md cameras on boards.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip run --list
  edgeclip run --source /dev/video0 --prompt \"person, dog\"
  edgeclip run --source /dev/video0 --format MJPG --size 1280x720 --fps 30 --vocab street.vocab.safetensors
  rpicam-vid -t 0 -n --codec mjpeg -o - | edgeclip run --source - --prompt \"person, dog\"")]
pub struct Args {
    /// List cameras with their formats and controls, and end
    #[arg(long)]
    list: bool,
    /// A camera such as /dev/video0, or - for JPEG frames on standard input
    #[arg(long, value_name = "DEVICE|-", required_unless_present = "list")]
    source: Option<String>,
    #[command(flatten)]
    words: WordArgs,
    /// Pixel format of the camera [default: the cheapest that it has in this size]
    #[arg(long, value_name = "FOURCC")]
    format: Option<FourCc>,
    /// Size of the camera's pictures; its nearest is taken [default: 640x480]
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(u32, u32)>,
    /// Frames a second of the camera; its nearest is taken [default: as it is set]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    fps: Option<u32>,
    /// End after so many frames
    #[arg(long, value_name = "N")]
    frames: Option<NonZeroU64>,
    /// Lowest score to report, 0 to 1, for all labels [default: the label's own, else the model's]
    #[arg(long, value_name = "SCORE", value_parser = probability)]
    threshold: Option<f32>,
    #[command(flatten)]
    model: ModelArgs,
}

/// `640x480`
fn size(text: &str) -> std::result::Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let sane = sides.filter(|(w, h)| (1..=16_384).contains(w) && (1..=16_384).contains(h));
    sane.ok_or_else(|| "expected WIDTHxHEIGHT, for example 640x480".to_owned())
}

/// Runs the subcommand.
///
/// # Errors
/// Flags, words, the model, standard output or the source cannot be used. Faults that the source survives are told and counted.
pub fn run(args: &Args) -> Result<Failures> {
    if args.list {
        return list();
    }
    let stop = stop_on_signals()?;
    let words = args.words.words("run")?;
    let mut source = open(args)?;
    let bundle = args.model.bundle()?;
    let (vocabulary, networks) = words.load(&bundle, args.model.threads())?;
    let pipeline = Pipeline::new(networks, bundle.manifest);
    let watched = watch(source.as_mut(), &pipeline, &vocabulary, args, &stop);
    notify(State::Stopping);
    watched.map(|()| Failures::default())
}

/// Opens the source that `--source` names.
fn open(args: &Args) -> Result<Box<dyn Live>> {
    let source = args.source.as_deref().unwrap_or_default();
    let wish = Wish { format: args.format, size: args.size, fps: args.fps };
    if source == "-" {
        if wish != Wish::default() {
            return Err(Error::input("run", "--format, --size or --fps with --source -", "none of them"));
        }
        return crate::source::open(source, &SourceOptions::default());
    }
    let camera = Camera::open(Path::new(source.strip_prefix("v4l2://").unwrap_or(source)), &wish, &[])?;
    let mode = camera.mode();
    let other = args.size.is_some_and(|size| size != (mode.width, mode.height))
        || args.fps.zip(mode.fps).is_some_and(|(wish, fps)| (wish as f32 - fps).abs() > 0.5);
    if other {
        complain(&format!("warning: {source}: found {mode}, the nearest that the camera has"));
    }
    Ok(Box::new(camera))
}

/// A flag that SIGTERM and SIGINT set; a second signal ends the program at once.
fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        let registered = flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)));
        registered.map_err(|source| Error::Io { name: "signals".to_owned(), source })?;
    }
    Ok(stop)
}

/// Looks at frames until there are enough, none any more, or `stop` is set.
fn watch(
    source: &mut dyn Live,
    pipeline: &Pipeline,
    vocabulary: &Vocabulary,
    args: &Args,
    stop: &AtomicBool,
) -> Result<()> {
    let mut shot = Shot::empty();
    let mut faults = Faults::default();
    let mut seen = 0;
    while !stop.load(Ordering::Relaxed) && args.frames.is_none_or(|most| seen < most.get()) {
        match source.next(&mut shot)? {
            Next::Frame => {}
            Next::Nothing => continue,
            Next::Broken(why) => {
                faults.broken(&format!("{}: {why}", source.name()));
                continue;
            }
            Next::Stalled(why) => {
                faults.stalled(&format!("{}: {why}; the source is started again", source.name()));
                continue;
            }
            Next::End => break,
        }
        let reader_gone = match look(source.name(), &mut shot, pipeline, vocabulary, args.threshold) {
            Err(error @ Error::Input { .. }) => {
                faults.broken(&error.to_string());
                continue;
            }
            looked => looked?,
        };
        notify(if seen == 0 { State::Ready } else { State::Watchdog });
        seen += 1;
        if reader_gone {
            break;
        }
    }
    faults.sum_up(source.name(), seen);
    Ok(())
}

/// Finds things in one frame and prints its line; true if the reader of standard output has gone.
fn look(
    source: &str,
    shot: &mut Shot,
    pipeline: &Pipeline,
    vocabulary: &Vocabulary,
    threshold: Option<f32>,
) -> Result<bool> {
    let (number, time) = (shot.number, shot.time);
    let start = Instant::now();
    let frame = shot.frame(source)?;
    let decode = start.elapsed();
    let findings = pipeline.detect(&frame, vocabulary, threshold)?;
    let report = Report {
        path: source,
        width: frame.width,
        height: frame.height,
        names: vocabulary.names(),
        tags: &findings.tags,
        detections: &findings.detections,
        timing: Timing { decode, ..findings.timing },
    };
    print(|out| write_live_jsonl(out, &report, number, time))
}

/// Counts what went wrong. Each kind is told at its first, second, fourth, eighth … time: a broken cable must not fill a disk.
#[derive(Default)]
struct Faults {
    broken: u64,
    stalled: u64,
}

impl Faults {
    fn broken(&mut self, what: &str) {
        self.broken += 1;
        tell(what, self.broken);
    }

    fn stalled(&mut self, what: &str) {
        self.stalled += 1;
        tell(what, self.stalled);
    }

    /// One line at the end, if anything went wrong.
    fn sum_up(&self, source: &str, seen: u64) {
        if self.broken + self.stalled > 0 {
            complain(&format!("{source}: {seen} frames, {} broken, {} stalls", self.broken, self.stalled));
        }
    }
}

fn tell(what: &str, count: u64) {
    if count.is_power_of_two() {
        complain(&format!("warning: {what} ({count} so far)"));
    }
}

/// Prints each camera with its formats, and to standard error why a device cannot be used. It is a failure if none can.
fn list() -> Result<Failures> {
    let found = cameras();
    if found.is_empty() {
        let expected = "a camera: plugged in, with a driver, and in a container passed in by --device";
        return Err(Error::input("/dev", "no video device", expected));
    }
    let mut failures = Failures::default();
    let usable = found.iter().any(Result::is_ok);
    for camera in found {
        match camera {
            Ok(camera) => {
                print(|out| write_offers(out, &camera))?;
            }
            Err(error) if usable => complain(&error),
            Err(error) => failures.add(&error),
        }
    }
    Ok(failures)
}

fn write_offers(out: &mut impl Write, camera: &Offers) -> std::io::Result<()> {
    writeln!(out, "{}  {} ({})", camera.path.display(), camera.card, camera.driver)?;
    camera
        .formats
        .iter()
        .try_for_each(|offer| writeln!(out, "  {}  {}", offer.format, offer.sizes.join(" ")))?;
    camera.controls.iter().try_for_each(|control| writeln!(out, "  {control}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers() {
        assert_eq!(size("640x480"), Ok((640, 480)));
        for text in ["640", "x480", "0x480", "640x99999", "640x480x3", "-1x5"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
