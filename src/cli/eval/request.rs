//! Requests.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::source::Picture;
use crate::source::apart::Pictures;

/// What a request should be.
pub(crate) const EXPECTED: &str = "a JSON object with vocabulary, texts, or path or base64 (docs/eval.md)";

/// One line of standard input, without its `id`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Request {
    /// What detections and tags of this and later requests are named by.
    pub vocabulary: Option<Words>,
    /// Texts to embed.
    pub texts: Option<Vec<String>>,
    path: Option<PathBuf>,
    /// A picture file's content.
    base64: Option<String>,
    /// Whether to embed the whole picture.
    pub image: bool,
    /// `[x0, y0, x1, y1]` in pixels of the picture, to embed.
    pub boxes: Option<Vec<[f32; 4]>>,
    /// Whether to embed every place of the picture.
    pub dense: bool,
    /// What detections to report.
    pub detect: Option<Detect>,
    /// Whether to report the probability of each label for the whole picture.
    pub tags: bool,
}

/// Names, or a file that holds their embeddings.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Words {
    /// Each is a label and is embedded as it stands.
    Names(Vec<String>),
    /// A vocabulary file.
    File {
        /// Made by `edgeclip vocab build`.
        file: PathBuf,
    },
}

/// Which detections to report.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Detect {
    /// Lowest score, 0 to 1.
    pub threshold: f32,
    /// At most this many, best first; all if `None`.
    pub top: Option<usize>,
}

/// The `id` of a request, null if it has none, and the rest of it.
pub(crate) fn parse(line: Result<&[u8]>) -> (Value, Result<Request>) {
    let wrong = |error: serde_json::Error| Error::input("request", error.to_string(), EXPECTED);
    let fields = line.and_then(|line| serde_json::from_slice(line).map_err(wrong));
    match fields {
        Ok(Value::Object(mut fields)) => {
            let id = fields.remove("id").unwrap_or_default();
            (id, serde_json::from_value(Value::Object(fields)).map_err(wrong))
        }
        Ok(_) => (Value::Null, Err(Error::input("request", "no object", EXPECTED))),
        Err(error) => (Value::Null, Err(error)),
    }
}

impl Request {
    /// The picture that it carries or names, if any.
    ///
    /// # Errors
    /// [`Error::Input`] if it has both, or something is asked of a picture and there is none; those of
    /// [`Picture::open`].
    pub(crate) fn picture(&self, decoder: &Pictures) -> Result<Option<Picture>> {
        match (&self.path, &self.base64) {
            (Some(path), None) => decoder.open(path).map(Some),
            (None, Some(text)) => {
                let bytes = STANDARD.decode(text);
                let wrong = |error: base64::DecodeError| {
                    Error::input("base64", error.to_string(), "base64 with padding")
                };
                decoder.decode("base64".to_owned(), &bytes.map_err(wrong)?).map(Some)
            }
            (Some(_), Some(_)) => Err(Error::input("request", "both path and base64", "one of them")),
            (None, None) if self.needs_picture() => {
                let found = "image, boxes, dense, detect or tags without a picture";
                Err(Error::input("request", found, "path or base64"))
            }
            (None, None) => Ok(None),
        }
    }

    /// Whether there is neither a picture nor a word in it.
    pub(crate) fn asks_nothing(&self) -> bool {
        self.vocabulary.is_none() && self.texts.is_none()
    }

    fn needs_picture(&self) -> bool {
        self.image || self.boxes.is_some() || self.dense || self.detect.is_some() || self.tags
    }
}
