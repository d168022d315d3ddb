//! Quantised networks of any inputs, which tract schedules.

use tract_onnx::pb::tensor_proto::DataType;

use super::net::Attribute::{Int, Ints};
use super::net::{FINE, Net};
use crate::error::Kind;
use crate::graph::Graph;
use crate::signature::{Dim, Signature, Tensor};
use edgeclip_kernels::Isa;
use prost::Message;

/// The output for one row of numbers, with our kernels and without, which must be the same.
fn output(net: Net, name: &str, row: &[f32]) -> Vec<f32> {
    let bytes = net.model(&[name]).encode_to_vec();
    let found = [Some(Isa::SCALAR), None].map(|isa| {
        let inputs = [Signature::Float(&[Dim::Named("N"), Dim::Declared])];
        let graph = Graph::load("net.onnx", bytes.clone().into(), isa, &inputs).unwrap();
        graph.run(&[Tensor::Float(&[1, row.len()], row)]).unwrap().values(0).unwrap()
    });
    assert_eq!(found[0], found[1]);
    found[0].clone()
}

fn row() -> Vec<f32> {
    (0..12).map(|at| (at * 5 % 12) as f32 / 4.0 - 1.5).collect()
}

fn quantised(value: f32, scale: f32, [low, high]: [f32; 2], zero: f32) -> f32 {
    (((value / scale).round_ties_even() + zero).clamp(low, high) - zero) * scale
}

const INT8: [f32; 2] = [-128.0, 127.0];

#[test]
fn a_softmax_between_quantised_tensors() {
    let mut net = Net::new(DataType::Float, &[-1, 12]);
    let x = net.qdq("x", FINE, 0);
    let x = net.op("Softmax", &[&x], &[Int("axis", 1)]);
    let x = net.qdq(&x, 1.0 / 256.0, -128);
    let exp: Vec<f32> = row().iter().map(|&value| quantised(value, FINE, INT8, 0.0).exp()).collect();
    let sum = exp.iter().sum::<f32>();
    let expected: Vec<f32> = exp.iter().map(|exp| quantised(exp / sum, 1.0 / 256.0, INT8, -128.0)).collect();
    assert_eq!(output(net, &x, &row()), expected);
}

/// Of functions that tract would make tables of, or not: with and without a zero point, int8 and uint8.
#[test]
fn functions_between_quantised_tensors() {
    for (function, expected) in [
        ("Relu", (|x: f32| x.max(0.0)) as fn(f32) -> f32),
        ("Abs", f32::abs),
        ("Neg", |x| -x),
        ("Sigmoid", |x| 1.0 / (1.0 + (-x).exp())),
    ] {
        let mut net = Net::new(DataType::Float, &[-1, 12]);
        let x = net.qdq("x", FINE, 7);
        let x = net.op(function, &[&x], &[]);
        let scale = net.floats(&[1], &[0.03]);
        let stored = net.op("QuantizeLinear", &[&x, &scale], &[]);
        let x = net.op("DequantizeLinear", &[&stored, &scale], &[]);
        let expected: Vec<f32> = (row().iter())
            .map(|&x| quantised(expected(quantised(x, FINE, INT8, 7.0)), 0.03, [0.0, 255.0], 0.0))
            .collect();
        assert_eq!(output(net, &x, &row()), expected, "{function}");
    }
}

/// Masks of −∞, ties and scales whose reciprocal is rounded.
#[test]
fn numbers_are_quantised_as_onnx_says() {
    for (scale, zero) in [(0.3, 0), (0.07, -5), (3.0, 127), (1e-30, 0)] {
        let mut net = Net::new(DataType::Float, &[-1, 12]);
        let x = net.qdq("x", scale, zero);
        let ties = (0..9).map(|at| (at as f32 - 4.5) * scale);
        let numbers: Vec<f32> = ties.chain([f32::NEG_INFINITY, f32::INFINITY, 1e30]).collect();
        let expected: Vec<f32> =
            numbers.iter().map(|&value| quantised(value, scale, INT8, zero as f32)).collect();
        assert_eq!(output(net, &x, &numbers), expected, "{scale} {zero}");
    }
}

/// Loops of tract that run to what an attribute says.
#[test]
fn numbers_without_end_are_refused() {
    const ENDLESS: i64 = 1 << 62;
    for (op, attribute, found) in [
        ("LayerNormalization", Int("axis", ENDLESS), "the axes [4611686018427387904]"),
        ("LayerNormalization", Int("axis", -ENDLESS), "the axes [-4611686018427387904]"),
        ("Softmax", Int("axis", ENDLESS), "the axes"),
        ("Split", Int("num_outputs", ENDLESS), "num_outputs of 4611686018427387904"),
        ("LRN", Int("size", ENDLESS), "size of"),
        ("DepthToSpace", Int("blocksize", ENDLESS), "blocksize of"),
        ("ReduceSum", Ints("axes", &[1, -ENDLESS]), "the axes"),
        ("Transpose", Ints("perm", &[0, ENDLESS]), "the axes"),
        ("MaxPool", Ints("pads", &[ENDLESS; 4]), "pads of"),
    ] {
        let mut net = Net::new(DataType::Float, &[-1, 12]);
        let scale = net.floats(&[12], &[1.0; 12]);
        let inputs = if op == "LayerNormalization" { vec!["x", &scale] } else { vec!["x"] };
        let y = net.op(op, &inputs, &[attribute]);
        let bytes = net.model(&[&y]).encode_to_vec();
        for isa in [Some(Isa::SCALAR), None] {
            let inputs = [Signature::Float(&[Dim::Named("N"), Dim::Declared])];
            let error = Graph::load("net.onnx", bytes.clone().into(), isa, &inputs).err().unwrap();
            assert_eq!(error.kind(), Kind::Model, "{op}: {error}");
            assert!(error.to_string().contains(found), "{op}: {error}");
        }
    }
}
