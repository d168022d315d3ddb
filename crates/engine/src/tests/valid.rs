//! Valid ONNX in the forms that quantisers write by default.

use tract_onnx::pb::tensor_proto::DataType;

use super::net::Attribute::{Float, Int, Ints};
use super::net::{FINE, Net, engine, float, picture, run};
use crate::input::Values;
use edgeclip_kernels::Isa;

/// DQ of weights without a pattern, with a zero point.
fn weights(net: &mut Net, kind: DataType, dims: &[i64], zeros: &[i32]) -> String {
    let (low, high) = if kind == DataType::Uint8 { (0, 255) } else { (-128, 127) };
    let values = net.noise(dims.iter().product::<i64>() as usize, low, high);
    let stored = net.integers(kind, dims, &values);
    let scale_dims: &[i64] = if zeros.len() == 1 { &[] } else { &[zeros.len() as i64] };
    let scale = net.floats(scale_dims, &vec![0.003; zeros.len()]);
    let zero = net.integers(kind, scale_dims, zeros);
    net.op("DequantizeLinear", &[&stored, &scale, &zero], &[Int("axis", 0)])
}

#[test]
fn weights_with_zero_points_of_their_own() {
    for (kind, zeros) in [
        (DataType::Uint8, vec![117]),
        (DataType::Uint8, vec![0]),
        (DataType::Uint8, vec![128, 3, 255, 90, 130, 127, 128, 1]),
        (DataType::Int8, vec![-9]),
        (DataType::Int8, vec![0, 5, -128, 127, 1, 0, 0, 2]),
    ] {
        let (mut net, x) = Net::quantised(&[1, 6, 7, 9]);
        let w = weights(&mut net, kind, &[8, 6, 3, 3], &zeros);
        let bias = net.floats(&[8], &[0.5; 8]);
        let conv = net.op("Conv", &[&x, &w, &bias], &[Ints("pads", &[1; 4])]);
        let conv = net.qdq(&conv, 0.25, 5);
        let mean = net.op("GlobalAveragePool", &[&conv], &[]);
        let mean = net.qdq(&mean, FINE, 0);
        let vector = net.op("Flatten", &[&mean], &[]);
        let vector = net.qdq(&vector, FINE, 0);
        let w = weights(&mut net, kind, &[8, 8], &zeros);
        let class = net.op("Gemm", &[&vector, &w], &[Int("transB", 1)]);
        let class = net.qdq(&class, 0.02, 0);
        let model = net.model(&[&conv, &class]);
        let lowered = engine(&model, Isa::SCALAR, 1).unwrap();
        assert!(lowered.left_in_float().is_empty(), "{zeros:?}: {:?}", lowered.left_in_float());
        let (int8, float) = (run(&lowered), run(&float(&model).unwrap()));
        for (found, expected) in int8.iter().zip(&float) {
            let off = found.iter().zip(expected).filter(|(a, b)| a != b).count();
            assert!(off * 50 <= found.len(), "{kind:?} {zeros:?}: {off} of {}", found.len());
        }
        for isa in Isa::available() {
            assert_eq!(run(&engine(&model, isa, 3).unwrap()), int8, "{kind:?} {zeros:?} {isa:?}");
        }
    }
}

/// Of models before version 13.
#[test]
fn a_softmax_over_several_axes() {
    for (axis, shape) in [(1, [1, 4, 3, 5]), (2, [1, 4, 3, 5]), (-2, [1, 7, 4, 6])] {
        let (mut net, x) = Net::quantised(&shape);
        let x = net.op("Softmax", &[&x], &[Int("axis", axis)]);
        let x = net.qdq(&x, 1.0 / 256.0, -128);
        let mut model = net.model(&[&x]);
        model.opset_import[0].version = 12;
        let lowered = engine(&model, Isa::SCALAR, 1).unwrap();
        assert!(lowered.left_in_float().is_empty(), "{:?}", lowered.left_in_float());
        let first = if axis < 0 { axis + 4 } else { axis } as usize;
        let length: i64 = shape[first..].iter().product();
        let (found, picture) = (run(&lowered).remove(0), picture(&lowered));
        let runs = found.chunks(length as usize).zip(picture.chunks(length as usize));
        for (found, picture) in runs {
            let quantised = |value: &f32| (value / FINE).round_ties_even().clamp(-128.0, 127.0) * FINE;
            let exp: Vec<f64> = picture.iter().map(|value| f64::from(quantised(value)).exp()).collect();
            let sum: f64 = exp.iter().sum();
            for (found, exp) in found.iter().zip(&exp) {
                assert!(
                    (f64::from(*found) - exp / sum).abs() < 1.01 / 256.0,
                    "{axis}: {found} {}",
                    exp / sum
                );
            }
        }
        for (isa, threads) in Isa::available().into_iter().flat_map(|isa| [(isa, 2), (isa, 3)]) {
            assert_eq!(run(&engine(&model, isa, threads).unwrap()).remove(0), found, "{isa:?}");
        }
    }
}

/// tract cannot.
#[test]
fn a_margin_below_zero_is_cut_off() {
    let (mut net, x) = Net::quantised(&[1, 2, 4, 5]);
    let pads = net.longs(&[8], &[0, 0, -1, 0, 0, 0, 1, -2]);
    let value = net.floats(&[], &[0.5]);
    let x = net.op("Pad", &[&x, &pads, &value], &[]);
    let x = net.qdq(&x, FINE, 0);
    let engine = engine(&net.model(&[&x]), Isa::SCALAR, 1).unwrap();
    assert!(engine.left_in_float().is_empty());
    let picture = picture(&engine);
    let expected = (0..24).map(|at| {
        let (plane, row, column) = (at / 12, at / 3 % 4 + 1, at % 3);
        let inside =
            || (picture[plane * 20 + row * 5 + column] / FINE).round_ties_even().clamp(-128.0, 127.0);
        if row < 4 { inside() * FINE } else { 0.5 }
    });
    assert_eq!(run(&engine)[0], expected.collect::<Vec<_>>());
}

