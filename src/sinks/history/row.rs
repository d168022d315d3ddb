//! Vectors as rows of fixed length, so that a search reads nothing else.

use std::time::SystemTime;

use crate::model::FeatureVector;

/// Bytes of a row of `embeddings` before its numbers.
const HEAD: usize = 32;
/// Bytes of a row of `features` before its numbers.
const SCALE: usize = 4;

/// A row of `embeddings`: what a search goes by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row<'a> {
    /// Where its line begins in the file of lines, in bytes.
    pub line: u64,
    /// Milliseconds since 1970.
    pub time: u64,
    /// Hash of the source's name.
    pub source: u32,
    /// Hash of the label.
    pub label: u32,
    /// Logit of its being a thing at all.
    pub objectness: f32,
    /// Value k of the embedding is `numbers[k] · scale`. 0 for one that was forgotten.
    pub scale: f32,
    /// −127 to 127.
    pub numbers: &'a [u8],
}

/// Bytes of a row with so many numbers.
pub(super) fn stride(embedding: usize) -> usize {
    HEAD + embedding
}

/// The same of a row of `features`.
pub(super) fn features_stride(features: usize) -> usize {
    SCALE + features
}

impl<'a> Row<'a> {
    /// The row as bytes.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(stride(self.numbers.len()));
        bytes.extend(self.line.to_le_bytes());
        bytes.extend(self.time.to_le_bytes());
        bytes.extend(self.source.to_le_bytes());
        bytes.extend(self.label.to_le_bytes());
        bytes.extend(self.objectness.to_le_bytes());
        bytes.extend(self.scale.to_le_bytes());
        bytes.extend(self.numbers);
        bytes
    }

    /// The row in `bytes`; `None` if they are too few.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (line, rest) = bytes.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        let (source, rest) = rest.split_first_chunk()?;
        let (label, rest) = rest.split_first_chunk()?;
        let (objectness, rest) = rest.split_first_chunk()?;
        let (scale, numbers) = rest.split_first_chunk()?;
        Some(Self {
            line: u64::from_le_bytes(*line),
            time: u64::from_le_bytes(*time),
            source: u32::from_le_bytes(*source),
            label: u32::from_le_bytes(*label),
            objectness: f32::from_le_bytes(*objectness),
            scale: f32::from_le_bytes(*scale),
            numbers,
        })
    }

    /// The embedding.
    pub(super) fn vector(&self) -> FeatureVector {
        FeatureVector { values: signed(self.numbers), scale: self.scale }
    }
}

/// A row of `features` as bytes; zeros where there is no vector.
pub(super) fn features_row(vector: Option<&FeatureVector>, features: usize) -> Vec<u8> {
    let mut bytes = vec![0; features_stride(features)];
    if let Some(vector) = vector.filter(|vector| vector.values.len() == features) {
        let row = vector.scale.to_le_bytes().into_iter().chain(unsigned(&vector.values));
        bytes.iter_mut().zip(row).for_each(|(to, byte)| *to = byte);
    }
    bytes
}

/// The vector in a row of `features`; `None` if it holds none.
pub(super) fn features_of(row: &[u8]) -> Option<FeatureVector> {
    let (scale, numbers) = row.split_first_chunk()?;
    let scale = f32::from_le_bytes(*scale);
    (scale > 0.0).then(|| FeatureVector { values: signed(numbers), scale })
}

/// The bytes of int8 numbers.
pub(super) fn unsigned(values: &[i8]) -> impl Iterator<Item = u8> + '_ {
    values.iter().map(|value| value.cast_unsigned())
}

fn signed(numbers: &[u8]) -> Vec<i8> {
    numbers.iter().map(|number| number.cast_signed()).collect()
}

/// Milliseconds since 1970.
pub(super) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// FNV-1a. Names are compared by it before their line is read; different names with one hash are told apart by
/// the line.
pub(super) fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back() {
        let row = Row {
            line: 1 << 40,
            time: 1_795_315_200_123,
            source: hash("gate"),
            label: hash("red car"),
            objectness: -1.5,
            scale: 0.007,
            numbers: &[0, 127, 129],
        };
        let bytes = row.to_bytes();
        assert_eq!((bytes.len(), Row::of(&bytes)), (stride(3), Some(row)));
        assert_eq!(row.vector(), FeatureVector { values: vec![0, 127, -127], scale: 0.007 });
        assert_eq!(Row::of(&bytes[..HEAD - 1]), None);
        let vector = FeatureVector { values: vec![-127, 5], scale: 0.01 };
        let bytes = features_row(Some(&vector), 2);
        assert_eq!((bytes.len(), features_of(&bytes)), (features_stride(2), Some(vector)));
        assert_eq!(
            (features_row(None, 2), features_of(&[0; 6]), features_of(&[1])),
            (vec![0; 6], None, None)
        );
        assert_eq!((hash(""), hash("a")), (0x811c_9dc5, 0xe40c_292c));
    }
}
