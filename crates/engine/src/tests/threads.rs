//! Every rule with one to four threads at sizes that are split: the same bits as the scalar kernels on one.

use tract_onnx::pb::ModelProto;

use super::net::Attribute::{Int, Ints, Word};
use super::net::{FINE, Net, engine, float, run};
use edgeclip_kernels::Isa;

/// A rule: from the quantised picture `[1, 24, 40, 40]` to a float tensor.
type Rule = (&'static str, fn(&mut Net, &str) -> String);

/// 38,400 values: even a step that only moves them is split.
const PICTURE: [i64; 4] = [1, 24, 40, 40];

const RULES: [Rule; 25] = [
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
];

/// What may follow a rule: from its quantised result to another.
const TAILS: [Rule; 6] = [
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
fn branch(net: &mut Net, x: &str) -> String {
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

fn resize(net: &mut Net, x: &str, attributes: &[super::net::Attribute<'_>]) -> String {
    let scales = net.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
    net.op("Resize", &[x, "", &scales], attributes)
}

/// The rule and what follows it, as a network.
fn network(rule: &Rule, tail: &Rule) -> ModelProto {
    let (mut net, x) = Net::quantised(&PICTURE);
    let x = rule.1(&mut net, &x);
    let x = net.qdq(&x, 0.05, 0);
    let x = tail.1(&mut net, &x);
    net.model(&[&x])
}

/// Whether a tail makes sense: results of another number of channels, or of no picture, have fewer.
fn follows(rule: &str, tail: usize) -> bool {
    match rule {
        "product of matrices" | "classifier" | "planes" => tail < 2,
        "mean of the picture" => tail < 3,
        "convolution of every second pixel" | "concatenation" | "shuffle" => tail < 4,
        _ => true,
    }
}

#[test]
fn every_rule_gives_the_same_bits_with_one_to_four_threads() {
    let mut wrong = Vec::new();
    for rule in &RULES {
        for (_, tail) in TAILS.iter().enumerate().filter(|(index, _)| follows(rule.0, *index)) {
            let model = network(rule, tail);
            let name = format!("{}{}", rule.0, tail.0);
            let one = engine(&model, Isa::SCALAR, 1).unwrap();
            assert!(one.is_int8() && one.left_in_float().is_empty(), "{name}: {:?}", one.left_in_float());
            let expected = run(&one);
            assert!(expected[0].iter().any(|value| *value != expected[0][0]), "{name}: one value");
            for isa in Isa::available() {
                for threads in 1..=4 {
                    if run(&engine(&model, isa, threads).unwrap()) != expected {
                        wrong.push(format!("{name}: {isa:?} with {threads} threads"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_within_a_step_of_the_same_network_in_float() {
    for rule in &RULES {
        for (_, tail) in TAILS.iter().enumerate().filter(|(index, _)| follows(rule.0, *index)) {
            let model = network(rule, tail);
            let int8 = run(&engine(&model, Isa::SCALAR, 2).unwrap());
            let float = run(&float(&model).unwrap());
            // A step of an inner tensor may be one more step of the output.
            let far = int8[0].iter().zip(&float[0]).filter(|(a, b)| (*a - *b).abs() > 0.11).count();
            let off = int8[0].iter().zip(&float[0]).filter(|(a, b)| a != b).count();
            assert!(
                far == 0 && off * 20 <= int8[0].len(),
                "{}{}: {off} differ, {far} by far",
                rule.0,
                tail.0
            );
        }
    }
}
