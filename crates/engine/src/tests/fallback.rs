//! What no kernel computes: quantised by us, never by tract.

use tract_onnx::pb::ModelProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::net::Attribute::{Int, Ints};
use super::net::{FINE, Net, engine, picture, run};
use edgeclip_kernels::Isa;

/// The outputs of a network, and the picture.
fn outputs(model: &ModelProto) -> (Vec<Vec<f32>>, Vec<f32>) {
    let engine = engine(model, Isa::SCALAR, 2).unwrap();
    (run(&engine), picture(&engine))
}

fn quantised(value: f32, scale: f32, zero: f32) -> f32 {
    (((value / scale).round_ties_even() + zero).clamp(-128.0, 127.0) - zero) * scale
}

/// Softmax along axis 1 of `[1, channels, pixels]`.
fn softmax(values: &[f32], channels: usize) -> Vec<f32> {
    let pixels = values.len() / channels;
    let exp: Vec<f64> = values.iter().map(|&value| f64::from(value).exp()).collect();
    (0..values.len())
        .map(|at| (exp[at] / (0..channels).map(|c| exp[c * pixels + at % pixels]).sum::<f64>()) as f32)
        .collect()
}

fn assert_within_a_step(found: &[f32], expected: &[f32], step: f32) {
    assert_eq!(found.len(), expected.len());
    let far = found.iter().zip(expected).filter(|(a, b)| (*a - *b).abs() > step * 1.01).count();
    assert!(far == 0, "{far} of {}: {:?} for {:?}", found.len(), &found[..8], &expected[..8]);
    assert!(found.iter().any(|value| *value != found[0]), "one value");
}

#[test]
fn a_softmax_alone() {
    let (mut net, x) = Net::quantised(&[1, 4, 3, 5]);
    let x = net.op("Softmax", &[&x], &[Int("axis", 1)]);
    let x = net.qdq(&x, 1.0 / 256.0, -128);
    let (found, picture) = outputs(&net.model(&[&x]));
    let x: Vec<f32> = picture.iter().map(|&value| quantised(value, FINE, 0.0)).collect();
    assert_within_a_step(&found[0], &softmax(&x, 4), 1.0 / 256.0);
}

#[test]
fn a_softmax_after_a_first_layer_in_float() {
    let mut net = Net::new(DataType::Float, &[1, 5, 3, 4]);
    let x = net.op("Transpose", &["x"], &[Ints("perm", &[0, 3, 1, 2])]);
    let x = net.qdq(&x, FINE, 0);
    let x = net.op("Relu", &[&x], &[]);
    let x = net.qdq(&x, FINE, 0);
    let x = net.op("Softmax", &[&x], &[Int("axis", 1)]);
    let x = net.qdq(&x, 1.0 / 256.0, -128);
    let model = net.model(&[&x]);
    let (found, picture) = outputs(&model);
    let transposed = (0..60).map(|at| picture[at % 15 * 4 + at / 15]);
    let x: Vec<f32> = transposed.map(|value| quantised(value, FINE, 0.0).max(0.0)).collect();
    assert_within_a_step(&found[0], &softmax(&x, 4), 1.0 / 256.0);
    // The Relu is no island.
    assert!(engine(&model, Isa::SCALAR, 1).unwrap().is_int8());
}

#[test]
fn a_float_picture_that_several_nodes_read() {
    let mut net = Net::new(DataType::Float, &[1, 4, 3, 5]);
    let fine = net.qdq("x", FINE, 0);
    let coarse = net.qdq("x", 0.25, 3);
    let sum = net.op("Add", &[&fine, &coarse], &[]);
    let sum = net.qdq(&sum, 0.05, 0);
    let root = net.op("Abs", &["x"], &[]);
    let (found, picture) = outputs(&net.model(&[&sum, &root]));
    let sum = |&value: &f32| quantised(value, FINE, 0.0) + quantised(value, 0.25, 3.0);
    assert_within_a_step(&found[0], &picture.iter().map(sum).collect::<Vec<_>>(), 0.05);
    assert_eq!(found[1], picture.iter().map(|value| value.abs()).collect::<Vec<_>>());
}

#[test]
fn one_scale_a_channel_and_a_softmax() {
    let (mut net, x) = Net::quantised(&[1, 4, 3, 5]);
    let scales = [0.02, 0.03, 0.04, 0.05];
    let scale = net.floats(&[4], &scales);
    let zero = net.integers(DataType::Int8, &[4], &[0, 5, -5, 9]);
    let q = net.op("QuantizeLinear", &[&x, &scale, &zero], &[Int("axis", 1)]);
    let x = net.op("DequantizeLinear", &[&q, &scale, &zero], &[Int("axis", 1)]);
    let x = net.op("Softmax", &[&x], &[Int("axis", 1)]);
    let x = net.qdq(&x, 1.0 / 256.0, -128);
    let (found, picture) = outputs(&net.model(&[&x]));
    let by_channel = picture.iter().enumerate().map(|(at, &value)| {
        let channel = at / 15;
        quantised(quantised(value, FINE, 0.0), scales[channel], [0.0, 5.0, -5.0, 9.0][channel])
    });
    assert_within_a_step(&found[0], &softmax(&by_channel.collect::<Vec<_>>(), 4), 1.0 / 256.0);
}

#[test]
fn a_mask_of_minus_infinity_is_the_smallest_number() {
    let (mut net, x) = Net::quantised(&[1, 4, 3, 5]);
    let mask: Vec<f32> = (0..60).map(|at| if at % 3 == 0 { f32::NEG_INFINITY } else { 0.0 }).collect();
    let mask = net.floats(&[1, 4, 3, 5], &mask);
    let x = net.op("Add", &[&x, &mask], &[]);
    let masked = net.qdq(&x, FINE, 0);
    let (found, picture) = outputs(&net.model(&[&masked]));
    let expected = picture
        .iter()
        .enumerate()
        .map(|(at, &value)| if at % 3 == 0 { -128.0 * FINE } else { quantised(value, FINE, 0.0) });
    assert_eq!(found[0], expected.collect::<Vec<_>>());
}

#[test]
fn a_transposition_of_groups_that_is_no_shuffle() {
    let (mut net, x) = Net::quantised(&[1, 4, 3, 5]);
    let shape = net.longs(&[5], &[1, 2, 2, 3, 5]);
    let x = net.op("Reshape", &[&x, &shape], &[]);
    let x = net.qdq(&x, FINE, 0);
    let x = net.op("Transpose", &[&x], &[Ints("perm", &[0, 2, 1, 3, 4])]);
    let x = net.qdq(&x, FINE, 0);
    let x = net.op("Softmax", &[&x], &[Int("axis", -1)]);
    let x = net.qdq(&x, 1.0 / 256.0, -128);
    let (found, picture) = outputs(&net.model(&[&x]));
    let order = [0, 2, 1, 3];
    let x: Vec<f32> =
        (0..60).map(|at| quantised(picture[order[at / 15] * 15 + at % 15], FINE, 0.0)).collect();
    let expected: Vec<f32> = x.chunks(5).flat_map(|row| softmax(row, 5)).collect();
    assert_within_a_step(&found[0], &expected, 1.0 / 256.0);
}
