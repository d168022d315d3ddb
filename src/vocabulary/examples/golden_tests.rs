//! The committed bundle's space against `quantize/arithmetic/examples.py`; `python -m quantize.golden` makes the case.

use std::path::Path;

use safetensors::SafeTensors;

use super::*;
use crate::geometry::Rect;
use crate::model::{Bundle, FeatureMap, FeatureSpace, VisionOutput, cosines};
use crate::vocabulary::embeddings::Embeddings;

/// Rows of each photo: the whole picture, then regions.
const EACH: usize = 5;

/// The values of a tensor, by their bytes.
fn values<const N: usize, T>(file: &SafeTensors<'_>, name: &str, of: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (values, _) = file.tensor(name).unwrap().data().as_chunks::<N>();
    values.iter().map(|bytes| of(*bytes)).collect()
}

#[test]
fn vectors_and_evidence_are_those_of_the_reference() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/examples/photos.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| values(&file, name, f32::from_le_bytes);
    let doubles = |name: &str| values(&file, name, f64::from_le_bytes);
    let bundle = Bundle::embedded().unwrap();
    let space = FeatureSpace::load(&bundle).unwrap().unwrap();
    let rows = |q: &str, scale: &str| -> Vec<FeatureVector> {
        let q: Vec<i8> = values(&file, q, i8::from_le_bytes);
        let rows = q.chunks_exact(space.values()).zip(floats(scale));
        rows.map(|(values, scale)| FeatureVector { values: values.to_vec(), scale }).collect()
    };
    let (vectors, means) = (rows("q", "scale"), rows("mean.q", "mean.scale"));
    let compared = rows("prototype.q", "prototype.scale");
    let (pooled, embeddings) = (floats("pooled"), floats("embedding"));
    let dimension = bundle.manifest.embedding;
    let channels = pooled.len() / vectors.len();
    let content = Rect { x0: 0.0, y0: 0.0, x1: 320.0, y1: 320.0 };
    for (row, vector) in vectors.iter().enumerate().filter(|(row, _)| row % EACH != 0) {
        // One cell of a map is what any box of it holds.
        let data = pooled[row * channels..][..channels].to_vec();
        let map = FeatureMap { channels, width: 1, height: 1, data };
        let dense = FeatureMap { channels: 0, width: 0, height: 0, data: Vec::new() };
        let maps = [("semantic".to_owned(), map)].into();
        let out = VisionOutput { image: Vec::new(), levels: Vec::new(), maps, dense };
        let embedding = &embeddings[row * dimension..][..dimension];
        let found = space.of_boxes(&out, &content, &[(content, embedding)], None).unwrap();
        assert_eq!(found, [Some(vector.clone())], "row {row}");
    }

    let example = |entry: usize, counter: bool, row: usize| Example {
        entry,
        counter,
        vector: vectors[row].clone(),
        origin: Origin {
            id: String::new(),
            file: String::new(),
            sha256: String::new(),
            rect: None,
            date: String::new(),
        },
    };
    let examples = Examples {
        space: SpaceId::of(&bundle.manifest).unwrap(),
        rows: vec![
            example(0, false, 1),
            example(0, false, 2),
            example(0, true, EACH - 1),
            example(1, false, EACH),
            example(2, false, EACH + 1),
        ],
    };
    let found: Vec<FeatureVector> =
        (0..3).map(|entry| mean(examples.of(entry).map(|example| &example.vector)).unwrap()).collect();
    assert_eq!(found, means);
    let of =
        |entry| prototypes::prototype(&space, examples.of(entry).map(|example| &example.vector)).unwrap();
    assert_eq!((0..3).map(of).collect::<Vec<_>>(), compared);
    let all: Vec<&FeatureVector> = vectors.iter().collect();
    assert_eq!(cosines(&space.table(&compared), &all), floats("cosines"));
    for (found, expected) in space.everyday(&all).iter().zip(doubles("everyday")) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    let words = [floats("texts"), vec![0.0; dimension]].concat();
    let words = Embeddings::from_data(dimension, words).unwrap();
    let prototypes = Prototypes::of(&examples, &words, &space);
    for (found, expected) in prototypes.agreements.iter().zip(doubles("agreement")) {
        assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?} is not {expected}");
    }
    assert_eq!(prototypes.agreements[2], None);
    let (above, countered) = (floats("above"), doubles("countered"));
    for (row, vector) in vectors.iter().enumerate() {
        let settings = space.settings();
        let kind = if row % EACH == 0 { &settings.picture } else { &settings.region };
        let said = prototypes.evidence(&space, kind, &[vector]).remove(0);
        // An entry with examples alone stands above the negatives by its constant.
        let alone = said.sums[2].unwrap().constant;
        assert!((alone - f64::from(above[row * 3 + 2])).abs() < 1e-4, "row {row}: {alone}");
        assert!((f64::from(said.factors[0]) - countered[row]).abs() < 1e-5, "row {row}");
    }
}