#[test]
fn outputs_of_integers() {
    let (mut net, x) = Net::quantised(&[1, 4, 3, 5]);
    let int8 = net.q(&x, 0.05, 3);
    let scale = net.floats(&[], &[0.05]);
    let zero = net.integers(DataType::Uint8, &[], &[131]);
    let uint8 = net.op("QuantizeLinear", &[&x, &scale, &zero], &[]);
    let largest = net.op("ArgMax", &[&x], &[Int("axis", 1), Int("keepdims", 0)]);
    let engine = engine(&net.model(&[&int8, &uint8, &largest]), Isa::SCALAR, 1).unwrap();
    let shapes: Vec<Vec<usize>> = engine.outputs().unwrap().into_iter().map(|(_, shape)| shape).collect();
    assert_eq!(shapes, [vec![1, 4, 3, 5], vec![1, 4, 3, 5], vec![1, 3, 5]]);
    let (found, picture) = (run(&engine), picture(&engine));
    let x: Vec<f32> =
        picture.iter().map(|value| (value / FINE).round_ties_even().clamp(-128.0, 127.0) * FINE).collect();
    let stored = |zero: f32, low: f32, high: f32| -> Vec<f32> {
        x.iter().map(|value| ((value / 0.05).round_ties_even() + zero).clamp(low, high)).collect()
    };
    assert_eq!(found[0], stored(3.0, -128.0, 127.0));
    assert_eq!(found[1], stored(131.0, 0.0, 255.0));
    let best =
        |at: usize| (0..4).rev().max_by(|&a, &b| x[a * 15 + at].total_cmp(&x[b * 15 + at])).unwrap() as f32;
    assert_eq!(found[2], (0..15).map(best).collect::<Vec<_>>());
}

#[test]
fn a_batch_with_a_name_is_one_picture() {
    for element in [DataType::Float, DataType::Int8] {
        let mut net = Net::new(element, &[-1, 4, 3, 5]);
        let x = match element {
            DataType::Float => net.qdq("x", FINE, 0),
            _ => {
                let scale = net.floats(&[], &[FINE]);
                let zero = net.integers(DataType::Int8, &[], &[0]);
                net.op("DequantizeLinear", &["x", &scale, &zero], &[])
            }
        };
        let conv = net.conv(&x, [4, 4, 1, 1], &[]);
        let x = net.qdq(&conv, 0.05, 0);
        // An island, too.
        let x = net.op("Softmax", &[&x], &[Int("axis", 1)]);
        let x = net.qdq(&x, 1.0 / 256.0, -128);
        let model = net.model(&[&x]);
        let engine = engine(&model, Isa::SCALAR, 1).unwrap();
        assert_eq!(engine.input().shape, [1, 4, 3, 5]);
        let signed: Vec<i8> = (0..60).map(|at| (at * 37 % 251) as u8 as i8).collect();
        let values: Vec<f32> = signed.iter().map(|&value| f32::from(value) * FINE).collect();
        let found = match element {
            DataType::Float => engine.run(Values::Float(&values)),
            _ => engine.run(Values::Int8(&signed)),
        };
        let found = found.unwrap();
        let sums = (0..15).map(|at| (0..4).map(|c| found[0][c * 15 + at]).sum::<f32>());
        assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 0.01), "{found:?}");
    }
}

#[test]
fn a_bias_of_rows_and_scales_along_the_inputs() {
    let (mut net, x) = Net::quantised(&[1, 6, 1, 1]);
    let vector = net.op("Flatten", &[&x], &[]);
    let vector = net.qdq(&vector, FINE, 0);
    let stored = net.noise(36, -127, 127);
    let stored = net.integers(DataType::Int8, &[6, 6], &stored);
    let scales = net.floats(&[6], &[0.01, 0.02, 0.03, 0.04, 0.05, 0.06]);
    let zeros = net.integers(DataType::Int8, &[6], &[0; 6]);
    // Axis 0 counts the inputs here.
    let w = net.op("DequantizeLinear", &[&stored, &scales, &zeros], &[Int("axis", 0)]);
    let bias = net.floats(&[1, 6], &[0.5, -0.5, 1.0, -1.0, 0.0, 2.0]);
    let product = net.op("Gemm", &[&vector, &w, &bias], &[Float("alpha", 1.0)]);
    let product = net.qdq(&product, 0.1, 0);
    let model = net.model(&[&product]);
    let engine = engine(&model, Isa::SCALAR, 1).unwrap();
    assert!(
        engine.left_in_float()[0].contains("without one scale an output"),
        "{:?}",
        engine.left_in_float()
    );
    assert_eq!(run(&engine), run(&float(&model).unwrap()));
}

#[test]
fn constants_and_nodes_of_one_name() {
    let (mut net, x) = Net::quantised(&[1, 4, 3, 5]);
    let conv = net.conv(&x, [4, 4, 1, 1], &[]);
    let x = net.qdq(&conv, 0.05, 0);
    let expected = run(&engine(&net.clone().model(&[&x]), Isa::SCALAR, 1).unwrap());
    for node in &mut net.graph.node {
        node.name = "constant0".to_owned();
    }
    let model = net.model(&[&x]);
    assert_eq!(run(&engine(&model, Isa::SCALAR, 1).unwrap()), expected);
    assert_eq!(run(&float(&model).unwrap()), expected);
}
