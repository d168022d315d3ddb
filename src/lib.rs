//! Finds what you name, in your own words, in pictures and camera streams: offline, on a CPU, with the model
//! inside.
//!
//! edgeclip is an open-vocabulary detector. Prompts such as "red bus" are embedded by a text tower, pictures by
//! an image tower, both quantised to int8; what matches becomes named boxes and tags, with calibrated
//! probabilities that count "none of these" among the alternatives. The program `edgeclip` is made of this
//! library.
//!
//! # One picture
//!
//! ```no_run
//! use edgeclip::{Detector, Picture};
//!
//! # fn main() -> edgeclip::Result<()> {
//! let detector = Detector::new()?.prompts(["cat", "red bus"])?;
//! let found = detector.detect(&Picture::open("photo.jpg")?)?;
//! for detection in &found.detections {
//!     println!("{} {:.2} {:?}", detection.label, detection.score, detection.rect);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Detector`] also takes pixels in memory ([`Frame`]), prompts that were embedded beforehand, and other
//! models and thresholds ([`Detector::builder`]).
//!
//! # A camera
//!
//! ```no_run
//! use std::ops::ControlFlow;
//!
//! use edgeclip::Watcher;
//!
//! # fn main() -> edgeclip::Result<()> {
//! let watcher = Watcher::builder().source("/dev/video0").prompts(["person"]).fps(5.0).build()?;
//! watcher.run_with(|report| {
//!     report.events.iter().for_each(|event| println!("{event:?}"));
//!     ControlFlow::Continue(())
//! })
//! # }
//! ```
//!
//! [`Watcher`] tracks what it finds and reports what happens. It reads cameras, recordings, network streams and
//! sources of your own ([`Live`]), feeds sinks of your own ([`Sink`], [`PictureSink`]), and takes every setting of
//! `edgeclip run` ([`WatcherBuilder::config`]).
//!
//! # Search by a sentence
//!
//! Pictures, boxes and texts are embedded into one space, where the dot product is their similarity:
//!
//! ```no_run
//! use edgeclip::{Detector, Picture};
//!
//! # fn main() -> edgeclip::Result<()> {
//! let detector = Detector::new()?;
//! let wanted = detector.embed_text("a dog on a beach")?;
//! let picture = detector.embed(&Picture::open("photo.jpg")?)?;
//! let similarity: f32 = picture.iter().zip(&wanted).map(|(a, b)| a * b).sum();
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! Every fallible function returns an [`Error`], sorted by who must act: it names the thing, says what was
//! found and what was expected.
//!
//! ```
//! use edgeclip::{ErrorKind, Picture};
//!
//! let error = Picture::open("no/such.jpg").unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Input);
//! assert!(error.to_string().starts_with("no/such.jpg: found nothing there, expected a JPEG"));
//! ```
//!
//! # Features
//!
//! - `text` (default): the text tower and its tokenizer. Without it, [`Detector::vocabulary`] reads what
//!   `edgeclip vocab build` has embedded, and the library is smaller.
//! - `rtsp` (default): H.264 from IP cameras.
//! - `http` (default): Motion JPEG from IP cameras, also over TLS.
//! - `mqtt` (default): results to an MQTT broker, and commands from it.
//! - `notify` (default): messages to webhooks, ntfy, Telegram and Pushover.
//! - `packed`: the model inside is deflated: a smaller program, a later start.
//!
//! `examples/` holds programs to begin with; `docs/` the book.

mod cli;
mod config;
mod detect;
mod detector;
mod error;
mod events;
mod frame;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(test, not(fuzzing)))]
mod fuzzing;
mod geometry;
mod model;
mod pipeline;
mod preprocess;
mod privacy;
mod report;
mod sinks;
mod source;
mod surfaces;
mod system;
mod track;
mod vocabulary;
mod watcher;

/// The whole program `edgeclip`, for its `main`.
#[doc(hidden)]
pub use cli::run as run_program;

#[doc(inline)]
pub use detector::{AsFrame, Detector, DetectorBuilder};
#[doc(inline)]
pub use error::{Error, ErrorKind, Fault, Result};
#[doc(inline)]
pub use events::{Event, EventKind, Outline};
#[doc(inline)]
pub use frame::{Frame, PixelFormat, Range};
#[doc(inline)]
pub use geometry::Rect;
#[doc(inline)]
pub use pipeline::Tiles;
#[doc(inline)]
pub use report::{
    Before, Detection, EventRecord, Findings, FrameReport, Grid, LiveTiming, ShownBoxes, Tag, Timing,
};
#[doc(inline)]
pub use sinks::{Painter, PictureSink, Sink};
#[doc(inline)]
pub use source::{CapturedFrame, Encoding, Live, Next, Picture};
#[doc(inline)]
pub use track::Track;
#[doc(inline)]
pub use watcher::{StopHandle, Watcher, WatcherBuilder};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;

#[doc = include_str!("../docs/rust.md")]
#[cfg(doctest)]
struct Book;
