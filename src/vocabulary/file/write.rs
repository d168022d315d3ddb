//! From a vocabulary to the content of a file.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::{FORMAT, FORMAT_2};
use crate::error::{Error, Result};
use crate::vocabulary::embeddings::Embeddings;
use crate::vocabulary::entry::Kind;
use crate::vocabulary::examples::Examples;
use crate::vocabulary::words::Vocabulary;

/// Name, type, shape and bytes of a tensor.
type Part = (&'static str, Dtype, Vec<usize>, Vec<u8>);

impl Vocabulary {
    /// The content of a vocabulary file: of version 1 where that can hold all.
    ///
    /// # Errors
    /// [`Error::Bug`] if it cannot be encoded.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let thresholds: Vec<f32> =
            self.entries.iter().map(|entry| entry.threshold.unwrap_or(f32::NAN)).collect();
        let mut tensors = vec![
            matrix("embeddings", &self.texts.rows),
            matrix("negatives", &self.negatives),
            ("thresholds", Dtype::F32, vec![thresholds.len()], bytes(&thresholds)),
        ];
        let names: Vec<&str> = self.names.iter().map(|name| &**name).collect();
        let mut metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("names".to_owned(), json(&names)?),
            ("prompts".to_owned(), json(&self.texts.prompts)?),
            ("text_sha256".to_owned(), self.text_sha256.clone()),
        ]);
        if self.is_taught() {
            let kinds: Vec<Kind> = self.entries.iter().map(|entry| entry.kind).collect();
            let hidden: Vec<bool> = self.entries.iter().map(|entry| entry.hidden).collect();
            metadata.insert("format".to_owned(), FORMAT_2.to_owned());
            metadata.insert("kinds".to_owned(), json(&kinds)?);
            metadata.insert("hidden".to_owned(), json(&hidden)?);
            tensors.push(indices("word_entry", self.texts.entries.iter().copied()));
            if let Some(examples) = &self.examples {
                add(examples, &mut tensors, &mut metadata)?;
            }
        }
        let mut views = Vec::new();
        for (name, kind, shape, data) in &tensors {
            let view = TensorView::new(*kind, shape.clone(), data).map_err(|error| internal(&error))?;
            views.push((*name, view));
        }
        serialize(views, Some(metadata)).map_err(|error| internal(&error))
    }
}

fn add(examples: &Examples, tensors: &mut Vec<Part>, metadata: &mut HashMap<String, String>) -> Result<()> {
    let rows = &examples.rows;
    let features = rows.first().map_or(0, |row| row.vector.values.len());
    let values = rows.iter().flat_map(|row| &row.vector.values).map(|value| value.cast_unsigned());
    let scales: Vec<f32> = rows.iter().map(|row| row.vector.scale).collect();
    let signs = rows.iter().map(|row| if row.counter { -1i8 } else { 1 }.cast_unsigned());
    tensors.push(("examples", Dtype::I8, vec![rows.len(), features], values.collect()));
    tensors.push(("example_scale", Dtype::F32, vec![rows.len()], bytes(&scales)));
    tensors.push(("example_sign", Dtype::I8, vec![rows.len()], signs.collect()));
    tensors.push(indices("example_entry", rows.iter().map(|row| row.entry)));
    let origins: Vec<_> = rows.iter().map(|row| &row.origin).collect();
    metadata.insert("origins".to_owned(), json(&origins)?);
    metadata.insert("vision_sha256".to_owned(), examples.space.vision_sha256.clone());
    metadata.insert("prompt_sha256".to_owned(), examples.space.prompt_sha256.clone());
    metadata.insert("features_sha256".to_owned(), examples.space.features_sha256.clone());
    Ok(())
}

fn matrix(name: &'static str, rows: &Embeddings) -> Part {
    (name, Dtype::F32, vec![rows.len(), rows.dimension()], bytes(rows.data()))
}

fn indices(name: &'static str, values: impl Iterator<Item = usize>) -> Part {
    // Far fewer than 2³¹.
    let values: Vec<i32> = values.map(|value| i32::try_from(value).unwrap_or(i32::MAX)).collect();
    let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    (name, Dtype::I32, vec![values.len()], data)
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn json<T: serde::Serialize>(value: &[T]) -> Result<String> {
    serde_json::to_string(value).map_err(|error| internal(&error))
}

fn internal(error: &dyn std::fmt::Display) -> Error {
    Error::bug(format!("vocabulary: {error}"))
}
