#![allow(clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};

use super::found::OP;
use super::{File, Ops, Reason, Refusal};
use edgeclip_kernels::Isa;

const PROMPT: &str = "prompt.onnx";
const TEXT: &str = "text.onnx";

/// A network of the default bundle.
fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default").join(name)).unwrap()
}

fn decoded(name: &str) -> (ModelProto, File) {
    File::decode(file(name).into()).unwrap()
}

fn count(model: &ModelProto, kind: &str) -> usize {
    model.graph.as_ref().unwrap().node.iter().filter(|node| node.op_type == kind).count()
}

/// The constant that is input `input` of the first node of `kind`.
fn constant<'a>(model: &'a mut ModelProto, kind: &str, input: usize) -> &'a mut TensorProto {
    let graph = model.graph.as_mut().unwrap();
    let node = graph.node.iter().find(|node| node.op_type == kind).unwrap();
    let name = node.input[input].clone();
    graph.initializer.iter_mut().find(|tensor| tensor.name == name).unwrap()
}

/// What is broken after a change.
fn refusal(change: impl FnOnce(&mut ModelProto)) -> Reason {
    let (mut model, file) = decoded(TEXT);
    change(&mut model);
    match Ops::take(&file, &mut model, Isa::SCALAR) {
        Err(Refusal::Broken(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_text_tower_keeps_no_product_norm_gelu_or_softmax_of_its_own() {
    let (mut model, file) = decoded(TEXT);
    let ops = Ops::take(&file, &mut model, Isa::SCALAR).unwrap();
    assert!(ops.left_in_float().is_empty(), "{:?}", ops.left_in_float());
    for kind in ["MatMul", "DequantizeLinear", "LayerNormalization", "Erf", "Softmax", "Gather"] {
        assert_eq!(count(&model, kind), 0, "{kind}");
    }
    // 37 products, 13 norms, 6 each of GELU and attention, the table of words, two sums of the pooling.
    assert_eq!(count(&model, OP), 37 + 13 + 6 + 6 + 1 + 2);
}

#[test]
fn the_prompter_keeps_no_product_and_no_quantisation_of_its_own() {
    let (mut model, file) = decoded(PROMPT);
    let ops = Ops::take(&file, &mut model, Isa::SCALAR).unwrap();
    assert!(ops.left_in_float().is_empty(), "{:?}", ops.left_in_float());
    for kind in ["Gemm", "QuantizeLinear", "DequantizeLinear"] {
        assert_eq!(count(&model, kind), 0, "{kind}");
    }
    // Eight products, and what changes types around slices, Concat, Softmax and two additions.
    assert_eq!(count(&model, OP), 8 + 7 + 8);
}

#[test]
fn asymmetric_weights_stay_in_float_by_name() {
    let (mut model, file) = decoded(TEXT);
    let zero = constant(&mut model, "DequantizeLinear", 2);
    zero.raw_data = vec![1; zero.raw_data.len()];
    let ops = Ops::take(&file, &mut model, Isa::SCALAR).unwrap();
    assert_eq!(ops.left_in_float().len(), 1);
    assert!(ops.left_in_float()[0].why.contains("symmetric"), "{:?}", ops.left_in_float());
    assert_eq!((count(&model, "MatMul"), count(&model, OP)), (1, 64));
}

#[test]
fn a_scale_of_zero_is_an_error_that_names_the_node() {
    let mut name = String::new();
    let refusal = refusal(|model| {
        let scale = constant(model, "DequantizeLinear", 1);
        scale.raw_data[..4].fill(0);
        let graph = model.graph.as_ref().unwrap();
        name = graph.node.iter().find(|node| node.op_type == "DequantizeLinear").unwrap().name.clone();
    });
    assert_eq!((refusal.node, refusal.why), (name, "a scale of 0".to_owned()));
}

#[test]
fn a_scale_that_is_no_number_is_an_error() {
    let refusal = refusal(|model| {
        let scale = constant(model, "DequantizeLinear", 1);
        scale.raw_data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    assert!(refusal.why.contains("NaN"), "{refusal:?}");
}

#[test]
fn data_that_do_not_fit_their_shape_are_an_error() {
    let refusal = refusal(|model| constant(model, "DequantizeLinear", 0).dims = vec![384, 385]);
    assert!(refusal.why.contains("values for shape [384, 385]"), "{refusal:?}");
}

#[test]
fn a_bias_of_another_length_is_left_to_an_addition() {
    let (mut model, file) = decoded(TEXT);
    let graph = model.graph.as_mut().unwrap();
    let product = graph.node.iter().find(|node| node.op_type == "MatMul").unwrap().output[0].clone();
    let add =
        graph.node.iter_mut().find(|node| node.op_type == "Add" && node.input.contains(&product)).unwrap();
    let bias = add.input.iter_mut().find(|input| **input != product).unwrap();
    *bias = "one".into();
    let one = TensorProto {
        name: "one".into(),
        dims: vec![1],
        data_type: DataType::Float as i32,
        float_data: vec![1.0],
        ..TensorProto::default()
    };
    graph.initializer.push(one);
    let adds = count(&model, "Add");
    let ops = Ops::take(&file, &mut model, Isa::SCALAR).unwrap();
    assert!(ops.left_in_float().is_empty());
    // 37 biases of products, 12 others of norms' inputs and of the words; of each attention and GELU one
    // goes, too.
    assert_eq!((adds, count(&model, "Add")), (62, 62 - 36 - 12));
}

#[test]
fn a_product_that_others_read_keeps_its_name() {
    let (mut model, file) = decoded(TEXT);
    let graph = model.graph.as_mut().unwrap();
    let product = graph.node.iter().find(|node| node.op_type == "MatMul").unwrap().output[0].clone();
    let (input, output) = (vec![product.clone()], vec!["copy".to_owned()]);
    graph.node.push(NodeProto { op_type: "Identity".into(), input, output, ..NodeProto::default() });
    graph.output.push(tract_onnx::pb::ValueInfoProto { name: "copy".into(), ..Default::default() });
    Ops::take(&file, &mut model, Isa::SCALAR).unwrap();
    let graph = model.graph.as_ref().unwrap();
    assert!(graph.node.iter().any(|node| node.op_type == OP && node.output == [product.as_str()]));
}

#[test]
fn a_file_without_its_large_constants_is_the_same_file() {
    for name in [TEXT, PROMPT] {
        let bytes = file(name);
        let whole: ModelProto = prost::Message::decode(&bytes[..]).unwrap();
        let (mut model, file) = File::decode(bytes.into()).unwrap();
        let tensors = &mut model.graph.as_mut().unwrap().initializer;
        assert!(tensors.iter().any(|tensor| tensor.raw_data.is_empty() && !file.raw(tensor).is_empty()));
        tensors.iter_mut().for_each(|tensor| file.restore(tensor));
        assert!(model == whole, "{name}");
    }
}

#[test]
fn a_file_cut_short_is_an_error() {
    let bytes = file(PROMPT);
    for end in [1, 100, 5000, bytes.len() / 2, bytes.len() - 1] {
        assert!(File::decode(bytes[..end].to_vec().into()).is_err(), "{end} bytes");
    }
}
