//! The default vision network through the int8 kernels: against `quantize/arithmetic/vision.py` bit for bit, and against
//! tract in float.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::{Bundle, FeatureMap, Vision, VisionOutput};
use crate::preprocess::letterbox;
use crate::source::Picture;

/// All outputs as the file has them.
fn outputs(out: &VisionOutput) -> Vec<(String, Vec<f32>)> {
    let mut all =
        vec![("image_embedding".to_owned(), out.image.clone()), ("dense".to_owned(), planes(&out.dense))];
    all.extend(out.levels.iter().map(|level| (format!("level{}", level.stride), level.data.clone())));
    all.extend(out.maps.iter().map(|(name, map)| (name.clone(), planes(map))));
    all
}

fn planes(map: &FeatureMap) -> Vec<f32> {
    (0..map.channels).flat_map(|c| map.data.iter().skip(c).step_by(map.channels)).copied().collect()
}

/// Cosine of two outputs.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn golden(photo: &str, kind: &str, extension: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{kind}/{photo}.{extension}"))
}

fn input(photo: &str, bundle: &Bundle) -> Vec<i8> {
    let picture = Picture::open(golden(photo, "model", "png")).unwrap();
    letterbox(&picture.frame().unwrap(), bundle.manifest.input.size).unwrap().0
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn outputs_are_those_of_the_integer_reference_bit_for_bit() {
    let bundle = Bundle::embedded().unwrap();
    let vision = Vision::load(&bundle, 1).unwrap();
    for photo in ["astronaut", "coffee"] {
        let case: serde_json::Value =
            serde_json::from_slice(&fs::read(golden(photo, "int8", "json")).unwrap()).unwrap();
        let network = sha256(&bundle.file("vision.onnx").unwrap());
        assert_eq!(case["network"], network, "made from another network: run `python -m quantize.golden`");
        let out = vision.run(&input(photo, &bundle)).unwrap();
        let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let found: BTreeMap<String, String> =
            outputs(&out).into_iter().map(|(name, values)| (name, sha256(&bytes(&values)))).collect();
        let expected: BTreeMap<String, String> = serde_json::from_value(case["outputs"].clone()).unwrap();
        assert_eq!(found, expected, "{photo}");
    }
}

#[test]
fn only_the_softmax_stays_in_float() {
    let vision = Vision::load(&Bundle::embedded().unwrap(), 1).unwrap();
    let left = vision.left_in_float();
    assert!(left.len() == 1 && left[0].contains("Softmax"), "{left:?}");
}

#[test]
fn int8_agrees_with_tract_in_float() {
    let bundle = Bundle::embedded().unwrap();
    let (int8, float) = (Vision::load(&bundle, 1).unwrap(), Vision::load_float(&bundle).unwrap());
    assert!(int8.is_int8() && !float.is_int8(), "{:?}", int8.left_in_float());
    for photo in ["astronaut", "coffee"] {
        let input = input(photo, &bundle);
        let (a, b) = (int8.run(&input).unwrap(), float.run(&input).unwrap());
        for ((name, a), (_, b)) in outputs(&a).into_iter().zip(outputs(&b)) {
            assert_eq!(a.len(), b.len(), "{name}");
            let mut values: Vec<f32> = b.iter().map(|v| (v * 1e6).round()).collect();
            values.sort_by(f32::total_cmp);
            values.dedup();
            // The scale of the output: the least difference of two of its values.
            let step = values.windows(2).map(|w| w[1] - w[0]).fold(f32::INFINITY, f32::min) / 1e6;
            let steps: Vec<f32> = a.iter().zip(&b).map(|(a, b)| ((a - b).abs() / step).round()).collect();
            let differ = steps.iter().filter(|&&d| d > 0.0).count() as f64 / a.len() as f64;
            let largest = steps.iter().copied().fold(0.0, f32::max);
            let cosine = cosine(&a, &b);
            println!(
                "{photo} {name}: {:.2} % differ, at most {largest} steps, cosine {cosine:.5}",
                100.0 * differ
            );
            assert!(cosine > 0.99, "{photo} {name}: cosine {cosine}");
        }
    }
}
