//! Checks of a network camera: whether it connects, and what it sends.

use std::time::{Duration, Instant};

use serde_json::json;

use super::check::{Check, State};
use crate::error::{Error, Result};
use crate::source::{CapturedFrame, Encoding, Live, Next, SourceOptions, open, shown};

/// Longest wait for a first picture.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long pictures are counted.
const COUNTED: Duration = Duration::from_secs(2);

/// What a camera sends.
struct Stream {
    codec: &'static str,
    width: u32,
    height: u32,
    fps: f32,
}

/// Connects the camera at `address` and watches it for some seconds.
pub(super) fn check(name: &'static str, address: &str) -> Check {
    let shown = shown(address);
    let stream =
        open(address, &SourceOptions::default()).and_then(|mut camera| watch(camera.as_mut(), &shown));
    match stream {
        Ok(Stream { codec, width, height, fps }) => {
            let details =
                json!({ "address": shown, "codec": codec, "width": width, "height": height, "fps": fps });
            let check = Check::ok(
                name,
                format!("{shown}: {codec}, {width}x{height}, {fps:.1} pictures a second"),
                details,
            );
            // Only what is looked at matters, and a larger picture finds nothing more.
            if u64::from(width) * u64::from(height) > 1280 * 960 {
                let advice =
                    "a smaller sub-stream saves its decoding; pictures are reduced to the network's size";
                return check.but(State::Warning, advice);
            }
            check
        }
        Err(error) => Check::failed(name, &error),
    }
}

fn watch(camera: &mut dyn Live, shown: &str) -> Result<Stream> {
    let mut frame = CapturedFrame::empty();
    let opened = Instant::now();
    let mut first = None;
    let (mut frames, mut fault) = (0u16, None);
    let mut stream = None;
    while first.map_or(opened.elapsed() < PATIENCE, |first: Instant| first.elapsed() < COUNTED) {
        match camera.next(&mut frame)? {
            Next::Frame if first.is_none() => {
                first = Some(Instant::now());
                stream = Some(look(&mut frame, shown)?);
            }
            Next::Frame => frames += 1,
            Next::Broken(why) | Next::Stalled(why) => fault = Some(why),
            Next::Nothing => {}
            Next::End => break,
        }
    }
    let found = || fault.unwrap_or_else(|| format!("connected, but no picture for {} s", PATIENCE.as_secs()));
    let stream = stream.ok_or_else(|| Error::device(shown, found(), "a camera that sends its pictures"))?;
    Ok(Stream { fps: f32::from(frames) / COUNTED.as_secs_f32(), ..stream })
}

fn look(frame: &mut CapturedFrame, shown: &str) -> Result<Stream> {
    let codec = if frame.encoding == Encoding::Jpeg { "JPEG" } else { "H.264" };
    let decoded = frame.decode(shown)?;
    Ok(Stream { codec, width: decoded.width, height: decoded.height, fps: 0.0 })
}
