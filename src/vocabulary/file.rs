//! Vocabulary files, `*.vocab.safetensors`. The format is described in `docs/architecture.md`.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::embeddings::Embeddings;
use super::prompts::MAX_PROMPTS;
use super::words::Vocabulary;
use crate::error::{Error, Result, obeyed};
use crate::geometry::dot;

/// Metadata value of `format`.
const FORMAT: &str = "edgeclip-vocab-1";
/// Most bytes of a name or prompt.
const LONGEST: usize = 64 << 10;
/// Longest file: twenty thousand rows of a kilobyte, their names and prompts, and as many negatives.
const MOST_BYTES: u64 = 128 << 20;
/// How far a row's length may be from 1.
const NORM_TOLERANCE: f32 = 1e-3;

impl Vocabulary {
    /// Reads a vocabulary file.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, otherwise same as [`Vocabulary::from_bytes`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| Error::input(&name, error.to_string(), "a vocabulary file");
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            let expected = format!("at most {} MB, enough for {MAX_PROMPTS} prompts", MOST_BYTES >> 20);
            return Err(Error::input(&name, format!("more than {MOST_BYTES} bytes"), expected));
        }
        Self::from_bytes(&name, &bytes)
    }

    /// Reads the content of a vocabulary file, called `name` in errors.
    ///
    /// # Errors
    /// [`Error::Input`] if it is not a safetensors file, not of this format, its tensors and names do not
    /// belong together, a name is empty or holds control characters, a row is not of unit length, or a
    /// threshold is neither NaN nor from 0 to 1.
    pub(crate) fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let wrong = |found: String, expected: &str| Error::input(name, found, expected);
        let unreadable =
            |error| wrong(format!("{} bytes ({error})", bytes.len()), "a *.vocab.safetensors file");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;

        let metadata = header.metadata().clone().unwrap_or_default();
        let text = |key: &str| metadata.get(key).map(String::as_str);
        if text("format") != Some(FORMAT) {
            let found =
                text("format").map_or("no format in its metadata".to_owned(), |f| format!("format \"{f}\""));
            return Err(wrong(found, &format!("\"{FORMAT}\"")));
        }
        let list = |key: &str| {
            text(key)
                .and_then(|json| serde_json::from_str::<Vec<String>>(json).ok())
                .ok_or_else(|| wrong(format!("no list of {key} in its metadata"), "a JSON array of strings"))
        };
        let (names, prompts) = (list("names")?, list("prompts")?);
        for (what, texts) in [("name", &names), ("prompt", &prompts)] {
            let is_bad = |text: &&String| text.is_empty() || text.contains(obeyed) || text.len() > LONGEST;
            if let Some(bad) = texts.iter().find(is_bad) {
                let expected = format!("{what}s of printable characters, at most {LONGEST} bytes each");
                return Err(wrong(format!("the {what} {bad:?}"), &expected));
            }
        }
        let text_sha256 = text("text_sha256").unwrap_or_default().to_owned();
        if text_sha256.len() != 64 || !text_sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong(format!("text_sha256 \"{text_sha256}\""), "64 hexadecimal digits"));
        }

        let embeddings = rows(name, &file, "embeddings")?;
        let negatives = rows(name, &file, "negatives")?;
        if embeddings.is_empty() {
            return Err(wrong("no embeddings".to_owned(), "at least one"));
        }
        if negatives.dimension() != embeddings.dimension() {
            let found = format!("negatives of {} values", negatives.dimension());
            return Err(wrong(found, &format!("{} as in the embeddings", embeddings.dimension())));
        }
        let (thresholds, shape) = floats(name, &file, "thresholds")?;
        for (what, count) in
            [("names", names.len()), ("prompts", prompts.len()), ("thresholds", shape.iter().product())]
        {
            if count != embeddings.len() {
                return Err(wrong(
                    format!("{count} {what}"),
                    &format!("{}, one per embedding", embeddings.len()),
                ));
            }
        }
        let own = |t: f32| (!t.is_nan()).then_some(t);
        let thresholds: Vec<Option<f32>> = thresholds.into_iter().map(own).collect();
        if let Some(bad) = thresholds.iter().flatten().find(|t| !(0.0..=1.0).contains(*t)) {
            return Err(wrong(format!("a threshold of {bad}"), "0 to 1, or NaN for the model's default"));
        }
        let names = names.into_iter().map(Into::into).collect();
        Ok(Self {
            names,
            prompts,
            embeddings,
            thresholds,
            negatives,
            text_sha256,
            places: Default::default(),
        })
    }

    /// The content of a vocabulary file.
    ///
    /// # Errors
    /// [`Error::Bug`] if it cannot be encoded.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let internal = |error: &dyn std::fmt::Display| Error::bug(format!("vocabulary: {error}"));
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let matrix = |rows: &Embeddings| (vec![rows.len(), rows.dimension()], bytes(rows.data()));
        let thresholds: Vec<f32> = self.thresholds.iter().map(|t| t.unwrap_or(f32::NAN)).collect();
        let parts = [
            ("embeddings", matrix(&self.embeddings)),
            ("negatives", matrix(&self.negatives)),
            ("thresholds", (vec![thresholds.len()], bytes(&thresholds))),
        ];
        let mut tensors = Vec::new();
        for (name, (shape, data)) in &parts {
            tensors
                .push((*name, TensorView::new(Dtype::F32, shape.clone(), data).map_err(|e| internal(&e))?));
        }
        let list = |texts: &[&str]| serde_json::to_string(texts).map_err(|e| internal(&e));
        let names: Vec<&str> = self.names.iter().map(|name| &**name).collect();
        let prompts: Vec<&str> = self.prompts.iter().map(String::as_str).collect();
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("names".to_owned(), list(&names)?),
            ("prompts".to_owned(), list(&prompts)?),
            ("text_sha256".to_owned(), self.text_sha256.clone()),
        ]);
        serialize(tensors, Some(metadata)).map_err(|e| internal(&e))
    }
}

/// A tensor of finite unit-norm rows.
fn rows(name: &str, file: &SafeTensors<'_>, tensor: &str) -> Result<Embeddings> {
    let (data, shape) = floats(name, file, tensor)?;
    let matrix = match shape.as_slice() {
        [_, dimension] => Embeddings::from_data(*dimension, data),
        _ => None,
    };
    let Some(matrix) = matrix else {
        return Err(Error::input(name, format!("{tensor} of shape {shape:?}"), "[rows, dimension]"));
    };
    for (i, row) in matrix.rows().enumerate() {
        let norm = dot(row, row).sqrt();
        if norm.is_nan() || (norm - 1.0).abs() > NORM_TOLERANCE {
            return Err(Error::input(name, format!("{tensor} row {i} of length {norm}"), "unit length"));
        }
    }
    Ok(matrix)
}

/// Values and shape of an f32 tensor.
fn floats(name: &str, file: &SafeTensors<'_>, tensor: &str) -> Result<(Vec<f32>, Vec<usize>)> {
    let view = file.tensor(tensor).map_err(|_| {
        Error::input(name, format!("no tensor {tensor}"), "embeddings, thresholds and negatives")
    })?;
    if view.dtype() != Dtype::F32 {
        return Err(Error::input(name, format!("{tensor} of type {:?}", view.dtype()), "F32"));
    }
    let (values, _) = view.data().as_chunks::<4>();
    Ok((values.iter().map(|v| f32::from_le_bytes(*v)).collect(), view.shape().to_vec()))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
