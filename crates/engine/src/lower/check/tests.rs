//! Broken files, each made from a good one by one change.

use std::fs;
use std::path::Path;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto};

use crate::Kind;
use crate::engine::Engine;
use crate::memory::Budget;
use crate::proto::parse;
use edgeclip_kernels::Isa;

/// A small network whose first nodes are DQ of the picture, DQ of weights, DQ of the bias, Conv, Clip, Q.
fn network() -> ModelProto {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks/mobile_int8.onnx");
    parse("mobile_int8.onnx", &fs::read(path).unwrap()).unwrap()
}

fn load(model: ModelProto) -> crate::Result<Engine> {
    Engine::new("x.onnx".into(), model, Isa::SCALAR, 1, true, Budget::default())
}

/// Node `index` of those of one kind.
fn node<'a>(graph: &'a mut GraphProto, kind: &str, index: usize) -> &'a mut NodeProto {
    graph.node.iter_mut().filter(|node| node.op_type == kind).nth(index).unwrap()
}

/// The constant that is input `input` of node `index` of a kind.
fn constant<'a>(graph: &'a mut GraphProto, kind: &str, index: usize, input: usize) -> &'a mut TensorProto {
    let name = node(graph, kind, index).input[input].clone();
    graph.initializer.iter_mut().find(|tensor| tensor.name == name).unwrap()
}

fn floats(tensor: &mut TensorProto, values: &[f32]) {
    tensor.raw_data = Vec::new();
    tensor.float_data = values.to_vec();
}

fn integers(tensor: &mut TensorProto, kind: DataType, values: &[i32]) {
    tensor.data_type = kind as i32;
    tensor.raw_data = Vec::new();
    tensor.int32_data = values.to_vec();
}

fn attribute<'a>(graph: &'a mut GraphProto, kind: &str, index: usize, name: &str) -> &'a mut AttributeProto {
    node(graph, kind, index).attribute.iter_mut().find(|attribute| attribute.name == name).unwrap()
}

fn image(graph: &mut GraphProto) -> &mut TensorShapeProto {
    let Some(Value::TensorType(tensor)) = &mut graph.input[0].r#type.as_mut().unwrap().value else {
        unreachable!("the picture is a tensor")
    };
    tensor.shape.as_mut().unwrap()
}

const DQ: &str = "DequantizeLinear";
const Q: &str = "QuantizeLinear";

