//! Every rule as a small network, and what may follow it.

use tract_onnx::pb::tensor_proto::DataType;

use super::net::Attribute::{self, Float, Int, Ints, Word};
use super::net::{FINE, Net};

/// A rule: from the quantised picture `[1, 24, 40, 40]` to a float tensor.
pub(super) type Rule = (&'static str, fn(&mut Net, &str) -> String);

/// 38,400 values: even a step that only moves them is split.
pub(super) const PICTURE: [i64; 4] = [1, 24, 40, 40];

pub(super) const RULES: [Rule; 49] = [
    ("pointwise", |net, x| net.conv(x, [24, 24, 1, 1], &[])),
    ("convolution", |net, x| net.conv(x, [24, 24, 3, 3], &[])),
    ("convolution of every second pixel", |net, x| net.conv(x, [96, 24, 3, 3], &[Ints("strides", &[2, 2])])),
    ("tall convolution", |net, x| net.conv(x, [24, 24, 5, 1], &[])),
    ("depthwise", |net, x| net.conv(x, [24, 1, 3, 3], &[Int("group", 24)])),
    ("depthwise of every second column", |net, x| {
        net.conv(x, [24, 1, 5, 5], &[Int("group", 24), Ints("strides", &[1, 2])])
    }),
    ("clipped convolution", |net, x| {
        let conv = net.conv(x, [24, 24, 3, 3], &[]);
        net.op("Relu", &[&conv], &[])
    }),
    ("convolution and sum", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        net.op("Add", &[&conv, x], &[])
    }),
    ("convolution over patches and sum", |net, x| {
        let conv = net.conv(x, [24, 24, 3, 3], &[]);
        net.op("Add", &[x, &conv], &[])
    }),
    ("sum", |net, x| {
        let other = branch(net, x);
        net.op("Add", &[x, &other], &[])
    }),
    ("product", |net, x| {
        let other = branch(net, x);
        net.op("Mul", &[&other, x], &[])
    }),
    ("gate", |net, x| {
        let mean = net.op("GlobalAveragePool", &[x], &[]);
        let mean = net.qdq(&mean, FINE / 4.0, 3);
        net.op("Mul", &[&mean, x], &[])
    }),
    ("function", |net, x| net.op("HardSwish", &[x], &[])),
    ("concatenation", |net, x| {
        let other = branch(net, x);
        net.op("Concat", &[x, &other], &[Int("axis", 1)])
    }),
    ("slice", |net, x| {
        let wide = net.conv(x, [48, 24, 1, 1], &[]);
        let wide = net.qdq(&wide, 0.05, 0);
        let [start, end, axis] = [12, 36, 1].map(|number| net.longs(&[1], &[number]));
        net.op("Slice", &[&wide, &start, &end, &axis], &[])
    }),
    ("split and sum", |net, x| {
        let wide = net.conv(x, [48, 24, 1, 1], &[]);
        let wide = net.qdq(&wide, 0.05, 0);
        let parts = net.ops("Split", &[&wide], &[Int("axis", 1)], 2);
        let parts: Vec<String> = parts.iter().map(|part| net.qdq(part, 0.05, 0)).collect();
        net.op("Add", &[&parts[0], &parts[1]], &[])
    }),
    ("shuffle", |net, x| {
        let other = branch(net, x);
        let both = net.op("Concat", &[x, &other], &[Int("axis", 1)]);
        let both = net.qdq(&both, 0.05, 0);
        let groups = net.longs(&[5], &[1, 2, 24, 40, 40]);
        let groups = net.op("Reshape", &[&both, &groups], &[]);
        let groups = net.qdq(&groups, 0.05, 0);
        let swapped = net.op("Transpose", &[&groups], &[Ints("perm", &[0, 2, 1, 3, 4])]);
        let swapped = net.qdq(&swapped, 0.05, 0);
        let shape = net.longs(&[4], &[1, 48, 40, 40]);
        net.op("Reshape", &[&swapped, &shape], &[])
    }),
    ("largest of windows", |net, x| {
        let attributes = [Ints("kernel_shape", &[3, 3]), Ints("pads", &[1; 4])];
        net.op("MaxPool", &[x], &attributes)
    }),
    ("mean of windows", |net, x| {
        let attributes = [Ints("kernel_shape", &[3, 3]), Ints("pads", &[1; 4])];
        net.op("AveragePool", &[x], &attributes)
    }),
    ("mean of the picture", |net, x| net.op("GlobalAveragePool", &[x], &[])),
    ("nearest", |net, x| {
        resize(net, x, &[Word("coordinate_transformation_mode", "asymmetric"), Word("nearest_mode", "floor")])
    }),
    ("linear", |net, x| resize(net, x, &[Word("mode", "linear")])),
    ("product of matrices", |net, x| {
        let tokens = net.op("Transpose", &[x], &[Ints("perm", &[0, 2, 3, 1])]);
        let tokens = net.qdq(&tokens, FINE, 0);
        let shape = net.longs(&[3], &[1, 1600, 24]);
        let tokens = net.op("Reshape", &[&tokens, &shape], &[]);
        let tokens = net.qdq(&tokens, FINE, 0);
        let weights = net.weights(&[24, 32], 1);
        let product = net.op("MatMul", &[&tokens, &weights], &[]);
        let bias = net.floats(&[32], &[0.25; 32]);
        net.op("Add", &[&product, &bias], &[])
    }),
    ("classifier", |net, x| {
        let pooled = net.op("AveragePool", &[x], &[Ints("kernel_shape", &[4, 4]), Ints("strides", &[4, 4])]);
        let pooled = net.qdq(&pooled, FINE, 0);
        let flat = net.op("Flatten", &[&pooled], &[]);
        let flat = net.qdq(&flat, FINE, 0);
        let weights = net.weights(&[160, 2400], 0);
        net.op("Gemm", &[&flat, &weights], &[Int("transB", 1)])
    }),
    ("planes", |net, x| {
        let vector = net.op("Flatten", &[x], &[]);
        let vector = net.qdq(&vector, FINE, 0);
        net.op("Sigmoid", &[&vector], &[])
    }),
    ("convolution with gaps", |net, x| {
        let gaps = [Ints("dilations", &[2, 3]), Ints("pads", &[2, 3, 2, 3])];
        filtered(net, x, &[24, 24, 3, 3], &gaps)
    }),
    ("depthwise with gaps", |net, x| {
        let gaps = [Ints("dilations", &[2, 2]), Ints("pads", &[2; 4]), Int("group", 24)];
        filtered(net, x, &[24, 1, 3, 3], &gaps)
    }),
    ("convolution padded by name", |net, x| {
        filtered(net, x, &[96, 24, 3, 3], &[Word("auto_pad", "SAME_UPPER"), Ints("strides", &[2, 2])])
    }),
    ("small groups", |net, x| net.conv(x, [24, 4, 3, 3], &[Int("group", 6)])),
    ("large groups", |net, x| net.conv(x, [48, 12, 1, 1], &[Int("group", 2)])),
    ("groups of windows", |net, x| net.conv(x, [48, 12, 3, 3], &[Int("group", 2)])),
    ("weights with zero points", |net, x| {
        let values = net.noise(24 * 24 * 9, -128, 127);
        let stored = net.integers(DataType::Int8, &[24, 24, 3, 3], &values);
        let (scale, zero) = (net.floats(&[], &[0.002]), net.integers(DataType::Int8, &[], &[-9]));
        let weights = net.op("DequantizeLinear", &[&stored, &scale, &zero], &[]);
        net.op("Conv", &[x, &weights], &[Ints("pads", &[1; 4])])
    }),
    ("weights in float", |net, x| {
        let values = net.noise(24 * 24, -127, 127).into_iter().map(|value| value as f32 * 0.002);
        let stored = net.floats(&[24, 24, 1, 1], &values.collect::<Vec<f32>>());
        let weights = net.qdq(&stored, 0.002, 0);
        net.op("Conv", &[x, &weights], &[])
    }),
    ("difference", |net, x| {
        let other = branch(net, x);
        net.op("Sub", &[&other, x], &[])
    }),
    ("constants of each channel", |net, x| {
        let factors = channels(net, 0.5);
        let x = net.op("Mul", &[x, &factors], &[]);
        let terms = channels(net, -1.0);
        net.op("Add", &[&x, &terms], &[])
    }),
    ("normalisation and slope", |net, x| {
        let constants = [1.0, 0.1, -0.2, 0.7].map(|from| {
            let values: Vec<f32> = (0..24).map(|c| from + 0.01 * c as f32).collect();
            net.floats(&[24], &values)
        });
        let [scale, bias, mean, variance] = &constants;
        let x = net.op("BatchNormalization", &[x, scale, bias, mean, variance], &[]);
        let slope: Vec<f32> = (0..24).map(|c| 0.02 * c as f32).collect();
        let slope = net.floats(&[24, 1, 1], &slope);
        net.op("PRelu", &[&x, &slope], &[])
    }),
    ("shares of channels", |net, x| net.op("Softmax", &[x], &[Int("axis", 1)])),
    ("shares of rows", |net, x| net.op("Softmax", &[x], &[Int("axis", 2)])),
    ("local response", |net, x| net.op("LRN", &[x], &[Int("size", 5), Float("alpha", 0.5)])),
    ("padding", |net, x| {
        let pads = net.longs(&[8], &[0, 0, 2, 1, 0, 0, 6, 7]);
        let value = net.floats(&[], &[0.5]);
        net.op("Pad", &[x, &pads, &value], &[])
    }),
    ("mean by reduction", |net, x| {
        let wide = net.conv(x, [96, 24, 3, 3], &[Ints("strides", &[2, 2])]);
        let wide = net.qdq(&wide, 0.05, 0);
        net.op("ReduceMean", &[&wide], &[Ints("axes", &[2, 3])])
    }),
    ("concatenation of rows", |net, x| {
        let other = branch(net, x);
        net.op("Concat", &[x, &other], &[Int("axis", 2)])
    }),
    ("slice of columns", |net, x| {
        let [start, end, axis, step] = [1, 33, 3, 2].map(|number| net.longs(&[1], &[number]));
        net.op("Slice", &[x, &start, &end, &axis, &step], &[])
    }),
    ("split of rows", |net, x| {
        let parts = net.ops("Split", &[x], &[Int("axis", 2)], 2);
        let parts: Vec<String> = parts.iter().map(|part| net.qdq(part, FINE, 0)).collect();
        net.op("Add", &[&parts[1], &parts[0]], &[])
    }),
    ("transposition of the picture", |net, x| net.op("Transpose", &[x], &[Ints("perm", &[0, 1, 3, 2])])),
    ("transposition of channels and rows", |net, x| {
        net.op("Transpose", &[x], &[Ints("perm", &[0, 2, 1, 3])])
    }),
    ("other channels", |net, x| {
        let shape = net.longs(&[4], &[1, 16, 60, 40]);
        net.op("Reshape", &[x, &shape], &[])
    }),
    ("another axis and away", |net, x| {
        let axes = net.longs(&[1], &[3]);
        let x = net.op("Unsqueeze", &[x, &axes], &[]);
        let x = net.qdq(&x, FINE, 0);
        net.op("Squeeze", &[&x, &axes], &[])
    }),
    ("largest value or bound", |net, x| {
        let x = net.op("MaxPool", &[x], &[Ints("kernel_shape", &[2, 2]), Ints("strides", &[2, 2])]);
        net.op("Clip", &[&x, "", ""], &[])
    }),
];

