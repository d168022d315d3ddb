//! From settings to running sources.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use crate::config::{Control, Settings, SourceSettings};
use crate::error::{Error, Result};
use crate::pipeline::{Capture, Faults, Mailbox, Open, Plan, SourceState};
use crate::source::{
    ControlValue, FourCc, Live, Raw, SourceOptions, Wish, open as open_source, pixel_format, shown,
};

/// A source to capture.
pub(crate) struct Opened {
    name: Arc<str>,
    /// The source; `None` if it could not be opened at once.
    first: Option<Box<dyn Live>>,
    again: Open,
    /// Whether to reopen it when it is gone.
    persist: bool,
}

/// Opens all sources in the settings. Where there are several, one that is not there yet does not stop the
/// others.
///
/// # Errors
/// Settings cannot be used, or no source can be opened: why the first cannot.
pub(crate) fn open(settings: &Settings) -> Result<Vec<Opened>> {
    let mut opened = Vec::new();
    let mut failed = None;
    for source in &settings.source {
        let options = options(source)?;
        let url = source.url.clone();
        let again: Open = Box::new(move || open_source(&url, &options));
        let first = match again() {
            Ok(source) => Some(source),
            Err(error) if settings.source.len() > 1 => {
                tracing::warn!("{error}");
                failed.get_or_insert(error);
                None
            }
            Err(error) => return Err(error),
        };
        let name = source.name.clone().unwrap_or_else(|| shown(&source.url)).into();
        let persist = source.url != "-" && first.as_ref().is_none_or(|source| !source.waits());
        opened.push(Opened { name, first, again, persist });
    }
    match failed {
        Some(error) if opened.iter().all(|source| source.first.is_none()) => Err(error),
        _ => Ok(opened),
    }
}

/// A source of the caller's own. Once it is gone it is not opened again.
pub(crate) fn own(source: Box<dyn Live>) -> Opened {
    let name: Arc<str> = source.name().into();
    let shown = Arc::clone(&name);
    let again = move || Err(Error::device(&*shown, "a source that is gone", "one that can be opened again"));
    Opened { name, first: Some(source), again: Box::new(again), persist: false }
}

/// Starts one thread per source.
///
/// # Errors
/// Zones that contradict each other.
pub(crate) fn start(
    opened: Vec<Opened>,
    plan: &Plan,
    mailbox: &Arc<Mailbox>,
    stop: &Arc<AtomicBool>,
) -> Result<(Vec<SourceState>, Vec<JoinHandle<()>>)> {
    let (mut states, mut threads) = (Vec::new(), Vec::new());
    for (index, source) in opened.into_iter().enumerate() {
        let faults = Arc::<Faults>::default();
        states.push(SourceState::new(Arc::clone(&source.name), Arc::clone(&faults), plan, index)?);
        let capture = Capture {
            index,
            name: source.name,
            faults,
            stop: Arc::clone(stop),
            mailbox: Arc::clone(mailbox),
            persist: source.persist,
        };
        threads.push(capture.start(source.first, source.again)?);
    }
    Ok((states, threads))
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
        repeat: source.repeat,
        real_time: source.real_time,
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

/// Joins the threads that have ended. One that is blocked in a read is left behind.
pub(crate) fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
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