/// What is broken, how, and what the error says.
type Case = (&'static str, fn(&mut GraphProto), &'static [&'static str]);

const CASES: [Case; 42] = [
    (
        "two constants of one name",
        |g| {
            let name = g.initializer[0].name.clone();
            g.initializer[1].name = name;
        },
        &["two tensors called", "expected names that differ"],
    ),
    (
        "a transposition of nothing",
        |g| node(g, "Add", 0).input.truncate(1),
        &["(Add) with 1 inputs, expected at least 2"],
    ),
    ("a node that makes nothing", |g| node(g, "Add", 0).output.clear(), &["(Add) with no output"]),
    (
        "endless padding",
        |g| attribute(g, "Conv", 0, "pads").ints = vec![1 << 31, 0, 0, 0],
        &["(Conv) with pads of [2147483648, 0, 0, 0], expected numbers from 0 to 65536"],
    ),
    (
        "endless steps",
        |g| attribute(g, "Conv", 0, "strides").ints = vec![1 << 62, 1],
        &["(Conv) with strides of [4611686018427387904, 1]"],
    ),
    (
        "an endless kernel",
        |g| attribute(g, "Conv", 0, "kernel_shape").ints = vec![1 << 31, 3],
        &["(Conv) with kernel_shape of [2147483648, 3]"],
    ),
    (
        "a kernel that reaches too far",
        |g| {
            let name = "dilations".to_owned();
            let gaps = AttributeProto { name, ints: vec![40_000, 1], ..AttributeProto::default() };
            node(g, "Conv", 0).attribute.push(gaps);
        },
        &["a kernel of [3, 3] with dilations of [40000, 1], expected at most"],
    ),
    (
        "a graph inside a node",
        |g| {
            let inner = AttributeProto { g: Some(GraphProto::default()), ..AttributeProto::default() };
            node(g, "Add", 0).attribute.push(inner);
        },
        &["(Add) with a graph inside, expected a graph without branches"],
    ),
    ("no outputs", |g| g.output.clear(), &["found no outputs"]),
    (
        "zero scale",
        |g| floats(constant(g, Q, 0, 1), &[0.0]),
        &["node q", "a scale of 0, expected a positive"],
    ),
    ("negative scale", |g| floats(constant(g, Q, 1, 1), &[-0.5]), &["(QuantizeLinear)", "a scale of -0.5"]),
    // NaN and infinity are found in the constant itself where it is more than one number.
    ("NaN scale", |g| floats(constant(g, DQ, 0, 1), &[f32::NAN]), &["of dq0 with a value of NaN"]),
    ("infinite scale", |g| floats(constant(g, DQ, 0, 1), &[f32::INFINITY]), &["node dq0", "a scale of inf"]),
    (
        "NaN bias",
        |g| {
            let mut bias = TensorProto { name: "bias".into(), dims: vec![8], ..TensorProto::default() };
            bias.data_type = DataType::Float as i32;
            bias.float_data = vec![f32::NAN; 8];
            g.initializer.push(bias);
            node(g, "Conv", 0).input[2] = "bias".into();
        },
        &["constant bias of conv3 with a value of NaN, expected numbers"],
    ),
    (
        "more scales than zero points",
        |g| {
            let zeros = constant(g, DQ, 1, 2);
            zeros.dims = vec![1];
            integers(zeros, DataType::Int8, &[0]);
        },
        &["node dq1", "1 zero points for 8 scales"],
    ),
    (
        "fewer scales than channels",
        |g| {
            for input in [1, 2] {
                constant(g, DQ, 1, input).dims = vec![5];
            }
            floats(constant(g, DQ, 1, 1), &[0.1; 5]);
            integers(constant(g, DQ, 1, 2), DataType::Int8, &[0; 5]);
        },
        &["node dq1", "5 scales along axis 0 of size 8"],
    ),
    ("axis out of range", |g| attribute(g, DQ, 1, "axis").i = 4, &["node dq1", "along axis 4 of 4"]),
    ("axis before the first", |g| attribute(g, DQ, 1, "axis").i = -5, &["node dq1", "along axis -5 of 4"]),
    ("axis of another size", |g| attribute(g, DQ, 1, "axis").i = 2, &["node dq1", "along axis 2 of size 3"]),
    (
        "zero point of another type",
        |g| integers(constant(g, DQ, 0, 2), DataType::Uint8, &[3]),
        &["node dq0", "a zero point of another type than the tensor"],
    ),
    (
        "zero point of another type than the QuantizeLinear's",
        |g| integers(constant(g, Q, 0, 2), DataType::Uint8, &[3]),
        &["a zero point of Int8 for a tensor of Uint8"],
    ),
    (
        "zero point of int16",
        |g| integers(constant(g, Q, 0, 2), DataType::Int16, &[3]),
        &["node q", "a zero point of Int16, expected"],
    ),
    (
        "zero point out of range",
        |g| integers(constant(g, Q, 0, 2), DataType::Int8, &[300]),
        &["a value of 300, expected -128..=127"],
    ),
    (
        "bias with a zero point",
        |g| integers(constant(g, DQ, 2, 2), DataType::Int32, &[0, 0, 0, 1, 0, 0, 0, 0]),
        &["node dq2", "an int32 zero point of 1, expected 0"],
    ),
    (
        "short bias",
        |g| {
            for input in 0..3 {
                constant(g, DQ, 2, input).dims = vec![7];
            }
            floats(constant(g, DQ, 2, 1), &[0.1; 7]);
            integers(constant(g, DQ, 2, 0), DataType::Int32, &[1; 7]);
            integers(constant(g, DQ, 2, 2), DataType::Int32, &[0; 7]);
        },
        &["(Conv)", "a bias of shape [7], expected [8]"],
    ),
    (
        "kernel of another size than the weights",
        |g| attribute(g, "Conv", 0, "kernel_shape").ints = vec![5, 5],
        &["(Conv)", "weights of shape [8, 3, 3, 3], expected a kernel of [5, 5]"],
    ),
    (
        "one stride",
        |g| attribute(g, "Conv", 0, "strides").ints = vec![2],
        &["(Conv)", "strides of [2], expected 2 numbers"],
    ),
    (
        "a stride of zero",
        |g| attribute(g, "Conv", 0, "strides").ints = vec![0, 1],
        &["(Conv)", "strides of [0, 1]"],
    ),
    (
        "negative pads",
        |g| attribute(g, "Conv", 0, "pads").ints = vec![-1, 0, 0, 0],
        &["(Conv)", "pads of [-1, 0, 0, 0]"],
    ),
    ("zero groups", |g| attribute(g, "Conv", 2, "group").i = 0, &["(Conv)", "0 groups for 24 outputs"]),
    ("uneven groups", |g| attribute(g, "Conv", 2, "group").i = 7, &["(Conv)", "7 groups for 24 outputs"]),
    (
        "groups of other channels",
        |g| attribute(g, "Conv", 2, "group").i = 12,
        &["weights [24, 1, 5, 5] in 12 groups for 24 channels"],
    ),
    (
        "weights for other channels",
        |g| {
            constant(g, DQ, 1, 0).dims = vec![8, 9, 3, 1];
            attribute(g, "Conv", 0, "kernel_shape").ints = vec![3, 1];
        },
        &["weights [8, 9, 3, 1] in 1 groups for 3 channels"],
    ),
    (
        "weights of another length than their shape",
        |g| constant(g, DQ, 1, 0).dims = vec![8, 3, 3, 4],
        &["data that do not fit its shape"],
    ),
    (
        "classifier for other inputs",
        |g| {
            let weights = node(g, "Gemm", 0).input[1].clone();
            let dq = g.node.iter().find(|node| node.output[0] == weights).unwrap().input[0].clone();
            let weights = g.initializer.iter_mut().find(|tensor| tensor.name == dq).unwrap();
            weights.dims = vec![5, 9];
            integers(weights, DataType::Int8, &[1; 45]);
        },
        &["weights [5, 9] for 8 values"],
    ),
    (
        "computed scale",
        |g| {
            let scale = node(g, Q, 0).input[1].clone();
            let (input, output) = (vec![scale], vec!["computed".to_owned()]);
            g.node.insert(0, NodeProto { op_type: "Abs".into(), input, output, ..NodeProto::default() });
            node(g, Q, 0).input[1] = "computed".into();
        },
        &["a scale computed that is computed, expected a constant"],
    ),
    (
        "scale left out",
        |g| node(g, Q, 0).input.truncate(1),
        &["(QuantizeLinear)", "1 inputs, expected at least 2"],
    ),
    (
        "unknown op",
        |g| node(g, "HardSwish", 0).op_type = "HarderSwish".into(),
        &["with the unsupported op HarderSwish"],
    ),
    (
        "missing input",
        |g| node(g, "Conv", 1).input[0] = "nowhere".into(),
        &["(Conv)", "an input nowhere that nothing before it makes"],
    ),
    ("dynamic width", |g| image(g).dim[3].value = None, &["dynamic size on axis 3"]),
    (
        "a picture that fills the memory",
        |g| image(g).dim[3].value = Some(Dim::DimValue(1 << 60)),
        &["input image of shape [1, 3, 13, 1152921504606846976], expected at most"],
    ),
    ("no picture", |g| image(g).dim.truncate(2), &["input image of shape [1, 3], expected a picture"]),
];

#[test]
fn broken_files_are_errors_that_say_where_and_what() {
    assert!(load(network()).unwrap().is_int8());
    let mut missed = Vec::new();
    for (what, breaks, parts) in CASES {
        let mut model = network();
        breaks(model.graph.as_mut().unwrap());
        let Err(error) = load(model) else {
            missed.push(format!("{what}: no error"));
            continue;
        };
        let line = error.to_string();
        let is_line = line.starts_with("model file x.onnx: found ") && !line.contains('\n');
        if error.kind() != Kind::Model || !is_line || !parts.iter().all(|part| line.contains(part)) {
            missed.push(format!("{what}: {line}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn an_infinite_bound_is_no_flaw() {
    let mut model = network();
    let graph = model.graph.as_mut().unwrap();
    floats(constant(graph, "Clip", 0, 2), &[f32::INFINITY]);
    assert!(load(model).unwrap().is_int8());
}