/// What may follow a rule: from its quantised result to another.
pub(super) const TAILS: [Rule; 6] = [
    ("", |_, x| x.to_owned()),
    (" → Sigmoid", |net, x| sigmoid(net, x)),
    (" → Reshape [0, 0, -1] → Sigmoid", |net, x| {
        let x = reshape(net, x, &[0, 0, -1]);
        sigmoid(net, &x)
    }),
    (" → Reshape [0, 0, 8, -1] → Sigmoid", |net, x| {
        let x = reshape(net, x, &[0, 0, 8, -1]);
        sigmoid(net, &x)
    }),
    (" → Transpose → Reshape [1, -1, C] → Sigmoid", |net, x| {
        let x = net.op("Transpose", &[x], &[Ints("perm", &[0, 2, 3, 1])]);
        let x = net.qdq(&x, 0.05, 0);
        let x = reshape(net, &x, &[0, -1, 24]);
        sigmoid(net, &x)
    }),
    (" → Reshape [0, 0, 8, -1] → Convolution", |net, x| {
        let x = reshape(net, x, &[0, 0, 8, -1]);
        let x = sigmoid(net, &x);
        let conv = net.conv(&x, [8, 24, 3, 3], &[]);
        net.qdq(&conv, 0.05, 0)
    }),
];

