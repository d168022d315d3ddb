//! The parts that both formats consist of: metadata and tensors, checked one by one.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result, obeyed};
use crate::vocabulary::embeddings::Embeddings;
use edgeclip_kernels::dot;

/// Most bytes of a name or prompt.
const LONGEST: usize = 64 << 10;
/// How far a row's length may be from 1.
const NORM_TOLERANCE: f32 = 1e-3;

/// A safetensors file that is being read.
pub(super) struct Parts<'a> {
    /// What errors call it.
    pub name: &'a str,
    /// Texts by key.
    pub metadata: HashMap<String, String>,
    tensors: SafeTensors<'a>,
    /// The tensors that it should have, for errors.
    pub expected: &'static str,
}

impl<'a> Parts<'a> {
    /// # Errors
    /// [`Error::Input`] if it is no safetensors file.
    pub(super) fn new(name: &'a str, bytes: &'a [u8]) -> Result<Self> {
        let unreadable = |error: safetensors::SafeTensorError| {
            Error::input(name, format!("{} bytes ({error})", bytes.len()), "a *.vocab.safetensors file")
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { name, metadata, tensors, expected: "embeddings, thresholds and negatives" })
    }

    /// The error of something that is wrong.
    pub(super) fn wrong(&self, found: impl Into<String>, expected: impl Into<String>) -> Error {
        Error::input(self.name, found, expected)
    }

    /// A text of the metadata.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// A JSON array of the metadata.
    pub(super) fn list<T: serde::de::DeserializeOwned>(&self, key: &str, of: &str) -> Result<Vec<T>> {
        self.text(key).and_then(|json| serde_json::from_str(json).ok()).ok_or_else(|| {
            self.wrong(format!("no list of {key} in its metadata"), format!("a JSON array of {of}"))
        })
    }

    /// The same of texts that can be printed.
    pub(super) fn texts(&self, key: &str, what: &str) -> Result<Vec<String>> {
        let texts: Vec<String> = self.list(key, "strings")?;
        let is_bad = |text: &&String| text.is_empty() || text.contains(obeyed) || text.len() > LONGEST;
        match texts.iter().find(is_bad) {
            Some(bad) => {
                let expected = format!("{what}s of printable characters, at most {LONGEST} bytes each");
                Err(self.wrong(format!("the {what} {bad:?}"), expected))
            }
            None => Ok(texts),
        }
    }

    /// A hash of the metadata.
    pub(super) fn sha256(&self, key: &str) -> Result<String> {
        let hash = self.text(key).unwrap_or_default();
        if is_sha256(hash) {
            return Ok(hash.to_owned());
        }
        Err(self.wrong(format!("{key} \"{hash}\""), "64 hexadecimal digits"))
    }

    /// That there are as many `what` as there should be.
    pub(super) fn count(&self, what: &str, count: usize, expected: usize, per: &str) -> Result<()> {
        if count == expected {
            return Ok(());
        }
        Err(self.wrong(format!("{count} {what}"), format!("{expected}, one per {per}")))
    }

    /// Whether there is such a tensor.
    pub(super) fn has(&self, tensor: &str) -> bool {
        self.tensors.tensor(tensor).is_ok()
    }

    /// A tensor of one type.
    pub(super) fn tensor(&self, tensor: &str, kind: Dtype) -> Result<TensorView<'_>> {
        let view = self
            .tensors
            .tensor(tensor)
            .map_err(|_| self.wrong(format!("no tensor {tensor}"), self.expected))?;
        if view.dtype() != kind {
            return Err(self.wrong(format!("{tensor} of type {:?}", view.dtype()), format!("{kind:?}")));
        }
        Ok(view)
    }

    /// Values and shape of an f32 tensor.
    pub(super) fn floats(&self, tensor: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        let view = self.tensor(tensor, Dtype::F32)?;
        let (values, _) = view.data().as_chunks::<4>();
        Ok((values.iter().map(|v| f32::from_le_bytes(*v)).collect(), view.shape().to_vec()))
    }

    /// The indices in a tensor of integers, each below `end`.
    pub(super) fn indices(&self, tensor: &str, end: usize) -> Result<Vec<usize>> {
        let view = self.tensor(tensor, Dtype::I32)?;
        let (values, _) = view.data().as_chunks::<4>();
        let index = |bytes: &[u8; 4]| {
            let value = i32::from_le_bytes(*bytes);
            usize::try_from(value).ok().filter(|index| *index < end).ok_or_else(|| {
                self.wrong(
                    format!("{tensor} with {value}"),
                    format!("the place of an entry, 0 to {}", end - 1),
                )
            })
        };
        values.iter().map(index).collect()
    }

    /// A tensor of finite unit-norm rows.
    pub(super) fn rows(&self, tensor: &str) -> Result<Embeddings> {
        let (data, shape) = self.floats(tensor)?;
        let matrix = match shape.as_slice() {
            [_, dimension] => Embeddings::from_data(*dimension, data),
            _ => None,
        };
        let Some(matrix) = matrix else {
            return Err(self.wrong(format!("{tensor} of shape {shape:?}"), "[rows, dimension]"));
        };
        for (i, row) in matrix.rows().enumerate() {
            let norm = dot::of_floats(row, row).sqrt();
            if norm.is_nan() || (norm - 1.0).abs() > NORM_TOLERANCE {
                return Err(self.wrong(format!("{tensor} row {i} of length {norm}"), "unit length"));
            }
        }
        Ok(matrix)
    }

    /// Thresholds of so many names.
    pub(super) fn thresholds(&self, names: usize, per: &str) -> Result<Vec<Option<f32>>> {
        let (values, shape) = self.floats("thresholds")?;
        self.count("thresholds", shape.iter().product(), names, per)?;
        if let Some(bad) = values.iter().find(|t| !t.is_nan() && !(0.0..=1.0).contains(*t)) {
            return Err(self.wrong(format!("a threshold of {bad}"), "0 to 1, or NaN for the model's default"));
        }
        Ok(values.into_iter().map(|t| (!t.is_nan()).then_some(t)).collect())
    }
}

/// Whether this is a sha256 in hexadecimal.
pub(super) fn is_sha256(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit())
}
