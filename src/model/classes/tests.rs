use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::*;
use crate::model::FeatureMap;

type Tensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn bytes(values: &[i8]) -> Vec<u8> {
    values.iter().map(|value| value.cast_unsigned()).collect()
}

/// Two classes, two maps of three channels and of one, a joint space of two dimensions.
fn file() -> Vec<Tensor> {
    vec![
        ("fine.weight", Dtype::I8, vec![2, 3], bytes(&[10, -20, 127, 0, 1, 0])),
        ("fine.scale", Dtype::F32, vec![2], floats(&[0.5, 2.0])),
        ("fine.bias", Dtype::F32, vec![2], floats(&[1.0, -1.0])),
        ("coarse.weight", Dtype::I8, vec![2, 1], bytes(&[1, -1])),
        ("coarse.scale", Dtype::F32, vec![2], floats(&[1.0, 1.0])),
        ("coarse.bias", Dtype::F32, vec![2], floats(&[0.25, 0.75])),
        ("embeddings", Dtype::F32, vec![2, 2], floats(&[1.0, 0.0, 0.0, 1.0])),
    ]
}

fn settings() -> ClassSettings {
    ClassSettings {
        maps: vec!["fine".to_owned(), "coarse".to_owned()],
        ramp: [0.8, 0.9],
        weights: [0.0, 0.25, 0.0, 1.5],
    }
}

fn read(tensors: &[Tensor]) -> Result<Classes> {
    let views = tensors
        .iter()
        .map(|(name, kind, shape, data)| (*name, TensorView::new(*kind, shape.clone(), data).unwrap()));
    let file = serialize(views.collect::<Vec<_>>(), None).unwrap();
    Classes::read(&settings(), 2, "classes.safetensors".to_owned(), &file)
}

fn output() -> VisionOutput {
    let map = |channels, width, data: &[f32]| FeatureMap { channels, width, height: 1, data: data.to_vec() };
    let maps = BTreeMap::from([
        ("fine".to_owned(), map(3, 2, &[9.0, 9.0, 9.0, 4.0, -1.0, 0.5])),
        ("coarse".to_owned(), map(1, 1, &[0.0])),
    ]);
    let dense = FeatureMap { channels: 0, width: 0, height: 0, data: Vec::new() };
    VisionOutput { image: Vec::new(), levels: Vec::new(), maps, dense }
}

#[test]
fn a_cells_values_are_rounded_and_weighed_by_the_head_of_its_level() {
    let classes = read(&file()).unwrap();
    // 4 is 127, −1 is −31.75 and 0.5 is 15.875 of the steps of 4 / 127.
    let sums = [1270 + 20 * 32 + 127 * 16, -32].map(|sum: i32| sum as f32);
    let step = 4.0f32 / 127.0;
    let expected = vec![sums[0] * 0.5 * step + 1.0, sums[1] * 2.0 * step - 1.0];
    let cells = [Cell { level: 0, index: 1 }, Cell { level: 1, index: 0 }];
    // A cell of zeros has no direction: the bias is left.
    assert_eq!(classes.logits(&output(), &cells).unwrap(), [expected, vec![0.25, 0.75]]);
    assert_eq!(classes.embeddings().collect::<Vec<_>>(), [[1.0, 0.0], [0.0, 1.0]]);
    assert!(classes.logits(&output(), &[]).unwrap().is_empty());
}

#[test]
fn cells_and_channels_that_are_not_there_are_errors() {
    let classes = read(&file()).unwrap();
    for cell in [Cell { level: 0, index: 2 }, Cell { level: 2, index: 0 }] {
        assert!(classes.logits(&output(), &[cell]).is_err(), "{cell:?}");
    }
    let mut out = output();
    out.maps.get_mut("fine").unwrap().channels = 2;
    let error = classes.logits(&out, &[Cell { level: 0, index: 0 }]).err().unwrap().to_string();
    assert!(error.contains("fine.weight of 3 columns") && error.contains("2 as in the map"), "{error}");
}

#[test]
fn a_broken_file_is_refused_by_the_name_of_the_tensor() {
    let broken: [(usize, Tensor, &str); 5] = [
        (0, ("fine.weight", Dtype::I8, vec![3, 2], bytes(&[0; 6])), "fine.weight"),
        (1, ("fine.scale", Dtype::F32, vec![2], floats(&[0.5, 0.0])), "fine.scale"),
        (2, ("fine.bias", Dtype::F32, vec![2], floats(&[1.0, f32::NAN])), "fine.bias"),
        (5, ("coarse.bias", Dtype::F32, vec![1], floats(&[0.25])), "coarse.bias"),
        (6, ("embeddings", Dtype::F32, vec![2, 3], floats(&[0.0; 6])), "embeddings"),
    ];
    for (place, tensor, name) in broken {
        let mut tensors = file();
        tensors[place] = tensor;
        let error = read(&tensors).err().unwrap().to_string();
        assert!(error.contains(name) && error.contains("found") && error.contains("expected"), "{error}");
    }
    let missing = read(&file()[1..]).err().unwrap().to_string();
    assert!(missing.contains("no tensor fine.weight"), "{missing}");
}