/// Another tensor of the shape of `x`.
pub(super) fn branch(net: &mut Net, x: &str) -> String {
    let conv = net.conv(x, [24, 24, 1, 1], &[]);
    net.qdq(&conv, 0.05, -3)
}

fn sigmoid(net: &mut Net, x: &str) -> String {
    let x = net.op("Sigmoid", &[x], &[]);
    net.qdq(&x, 1.0 / 256.0, -128)
}

fn reshape(net: &mut Net, x: &str, shape: &[i64]) -> String {
    let shape = net.longs(&[shape.len() as i64], shape);
    let x = net.op("Reshape", &[x, &shape], &[]);
    net.qdq(&x, 0.05, 0)
}

fn resize(net: &mut Net, x: &str, attributes: &[Attribute<'_>]) -> String {
    let scales = net.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
    net.op("Resize", &[x, "", &scales], attributes)
}

/// A convolution without bias, whose padding is among the attributes.
fn filtered(net: &mut Net, x: &str, dims: &[i64; 4], attributes: &[Attribute<'_>]) -> String {
    let weights = net.weights(dims, 0);
    net.op("Conv", &[x, &weights], attributes)
}

/// A constant of each channel.
fn channels(net: &mut Net, from: f32) -> String {
    let values: Vec<f32> = (0..24).map(|c| from + 0.05 * c as f32).collect();
    net.floats(&[1, 24, 1, 1], &values)
}

/// Whether a tail makes sense: results of another number of channels, or of no picture, have fewer.
pub(super) fn follows(rule: &str, tail: usize) -> bool {
    match rule {
        "product of matrices" | "classifier" | "planes" => tail < 2,
        "mean of the picture" | "mean by reduction" => tail < 3,
        "convolution of every second pixel" | "convolution padded by name" | "concatenation" | "shuffle" => {
            tail < 4
        }
        "large groups" | "groups of windows" | "other channels" | "transposition of channels and rows" => {
            tail < 4
        }
        "groups of weights beyond int8" | "depth to space and back" | "a shape that is computed" => tail < 2,
        "largest of all" => tail < 3,
        "every third row" | "a margin like a mirror" | "transposed convolution beyond int8 and function" => {
            tail < 2
        }
        "mean of windows beyond the picture" | "sums that stay in float" => tail < 3,
        "mean of windows beyond counted padding"
        | "a constant left factor"
        | "Gemm of columns"
        | "product of matrices and GELU" => tail < 2,
        _ => true,
    }
}
