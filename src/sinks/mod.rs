//! Where results go: JSON Lines, text for people, annotated pictures; for live sources also tables, screens
//! and snapshots.

mod annotate;
mod atomic_file;
mod clock;
mod csv;
mod fit;
mod framebuffer;
mod frames;
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

pub use annotate::{Painter, annotate};
pub use csv::Csv;
pub use framebuffer::Framebuffer;
pub use frames::Frames;
pub use jsonl::write_jsonl;
pub use live_jsonl::{Lines, LiveJsonl};
pub use motion_jpeg::MotionJpeg;
pub use output::Output;
pub use picture::{PictureKind, save_picture};
pub use sink::Sink;
pub use snapshots::{SnapshotOptions, Snapshots};
pub use status::{SinkStatus, Status, write_status};
pub use text::write_text;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod schema_tests;
