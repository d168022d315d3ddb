//! From settings to running sources.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::names::names;
use crate::config::{Control, Settings, SourceSettings};
use crate::error::{Error, Result};
use crate::pipeline::{Capture, Faults, Mailbox, Open, Opening};
use crate::source::{
    ControlValue, FourCc, Live, Raw, SourceOptions, Suspects, Wish, apart::prepare as prepare_source,
    apart::prepare_sealed, check as check_source, is_program, open as open_source, pixel_format,
};

/// How long sources have before the model is loaded: what is wrong with a file is told at once.
const GLANCE: Duration = Duration::from_millis(100);
/// How long sources have at the end that are programs, to end them.
const FAREWELL: Duration = Duration::from_secs(3);
/// Time between two looks at whether they have.
const LOOK: Duration = Duration::from_millis(10);

/// A source to capture.
pub(crate) struct Wanted {
    name: Arc<str>,
    /// The source, if it is open already.
    first: Option<Box<dyn Live>>,
    open: Open,
    /// Whether to reopen it when it is gone.
    persist: bool,
    /// Whether it is a program, which must not stay behind.
    is_program: bool,
    /// What it notes on files that may kill the program.
    suspects: Suspects,
}

/// Sources that are being captured. They are opened side by side, each in its thread: one that is not there
/// yet keeps no other waiting.
pub(crate) struct Captures {
    /// What messages call each source, and what went wrong with it.
    pub names: Vec<(Arc<str>, Arc<Faults>)>,
    /// Their newest frames.
    pub mailbox: Arc<Mailbox>,
    opening: Arc<Opening>,
    /// Their threads, and whether they have a program to end.
    threads: Vec<(JoinHandle<()>, bool)>,
    suspects: Vec<Suspects>,
    stop: Arc<AtomicBool>,
}

/// The sources in the settings.
///
/// # Errors
/// Their settings cannot be used.
pub(crate) fn wanted(settings: &Settings) -> Result<Vec<Wanted>> {
    let mut sealed = Vec::new();
    let wanted = settings.source.iter().zip(names(&settings.source)).map(|(source, name)| {
        let outputs = settings.annotate.iter().chain(&settings.snapshot).cloned().collect();
        let options = SourceOptions { decoder_mb: settings.decoder_mb, outputs, ..options(source)? };
        check_source(&source.url, &options)?;
        if settings.seal {
            sealed.push((source.url.clone(), options.clone()));
        } else {
            prepare_source(&source.url, &options);
        }
        let (url, suspects) = (source.url.clone(), options.suspects.clone());
        Ok(Wanted {
            name: name.into(),
            first: None,
            open: Box::new(move || open_source(&url, &options)),
            persist: source.url != "-",
            is_program: is_program(&source.url),
            suspects,
        })
    });
    let wanted: Result<Vec<Wanted>> = wanted.collect();
    let wanted = wanted?;
    if settings.seal {
        prepare_sealed(&sealed)?;
    }
    Ok(wanted)
}

/// A source of the caller's own. Once it is gone it is not opened again.
pub(crate) fn own(source: Box<dyn Live>) -> Wanted {
    let name: Arc<str> = source.name().into();
    let shown = Arc::clone(&name);
    let again = move || Err(Error::device(&*shown, "a source that is gone", "one that can be opened again"));
    let suspects = Suspects::default();
    Wanted { name, first: Some(source), open: Box::new(again), persist: false, is_program: false, suspects }
}

impl Captures {
    /// Starts one thread per source, which opens it, and gives them a moment. `stop` ends them.
    ///
    /// # Errors
    /// The system has no threads left, or no source can be opened, as far as is known by then: why the first
    /// cannot.
    pub(crate) fn start(wanted: Vec<Wanted>, stop: Arc<AtomicBool>) -> Result<Self> {
        // The caller's own, which come last, are open already: nobody waits for them.
        let unopened = wanted.iter().filter(|source| source.first.is_none()).count();
        let mut captures = Self {
            names: Vec::new(),
            mailbox: Arc::new(Mailbox::new(wanted.len())),
            opening: Arc::new(Opening::new(unopened)),
            threads: Vec::new(),
            suspects: Vec::new(),
            stop,
        };
        for (index, source) in wanted.into_iter().enumerate() {
            let faults = Arc::<Faults>::default();
            captures.suspects.push(source.suspects);
            captures.names.push((Arc::clone(&source.name), Arc::clone(&faults)));
            let capture = Capture {
                index,
                name: source.name,
                faults,
                stop: Arc::clone(&captures.stop),
                mailbox: Arc::clone(&captures.mailbox),
                opening: Arc::clone(&captures.opening),
                persist: source.persist,
            };
            captures.threads.push((capture.start(source.first, source.open)?, source.is_program));
        }
        captures.opening.wait(GLANCE, || captures.stopped())?;
        Ok(captures)
    }

