//! Answers.

use std::io::{Result, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::pipeline::NamedRegion;

/// What a request asked for; the rest is `None`.
#[derive(Default, Serialize)]
pub(crate) struct Answer {
    /// Of the vocabulary that the request set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Labels>,
    /// `[N, D]`, unit norm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<Array>,
    /// Width of the upright picture in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Its height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// `[D]`, unit norm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Array>,
    /// `[N, D]`, unit norm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<Array>,
    /// `[D, h, w]`, unit norm at each place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dense: Option<Array>,
    /// Where the picture lies in the network's input: x0, y0, x1, y1 as fractions of its side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<[f32; 4]>,
    /// Named boxes, best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detect: Option<Detections>,
    /// `[labels]`, probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Array>,
}

/// How large a vocabulary is.
#[derive(Serialize)]
pub(crate) struct Labels {
    /// Names.
    pub labels: usize,
    /// Embeddings that stand for "none of these".
    pub negatives: usize,
}

/// Named boxes in parallel lists.
#[derive(Serialize)]
pub(crate) struct Detections {
    /// `[N, 4]`: x0, y0, x1, y1 in pixels of the picture.
    boxes: Array,
    /// Positions in the vocabulary.
    labels: Vec<usize>,
    /// `[N]`, probabilities.
    scores: Array,
}

impl Detections {
    /// In the order given.
    pub(crate) fn new(found: &[NamedRegion]) -> Self {
        let (mut corners, mut labels, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        for NamedRegion { rect, label, score, .. } in found {
            corners.extend([rect.x0, rect.y0, rect.x1, rect.y1]);
            labels.push(*label);
            scores.push(*score);
        }
        Self { boxes: Array::new(vec![labels.len(), 4], corners), labels, scores: Array::vector(scores) }
    }
}

/// Floats with a shape, row-major: `{"shape": […], "f32": "base64 of little-endian bytes"}`.
#[derive(Serialize)]
pub(crate) struct Array {
    shape: Vec<usize>,
    #[serde(serialize_with = "base64_of", rename = "f32")]
    values: Vec<f32>,
}

impl Array {
    /// As many `values` as `shape` says.
    pub(crate) fn new(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self { shape, values }
    }

    /// With one dimension.
    pub(crate) fn vector(values: Vec<f32>) -> Self {
        Self { shape: vec![values.len()], values }
    }
}

fn base64_of<S: Serializer>(values: &[f32], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    serializer.serialize_str(&STANDARD.encode(bytes))
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    answer: Option<&'a Answer>,
}

/// Writes an answer, or the error that stands for it, as one line.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(out: &mut impl Write, id: &Value, answer: &crate::error::Result<Answer>) -> Result<()> {
    let error = answer.as_ref().err().map(ToString::to_string);
    serde_json::to_writer(&mut *out, &Line { id, error, answer: answer.as_ref().ok() })?;
    out.write_all(b"\n")
}
