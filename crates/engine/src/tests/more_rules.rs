//! Rules of what is less usual: formulas, products of computed tensors, copies in other orders.

use tract_onnx::pb::tensor_proto::DataType;

use super::net::Attribute::{Int, Ints, Word};
use super::net::{FINE, Net};
use super::rules::{Rule, branch};

pub(super) const MORE_RULES: [Rule; 30] = [
    ("depthwise weights beyond int8", |net, x| {
        let weights = beyond(net, &[24, 1, 3, 3]);
        net.op("Conv", &[x, &weights], &[Ints("pads", &[1; 4]), Int("group", 24)])
    }),
    ("groups of weights beyond int8", |net, x| {
        let weights = beyond(net, &[48, 4, 3, 3]);
        net.op("Conv", &[x, &weights], &[Ints("pads", &[1; 4]), Int("group", 6)])
    }),
    ("depthwise and sum", |net, x| {
        let conv = net.conv(x, [24, 1, 3, 3], &[Int("group", 24)]);
        net.op("Add", &[&conv, x], &[])
    }),
    ("groups and sum", |net, x| {
        let conv = net.conv(x, [24, 4, 3, 3], &[Int("group", 6)]);
        net.op("Add", &[x, &conv], &[])
    }),
    ("two convolutions", |net, x| {
        let (a, b) = (net.conv(x, [24, 24, 3, 3], &[]), net.conv(x, [24, 24, 1, 1], &[]));
        let sum = net.op("Add", &[&a, &b], &[]);
        net.op("Relu", &[&sum], &[])
    }),
    ("convolution and its share", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        let share = net.op("Sigmoid", &[&conv], &[]);
        net.op("Mul", &[&conv, &share], &[])
    }),
    ("convolution, normalisation, slope and function", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        let constants = [1.0, 0.1, -0.2, 0.7].map(|from| {
            let values: Vec<f32> = (0..24).map(|c| from + 0.01 * c as f32).collect();
            net.floats(&[24], &values)
        });
        let [scale, bias, mean, variance] = &constants;
        let x = net.op("BatchNormalization", &[&conv, scale, bias, mean, variance], &[]);
        let slope: Vec<f32> = (0..24).map(|c| 0.02 * c as f32).collect();
        let slope = net.floats(&[24, 1, 1], &slope);
        let x = net.op("PRelu", &[&x, &slope], &[]);
        net.op("HardSwish", &[&x], &[])
    }),
    ("product of matrices and function", |net, x| {
        let weights = net.weights(&[40, 48], 1);
        let product = net.op("MatMul", &[x, &weights], &[]);
        let bias: Vec<f32> = (0..48).map(|c| 0.02 * c as f32).collect();
        let bias = net.floats(&[48], &bias);
        let x = net.op("Add", &[&product, &bias], &[]);
        net.op("Tanh", &[&x], &[])
    }),
    ("sum with a column of each row", |net, x| {
        let mean = net.op("ReduceMean", &[x], &[Ints("axes", &[3])]);
        let mean = net.qdq(&mean, FINE, 3);
        net.op("Sub", &[x, &mean], &[])
    }),
    ("product with one channel", |net, x| {
        let most = net.op("ReduceMax", &[x], &[Ints("axes", &[1])]);
        let most = net.qdq(&most, FINE, -3);
        net.op("Mul", &[&most, x], &[])
    }),
    ("quotient, minimum and a constant of each value", |net, x| {
        let other = branch(net, x);
        let above = net.op("Abs", &[&other], &[]);
        let one = net.floats(&[], &[1.0]);
        let above = net.op("Add", &[&above, &one], &[]);
        let x = net.op("Div", &[x, &above], &[]);
        let values: Vec<f32> = (0..1600).map(|at| (at % 37) as f32 * 0.03).collect();
        let values = net.floats(&[1, 1, 40, 40], &values);
        let x = net.op("Add", &[&x, &values], &[]);
        net.op("Min", &[&x, &other], &[])
    }),
    ("product of two pictures as matrices", |net, x| {
        let other = branch(net, x);
        net.op("MatMul", &[x, &other], &[])
    }),
    ("attention", |net, x| {
        let keys = net.op("Transpose", &[x], &[Ints("perm", &[0, 1, 3, 2])]);
        let keys = net.qdq(&keys, FINE, 5);
        let scores = net.op("MatMul", &[x, &keys], &[]);
        let scores = net.qdq(&scores, 0.5, 0);
        let shares = net.op("Softmax", &[&scores], &[Int("axis", -1)]);
        let shares = net.qdq(&shares, 1.0 / 256.0, -128);
        let value = branch(net, x);
        net.op("MatMul", &[&shares, &value], &[])
    }),
    ("one matrix for all", |net, x| {
        let shape = net.longs(&[3], &[1, 960, 40]);
        let rows = net.op("Reshape", &[x, &shape], &[]);
        let rows = net.qdq(&rows, FINE, 0);
        let [start, end, axis] = [100, 140, 1].map(|number| net.longs(&[1], &[number]));
        let part = net.op("Slice", &[&rows, &start, &end, &axis], &[]);
        let part = net.qdq(&part, FINE, 0);
        net.op("MatMul", &[x, &part], &[])
    }),
    ("transposed convolution", |net, x| {
        let weights = net.weights(&[24, 24, 3, 2], 1);
        let attributes =
            [Ints("strides", &[2, 1]), Ints("pads", &[1, 0, 0, 1]), Ints("output_padding", &[1, 0])];
        net.op("ConvTranspose", &[x, &weights], &attributes)
    }),
    ("transposed convolution of each channel", |net, x| {
        let values = net.noise(24 * 4, -127, 127);
        let stored = net.integers(DataType::Int8, &[24, 1, 2, 2], &values);
        let (scale, zero) = (net.floats(&[], &[0.01]), net.integers(DataType::Int8, &[], &[0]));
        let weights = net.op("DequantizeLinear", &[&stored, &scale, &zero], &[]);
        net.op("ConvTranspose", &[x, &weights], &[Ints("strides", &[2, 2]), Int("group", 24)])
    }),
    ("linear to the corners", |net, x| {
        let sizes = net.longs(&[4], &[1, 24, 56, 100]);
        let attributes = [Word("mode", "linear"), Word("coordinate_transformation_mode", "align_corners")];
        net.op("Resize", &[x, "", "", &sizes], &attributes)
    }),
    ("nearest to any size", |net, x| {
        let scales = net.floats(&[4], &[1.0, 1.0, 3.0, 0.5]);
        net.op("Resize", &[x, "", &scales], &[])
    }),
    ("largest of all", |net, x| {
        let wide = net.conv(x, [96, 24, 3, 3], &[Ints("strides", &[2, 2])]);
        let wide = net.qdq(&wide, 0.05, 0);
        let attributes = [Ints("kernel_shape", &[5, 5]), Ints("strides", &[5, 5])];
        let mean = net.op("AveragePool", &[&wide], &attributes);
        let mean = net.qdq(&mean, FINE, 0);
        net.op("GlobalMaxPool", &[&mean], &[])
    }),
    ("repeated rows and columns", |net, x| {
        let most = net.op("ReduceMax", &[x], &[Ints("axes", &[2])]);
        let most = net.qdq(&most, FINE, 0);
        let shape = net.longs(&[3], &[24, 40, 1]);
        let x = net.op("Expand", &[&most, &shape], &[]);
        let x = net.qdq(&x, FINE, 0);
        let times = net.longs(&[4], &[1, 1, 1, 2]);
        net.op("Tile", &[&x, &times], &[])
    }),
    ("sum and smallest of rows", |net, x| {
        let axes = net.longs(&[1], &[2]);
        let sum = net.op("ReduceSum", &[x, &axes], &[]);
        let sum = net.qdq(&sum, 0.5, 0);
        let least = net.op("ReduceMin", &[x], &[Ints("axes", &[2])]);
        let least = net.qdq(&least, FINE, 0);
        let both = net.op("Mul", &[&sum, &least], &[]);
        let both = net.qdq(&both, 0.05, 0);
        net.op("Add", &[x, &both], &[])
    }),
    ("a margin like a mirror", |net, x| {
        let pads = net.longs(&[8], &[0, 0, 3, 1, 0, 0, 5, 7]);
        net.op("Pad", &[x, &pads], &[Word("mode", "reflect")])
    }),
    ("channels in reverse", |net, x| {
        let places: Vec<i64> = (0..24).map(|at| if at < 8 { 23 - at } else { at - 8 }).collect();
        let places = net.longs(&[24], &places);
        net.op("Gather", &[x, &places], &[Int("axis", 1)])
    }),
    ("rows in reverse", |net, x| {
        let [start, end, axis, step] = [-1, i64::MIN, 2, -2].map(|number| net.longs(&[1], &[number]));
        net.op("Slice", &[x, &start, &end, &axis, &step], &[])
    }),
    ("transposed convolution beyond int8 and function", |net, x| {
        let weights = beyond(net, &[24, 24, 2, 2]);
        let conv = net.op("ConvTranspose", &[x, &weights], &[Ints("strides", &[2, 2])]);
        net.op("LeakyRelu", &[&conv], &[])
    }),
    ("two batches", |net, x| {
        let times = net.longs(&[4], &[2, 1, 1, 1]);
        let twice = net.op("Tile", &[x, &times], &[]);
        let twice = net.qdq(&twice, FINE, 0);
        let more = net.op("Concat", &[&twice, x], &[Int("axis", 0)]);
        let more = net.qdq(&more, FINE, 0);
        let both = net.op("Concat", &[x, x], &[Int("axis", 0)]);
        let both = net.qdq(&both, 0.02, 0);
        let all = net.op("Concat", &[&more, &both], &[Int("axis", 0)]);
        let all = net.qdq(&all, 0.05, 0);
        net.op("ReduceMax", &[&all], &[Ints("axes", &[0])])
    }),
    ("every third row", |net, x| {
        let places = net.longs(&[13], &[1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34, -3]);
        net.op("Gather", &[x, &places], &[Int("axis", 2)])
    }),
    ("depth to space and back", |net, x| {
        let x = net.op("DepthToSpace", &[x], &[Int("blocksize", 2)]);
        let x = net.qdq(&x, FINE, 0);
        let x = net.op("SpaceToDepth", &[&x], &[Int("blocksize", 4)]);
        let x = net.qdq(&x, FINE, 0);
        net.op("DepthToSpace", &[&x], &[Int("blocksize", 2), Word("mode", "CRD")])
    }),
    ("a shape that is computed", |net, x| {
        let shape = net.op("Shape", &[x], &[]);
        let [zero, two, rest] = [0, 2, -1].map(|number| net.longs(&[], &[number]));
        let batch = net.op("Gather", &[&shape, &zero], &[]);
        let height = net.op("Gather", &[&shape, &two], &[]);
        let half = net.op("Div", &[&height, &two], &[]);
        let axes = net.longs(&[1], &[0]);
        let parts = [&batch, &rest, &half, &height].map(|part| net.op("Unsqueeze", &[part, &axes], &[]));
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let shape = net.op("Concat", &parts, &[Int("axis", 0)]);
        net.op("Reshape", &[x, &shape], &[])
    }),
    ("mean of the channels", |net, x| {
        let mean = net.op("ReduceMean", &[x], &[Ints("axes", &[1]), Int("keepdims", 0)]);
        let mean = net.qdq(&mean, FINE, 0);
        let axes = net.longs(&[1], &[1]);
        let mean = net.op("Unsqueeze", &[&mean, &axes], &[]);
        let mean = net.qdq(&mean, FINE, 0);
        net.op("Mul", &[x, &mean], &[])
    }),
];

/// Weights of which int8 does not hold all, less their zero point.
fn beyond(net: &mut Net, dims: &[i64]) -> String {
    let values = net.noise(dims.iter().product::<i64>() as usize, 0, 255);
    let stored = net.integers(DataType::Uint8, dims, &values);
    let (scale, zero) = (net.floats(&[], &[0.004]), net.integers(DataType::Uint8, &[], &[60]));
    net.op("DequantizeLinear", &[&stored, &scale, &zero], &[])
}
