//! Where results go: JSON Lines, text for people, annotated pictures.

mod annotate;
mod jsonl;
mod moment;
mod picture;
mod text;

pub use annotate::annotate;
pub use jsonl::{write_jsonl, write_live_jsonl};
pub use moment::{Moment, Named, Sink};
pub use picture::{PictureKind, save_picture};
pub use text::write_text;

use std::time::Duration;

use crate::vocabulary::{Detection, Tag};

/// What was found in one picture.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The picture's path, or the live source's name, as the user gave it.
    pub path: &'a str,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// The vocabulary's names, which the labels of `tags` and `detections` index.
    pub names: &'a [String],
    /// Best first.
    pub tags: &'a [Tag],
    /// Best first.
    pub detections: &'a [Detection],
    /// How long it took.
    pub timing: Timing,
}

impl<'a> Report<'a> {
    fn name(&self, label: usize) -> &'a str {
        self.names.get(label).map_or("?", String::as_str)
    }
}

/// Time that each stage took for one picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// File to RGB pixels.
    pub decode: Duration,
    /// RGB pixels to the network's input.
    pub preprocess: Duration,
    /// The vision network.
    pub vision: Duration,
    /// Box decoding, NMS and region embeddings.
    pub regions: Duration,
    /// Scores of regions and picture, NMS a label.
    pub matching: Duration,
}

impl Timing {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.decode + self.preprocess + self.vision + self.regions + self.matching
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    /// A report on a street with two detections and one tag.
    pub fn with_street(test: impl FnOnce(Report<'_>)) {
        let names = ["person".to_owned(), "red bus".to_owned(), "street".to_owned()];
        let tags = [Tag { label: 2, score: 0.812_345 }];
        let detections = [
            Detection { label: 1, score: 0.9, rect: Rect { x0: 10.04, y0: 20.06, x1: 110.5, y1: 64.0 } },
            Detection { label: 0, score: 0.333_333, rect: Rect { x0: 0.0, y0: 0.0, x1: 5.0, y1: 9.96 } },
        ];
        let ms = |ms: f64| Duration::from_secs_f64(ms / 1e3);
        let timing = Timing {
            decode: ms(1.0),
            preprocess: ms(0.25),
            vision: ms(30.12349),
            regions: ms(4.0),
            matching: ms(0.5),
        };
        let (tags, detections) = (&tags, &detections);
        test(Report { path: "a \"b\".jpg", width: 640, height: 64, names: &names, tags, detections, timing });
    }
}
