//! Where results go: JSON Lines, text for people, annotated pictures; for live sources also tables, screens
//! and snapshots.

mod annotate;
mod clock;
mod csv;
mod exchange;
mod files;
mod fit;
mod framebuffer;
mod frames;
mod history;
mod json;
mod jsonl;
mod live_jsonl;
mod motion_jpeg;
mod output;
mod picture;
mod sink;
mod snapshots;
mod status;
mod text;

pub use annotate::Painter;
pub(crate) use annotate::annotate;
#[cfg(feature = "serve")]
pub(crate) use clock::unix;
pub(crate) use clock::utc;
pub(crate) use csv::Csv;
pub(crate) use exchange::{Coco, write_roboflow, yolo};
pub(crate) use files::{AtomicFile, Inputs, PRIVATE, PUBLIC, Target, taken};
pub(crate) use framebuffer::Framebuffer;
pub(crate) use frames::{Frames, Kept};
pub(crate) use history::{
    Forgotten, Found, History, HistoryLimits, Query, RecallQuery, Recalled, Searched, Seen, Sought, forget,
    recall, search, span,
};
#[cfg(feature = "serve")]
pub(crate) use json::corners;
pub(crate) use jsonl::write_jsonl;
#[cfg(any(feature = "mqtt", feature = "notify"))]
pub(crate) use live_jsonl::event_line;
#[cfg(feature = "serve")]
pub(crate) use live_jsonl::frame_line;
pub(crate) use live_jsonl::{Lines, LiveJsonl};
pub(crate) use motion_jpeg::MotionJpeg;
pub(crate) use output::Output;
#[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
pub(crate) use picture::live_jpeg;
pub(crate) use picture::{PictureKind, encode_picture};
pub use sink::{PictureSink, Sink};
pub(crate) use snapshots::{SnapshotOptions, Snapshots};
pub(crate) use status::{SinkStatus, Status, write_status};
pub(crate) use text::write_text;

#[cfg(test)]
#[path = "tests.rs"]
pub(crate) mod tests;

#[cfg(test)]
mod schema_tests;
