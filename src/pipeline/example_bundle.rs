//! A bundle for tests that compares examples.

use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView, serialize};
use tempfile::TempDir;

use crate::geometry::Rect;
use crate::model::{Bundle, FeatureSpace, FeatureVector, Networks, example_bundle};
use crate::preprocess::letterbox;
use crate::source::Picture;

/// Channels of the map `semantic`.
const FEATURES: usize = 1280;
/// Values that they are projected to.
const PROJECTED: usize = 128;

/// The bundle with a space made from a few photos: means and deviations of their features, a random projection,
/// and the boxes of a grid as everyday things.
pub(crate) fn of_photos() -> TempDir {
    let bundle = Bundle::embedded().unwrap();
    let networks = Networks::load(&bundle, false, 1).unwrap();
    let seen: Vec<_> = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "clip/frame_1.jpg"]
        .map(|name| {
            let picture = Picture::open(tests_data().join(name)).unwrap();
            let (input, letterbox) =
                letterbox(&picture.frame().unwrap(), bundle.manifest.input.size).unwrap();
            (networks.vision.run(&input).unwrap(), letterbox.content())
        })
        .into();
    let cells: Vec<&[f32]> =
        seen.iter().flat_map(|(out, _)| out.maps["semantic"].data.chunks_exact(FEATURES)).collect();
    let mean = |of: &dyn Fn(f32, usize) -> f32| -> Vec<f32> {
        let one = |k: usize| cells.iter().map(|cell| of(cell[k], k)).sum::<f32>() / cells.len() as f32;
        (0..FEATURES).map(one).collect()
    };
    let means = mean(&|x, _| x);
    let deviation: Vec<f32> =
        mean(&|x, k| (x - means[k]).powi(2)).into_iter().map(|variance| variance.sqrt() + 0.05).collect();
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let projection: Vec<u8> = (0..PROJECTED * FEATURES).map(|_| random().max(1)).collect();
    let width = PROJECTED + bundle.manifest.embedding;
    let file = |bank: &[FeatureVector]| {
        let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let rows: Vec<u8> = bank.iter().flat_map(|row| &row.values).map(|v| v.cast_unsigned()).collect();
        let scales: Vec<f32> = bank.iter().map(|row| row.scale).collect();
        let centre = floats(&vec![0.0; bundle.manifest.embedding]);
        let tensors = [
            ("mean", Dtype::F32, vec![FEATURES], floats(&means)),
            ("deviation", Dtype::F32, vec![FEATURES], floats(&deviation)),
            ("projection", Dtype::I8, vec![PROJECTED, FEATURES], projection.clone()),
            ("projection_scale", Dtype::F32, vec![PROJECTED], floats(&[1.0 / 127.0; PROJECTED])),
            ("region_centre", Dtype::F32, vec![bundle.manifest.embedding], centre.clone()),
            ("picture_centre", Dtype::F32, vec![bundle.manifest.embedding], centre),
            ("bank", Dtype::I8, vec![bank.len(), width], rows),
            ("bank_scale", Dtype::F32, vec![bank.len()], floats(&scales)),
        ];
        let views =
            tensors.iter().map(|(n, t, shape, data)| (*n, TensorView::new(*t, shape.clone(), data).unwrap()));
        serialize(views.collect::<Vec<_>>(), None).unwrap()
    };
    let nothing = FeatureVector::quantised(&vec![1.0; width]).unwrap();
    let plain = example_bundle::made(&file(&[nothing]));
    let space = FeatureSpace::load(&Bundle::open(plain.path()).unwrap()).unwrap().unwrap();
    let mut bank = Vec::new();
    for (out, content) in &seen {
        let side = |i: u32, from: f32, length: f32| from + i as f32 * length / 4.0;
        let (w, h) = (content.width(), content.height());
        let boxes: Vec<Rect> = (0..16)
            .map(|i| {
                let (x0, y0) = (side(i % 4, content.x0, w), side(i / 4, content.y0, h));
                Rect { x0, y0, x1: x0 + w / 4.0, y1: y0 + h / 4.0 }
            })
            .collect();
        let embeddings = networks.prompter.embed(out, *content, &boxes).unwrap();
        let boxes: Vec<(Rect, &[f32])> =
            boxes.into_iter().zip(embeddings.iter().map(Vec::as_slice)).collect();
        bank.extend(space.of_boxes(out, content, &boxes, None).unwrap().into_iter().flatten());
    }
    example_bundle::made(&file(&bank))
}

/// Where the photos are.
fn tests_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}
