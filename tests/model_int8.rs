//! The default vision network through the int8 kernels: against tract in float, and every instruction set against the other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::Path;

use edgeclip::model::{Bundle, Vision, VisionOutput};
use edgeclip::preprocess::letterbox;
use edgeclip::source::Picture;

fn outputs(out: &VisionOutput) -> Vec<(String, &[f32])> {
    let mut all = vec![("image_embedding".to_owned(), &out.image[..]), ("dense".to_owned(), &out.dense.data[..])];
    all.extend(out.levels.iter().map(|level| (format!("level{}", level.stride), &level.data[..])));
    all.extend(out.maps.iter().map(|(name, map)| (name.clone(), &map.data[..])));
    all
}

/// Cosine of two outputs.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn int8_agrees_with_tract_in_float() {
    let bundle = Bundle::embedded().unwrap();
    let (int8, float) = (Vision::load(&bundle).unwrap(), Vision::load_float(&bundle).unwrap());
    assert!(int8.is_int8() && !float.is_int8(), "{:?}", int8.left_in_float());
    for photo in ["astronaut", "coffee"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/model/{photo}.png"));
        let picture = Picture::open(&path).unwrap();
        let (input, _) = letterbox(&picture.frame().unwrap(), bundle.manifest.input.size).unwrap();
        let (a, b) = (int8.run(&input).unwrap(), float.run(&input).unwrap());
        for ((name, a), (_, b)) in outputs(&a).into_iter().zip(outputs(&b)) {
            assert_eq!(a.len(), b.len(), "{name}");
            let mut values: Vec<f32> = b.iter().map(|v| (v * 1e6).round()).collect();
            values.sort_by(f32::total_cmp);
            values.dedup();
            // The scale of the output: the least difference of two of its values.
            let step = values.windows(2).map(|w| w[1] - w[0]).fold(f32::INFINITY, f32::min) / 1e6;
            let steps: Vec<f32> = a.iter().zip(b).map(|(a, b)| ((a - b).abs() / step).round()).collect();
            let differ = steps.iter().filter(|&&d| d > 0.0).count() as f64 / a.len() as f64;
            let largest = steps.iter().copied().fold(0.0, f32::max);
            let cosine = cosine(a, b);
            println!("{photo} {name}: {:.2} % differ, at most {largest} steps, cosine {cosine:.5}", 100.0 * differ);
            assert!(cosine > 0.99, "{photo} {name}: cosine {cosine}");
        }
    }
}