    /// Waits until one source is open, and lets frames be read from then on.
    ///
    /// # Errors
    /// No source can be opened: why the first cannot.
    pub(crate) fn begin(&self) -> Result<()> {
        self.opening.wait(Duration::MAX, || self.stopped())?;
        self.opening.begin();
        Ok(())
    }

    /// Tells the threads to end.
    pub(crate) fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.mailbox.wake();
        // A thread may be left behind in the middle of a picture.
        self.suspects.iter().for_each(Suspects::close);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Joins the threads that have ended. One that is blocked in a read is left behind, but nobody's program is.
impl Drop for Captures {
    fn drop(&mut self) {
        self.end();
        let until = Instant::now() + FAREWELL;
        for (thread, is_program) in self.threads.drain(..) {
            while is_program && !thread.is_finished() && Instant::now() < until {
                thread::sleep(LOOK);
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }
}

/// The options of `source`, in the form that its kind accepts.
fn options(source: &SourceSettings) -> Result<SourceOptions> {
    let refuse =
        |key: &str, found: &str, expected: String| Error::settings(format!("--{key}"), found, expected);
    let size =
        source.size.as_deref().map(|text| size(text).map_err(|expected| refuse("size", text, expected)));
    let size = size.transpose()?;
    let controls = source.control.iter().map(|(name, value)| (name.clone(), control(value)));
    let mut options = SourceOptions {
        wish: Wish { format: None, size, fps: source.camera_fps },
        controls: controls.collect(),
        raw: None,
        follow: source.follow,
        outputs: Vec::new(),
        suspects: Suspects::kept(),
        repeat: source.repeat,
        real_time: source.real_time,
        decoder_mb: None,
        ca: source.ca.clone(),
        stall: source.stall_seconds.map(|seconds| Duration::from_secs(seconds.into())),
    };
    let camera = ["/dev/", "v4l2://"].iter().any(|prefix| source.url.starts_with(prefix));
    match &source.pixel_format {
        Some(name) if camera => {
            let format: std::result::Result<FourCc, _> = name.parse();
            options.wish.format = Some(format.map_err(|expected| refuse("pixel-format", name, expected))?);
        }
        Some(name) => {
            let format = pixel_format(name).map_err(|expected| refuse("pixel-format", name, expected))?;
            let size = options.wish.size.take();
            let size =
                size.ok_or_else(|| refuse("pixel-format", "no --size", "--size WIDTHxHEIGHT".to_owned()))?;
            options.raw = Some(Raw { format, size, stride: source.stride });
        }
        None => {}
    }
    if source.stride.is_some() && options.raw.is_none() {
        return Err(refuse("stride", "no raw frames", "--pixel-format and --size".to_owned()));
    }
    Ok(options)
}

/// A camera control's value.
fn control(value: &Control) -> ControlValue {
    match value {
        Control::Switch(on) => ControlValue::Switch(*on),
        Control::Number(number) => ControlValue::Number(*number),
        Control::Entry(text) => ControlValue::Text(text.clone()),
    }
}

/// `640x480`
fn size(text: &str) -> std::result::Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let sane = sides.filter(|(w, h)| (1..=16_384).contains(w) && (1..=16_384).contains(h));
    sane.ok_or_else(|| "WIDTHxHEIGHT, for example 640x480".to_owned())
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

    #[test]
    fn a_pixel_format_is_for_a_camera_or_for_raw_frames() {
        let source = |url: &str, size: Option<&str>| SourceSettings {
            url: url.to_owned(),
            pixel_format: Some("YUYV".to_owned()),
            size: size.map(str::to_owned),
            ..SourceSettings::default()
        };
        let camera = options(&source("/dev/video0", Some("64x48"))).unwrap();
        assert_eq!((camera.wish.size, camera.raw), (Some((64, 48)), None));
        assert!(camera.wish.format.is_some());
        let raw = options(&source("-", Some("64x48"))).unwrap();
        assert_eq!((raw.wish, raw.raw.map(|raw| raw.size)), (Wish::default(), Some((64, 48))));
        assert!(options(&source("-", None)).unwrap_err().to_string().contains("--size WIDTHxHEIGHT"));
    }
}
