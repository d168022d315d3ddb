//! Rules of what meets in float between quantised tensors.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::net::Attribute::{Float, Int, Ints, Word};
use super::net::{FINE, Net};
use super::rules::{Rule, branch};

pub(super) const FLOAT_RULES: [Rule; 26] = [
    ("attention with a scale and a mask", |net, x| {
        let keys = net.op("Transpose", &[x], &[Ints("perm", &[0, 1, 3, 2])]);
        let keys = net.qdq(&keys, FINE, 5);
        let scores = net.op("MatMul", &[x, &keys], &[]);
        let scale = net.floats(&[], &[0.125]);
        let scores = net.op("Mul", &[&scores, &scale], &[]);
        let hidden = |at: i32| if at % 7 == 3 { f32::NEG_INFINITY } else { 0.0 };
        let mask = net.floats(&[1, 1, 40, 40], &(0..1600).map(hidden).collect::<Vec<_>>());
        let scores = net.op("Add", &[&scores, &mask], &[]);
        let shares = net.op("Softmax", &[&scores], &[Int("axis", -1)]);
        times(net, &shares, 30.0)
    }),
    ("layer normalisation", |net, x| {
        let tokens = net.op("Transpose", &[x], &[Ints("perm", &[0, 2, 3, 1])]);
        let tokens = net.qdq(&tokens, FINE, 0);
        let [scale, bias] = [1.0, -0.3].map(|from| of_channels(net, from));
        let x = net.op("LayerNormalization", &[&tokens, &scale, &bias], &[Float("epsilon", 1e-6)]);
        net.op("Transpose", &[&x], &[Ints("perm", &[0, 3, 1, 2])])
    }),
    ("normalisation of each channel", |net, x| {
        let [scale, bias] = [1.0, -0.3].map(|from| of_channels(net, from));
        net.op("InstanceNormalization", &[x, &scale, &bias], &[])
    }),
    ("normalisation of channels, written out", |net, x| {
        let mean = net.op("ReduceMean", &[x], &[Ints("axes", &[1])]);
        let centred = net.op("Sub", &[x, &mean], &[]);
        let [two, epsilon] = [2.0, 1e-5].map(|value| net.floats(&[], &[value]));
        let squares = net.op("Pow", &[&centred, &two], &[]);
        let variance = net.op("ReduceMean", &[&squares], &[Ints("axes", &[1])]);
        let variance = net.op("Add", &[&variance, &epsilon], &[]);
        let deviation = net.op("Sqrt", &[&variance], &[]);
        net.op("Div", &[&centred, &deviation], &[])
    }),
    ("logarithms of shares", |net, x| net.op("LogSoftmax", &[x], &[Int("axis", 1)])),
    ("rows of length one", |net, x| {
        let norm = net.op("ReduceL2", &[x], &[Ints("axes", &[-1])]);
        let [least, most] = [1e-6, 1e6].map(|value| net.floats(&[], &[value]));
        let norm = net.op("Clip", &[&norm, &least, &most], &[]);
        let x = net.op("Div", &[x, &norm], &[]);
        times(net, &x, 5.0)
    }),
    ("columns of length one", |net, x| {
        let x = net.op("LpNormalization", &[x], &[Int("axis", 2), Int("p", 2)]);
        times(net, &x, 5.0)
    }),
    ("convolution and shares", |net, x| {
        let conv = net.conv(x, [24, 24, 3, 3], &[]);
        let shares = net.op("Softmax", &[&conv], &[Int("axis", 1)]);
        times(net, &shares, 30.0)
    }),
    ("the larger of two, or a bound", |net, x| {
        let other = branch(net, x);
        let above = net.op("Greater", &[x, &other], &[]);
        let below = net.op("Not", &[&above], &[]);
        let bound = net.floats(&[], &[0.5]);
        let first = net.op("Where", &[&above, x, &bound], &[]);
        net.op("Where", &[&below, &other, &first], &[])
    }),
    ("a mask of truths", |net, x| {
        let truths = (0..1600).map(|at| i32::from(at % 3 != 1)).collect();
        let name = format!("truths{}", net.graph.initializer.len());
        net.graph.initializer.push(TensorProto {
            name: name.clone(),
            data_type: DataType::Bool as i32,
            dims: vec![40, 40],
            int32_data: truths,
            ..TensorProto::default()
        });
        let other = net.floats(&[], &[-1.25]);
        net.op("Where", &[&name, x, &other], &[])
    }),
    ("convolution along one axis", |net, x| {
        let flat = of_shape(net, x, &[1, 24, 1600]);
        let weights = net.weights(&[24, 24, 5], 0);
        let conv = net.op("Conv", &[&flat, &weights], &[Ints("pads", &[2, 2])]);
        let conv = net.qdq(&conv, 0.05, 0);
        let conv = net.op("MaxPool", &[&conv], &[Ints("kernel_shape", &[3]), Ints("pads", &[1, 1])]);
        of_shape(net, &conv, &[1, 24, 40, 40])
    }),
    ("mean of windows beyond the picture", |net, x| {
        let attributes = [
            Ints("kernel_shape", &[3, 3]),
            Ints("strides", &[2, 2]),
            Ints("pads", &[1, 0, 0, 1]),
            Int("ceil_mode", 1),
        ];
        net.op("AveragePool", &[x], &attributes)
    }),
    ("mean of windows beyond counted padding", |net, x| {
        let attributes = [
            Ints("kernel_shape", &[4, 4]),
            Ints("strides", &[3, 3]),
            Ints("pads", &[1, 1, 1, 1]),
            Int("ceil_mode", 1),
            Int("count_include_pad", 1),
        ];
        net.op("AveragePool", &[x], &attributes)
    }),
    ("a constant left factor", |net, x| {
        let weights = net.weights(&[32, 40], 0);
        net.op("MatMul", &[&weights, x], &[])
    }),
    ("Gemm of columns", |net, x| {
        let shape = net.longs(&[2], &[240, 160]);
        let rows = net.op("Reshape", &[x, &shape], &[]);
        let rows = net.qdq(&rows, FINE, 0);
        let weights = net.weights(&[240, 48], 1);
        net.op("Gemm", &[&rows, &weights], &[Int("transA", 1)])
    }),
    ("sums that stay in float", |net, x| {
        let first = net.conv(x, [24, 24, 1, 1], &[]);
        let mut stream = net.op("Relu", &[&first], &[]);
        for _ in 0..2 {
            let quantised = net.qdq(&stream, 0.04, -20);
            let conv = net.conv(&quantised, [24, 24, 1, 1], &[]);
            let sum = net.op("Add", &[&stream, &conv], &[]);
            stream = net.op("Relu", &[&sum], &[]);
        }
        stream
    }),
    ("product of matrices and GELU", |net, x| {
        let weights = net.weights(&[40, 48], 1);
        let x = net.op("MatMul", &[x, &weights], &[]);
        let [root, one, half] = [std::f32::consts::SQRT_2, 1.0, 0.5].map(|value| net.floats(&[], &[value]));
        let inner = net.op("Div", &[&x, &root], &[]);
        let erf = net.op("Erf", &[&inner], &[]);
        let sum = net.op("Add", &[&erf, &one], &[]);
        let product = net.op("Mul", &[&x, &sum], &[]);
        net.op("Mul", &[&product, &half], &[])
    }),
    ("gate in float", |net, x| {
        let conv = net.conv(x, [24, 24, 3, 3], &[]);
        let mean = net.op("GlobalAveragePool", &[x], &[]);
        let mean = net.qdq(&mean, FINE / 4.0, 3);
        let gate = net.conv(&mean, [24, 24, 1, 1], &[]);
        let gate = net.op("HardSigmoid", &[&gate], &[]);
        net.op("Mul", &[&conv, &gate], &[])
    }),
    ("convolution and functions", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        let x = net.op("HardSwish", &[&conv], &[]);
        let x = net.op("Abs", &[&x], &[]);
        let x = net.op("Gelu", &[&x], &[]);
        let x = net.op("LeakyRelu", &[&x], &[Float("alpha", 0.2)]);
        net.op("Tanh", &[&x], &[])
    }),
    ("windows of what stays in float", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        let halves = [Ints("kernel_shape", &[2, 2]), Ints("strides", &[2, 2])];
        let (most, mean) = (net.op("MaxPool", &[&conv], &halves), net.op("AveragePool", &[&conv], &halves));
        let sum = net.op("Add", &[&most, &mean], &[]);
        let scales = net.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
        net.op("Resize", &[&sum, "", &scales], &[Word("mode", "linear")])
    }),
    ("means of what stays in float", |net, x| {
        let conv = net.conv(x, [24, 24, 3, 3], &[]);
        let attributes = [Ints("kernel_shape", &[3, 3]), Ints("pads", &[1; 4]), Int("count_include_pad", 1)];
        let mean = net.op("AveragePool", &[&conv], &attributes);
        net.op("Sub", &[&mean, &conv], &[])
    }),
    ("moves of what stays in float", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        let (flat, back) = (net.longs(&[3], &[1, 24, 1600]), net.longs(&[4], &[1, 24, 40, 40]));
        let tokens = net.op("Reshape", &[&conv, &flat], &[]);
        let tokens = net.op("Transpose", &[&tokens], &[Ints("perm", &[0, 2, 1])]);
        let [scale, bias] = [1.0, -0.3].map(|from| of_channels(net, from));
        let normal = net.op("LayerNormalization", &[&tokens, &scale, &bias], &[]);
        let sum = net.op("Add", &[&normal, &tokens], &[]);
        let planes = net.op("Transpose", &[&sum], &[Ints("perm", &[0, 2, 1])]);
        net.op("Reshape", &[&planes, &back], &[])
    }),
    ("parts of what stays in float", |net, x| {
        let conv = net.conv(x, [48, 24, 1, 1], &[]);
        let parts = net.ops("Split", &[&conv], &[Int("axis", 1)], 2);
        let share = net.op("Sigmoid", &[&parts[1]], &[]);
        let gated = net.op("Mul", &[&parts[0], &share], &[]);
        let [start, end, axis] = [2, 14, 1].map(|number| net.longs(&[1], &[number]));
        let part = net.op("Slice", &[&gated, &start, &end, &axis], &[]);
        let both = net.op("Concat", &[&part, &part], &[Int("axis", 1)]);
        net.op("Add", &[&both, x], &[])
    }),
    ("gate of what stays in float", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        let mean = net.op("GlobalAveragePool", &[&conv], &[]);
        let gate = net.op("HardSigmoid", &[&mean], &[]);
        let gated = net.op("Mul", &[&conv, &gate], &[]);
        let most = net.op("ReduceMax", &[&gated], &[Ints("axes", &[2, 3]), Int("keepdims", 0)]);
        let shape = net.longs(&[4], &[1, 24, 1, 1]);
        let most = net.op("Reshape", &[&most, &shape], &[]);
        net.op("Sub", &[&gated, &most], &[])
    }),
    ("a margin and repetitions in float", |net, x| {
        let conv = net.conv(x, [24, 24, 1, 1], &[]);
        let pads = net.longs(&[8], &[0, 0, 1, 2, 0, 0, 1, 0]);
        let wide = net.op("Pad", &[&conv, &pads], &[]);
        let pooled = net.op("MaxPool", &[&wide], &[Ints("kernel_shape", &[3, 3])]);
        let mean = net.op("ReduceMean", &[&pooled], &[Ints("axes", &[3])]);
        let shape = net.longs(&[4], &[1, 24, 40, 40]);
        let rows = net.op("Expand", &[&mean, &shape], &[]);
        let shares = net.op("Softmax", &[&rows], &[Int("axis", 2)]);
        let shares = times(net, &shares, 9.0);
        net.op("Add", &[&shares, &conv], &[])
    }),
    ("constants beside tensors", |net, x| {
        let values = net.noise(24 * 40 * 2, -90, 90);
        let stored = net.integers(DataType::Int8, &[1, 24, 2, 40], &values);
        let (scale, zero) = (net.floats(&[], &[0.03]), net.integers(DataType::Int8, &[], &[4]));
        let constant = net.op("DequantizeLinear", &[&stored, &scale, &zero], &[]);
        let both = net.op("Concat", &[&constant, x], &[Int("axis", 2)]);
        let both = net.qdq(&both, 0.04, 0);
        let [start, end, axis] = [0, 40, 2].map(|number| net.longs(&[1], &[number]));
        net.op("Slice", &[&both, &start, &end, &axis], &[])
    }),
];

fn times(net: &mut Net, x: &str, factor: f32) -> String {
    let factor = net.floats(&[], &[factor]);
    net.op("Mul", &[x, &factor], &[])
}

fn of_shape(net: &mut Net, x: &str, shape: &[i64]) -> String {
    let shape = net.longs(&[shape.len() as i64], shape);
    let x = net.op("Reshape", &[x, &shape], &[]);
    net.qdq(&x, 0.05, 0)
}

/// Constants of 24 channels.
fn of_channels(net: &mut Net, from: f32) -> String {
    let values: Vec<f32> = (0..24).map(|c| from + 0.02 * c as f32).collect();
    net.floats(&[24], &values)
}
