#![allow(clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{ModelProto, NodeProto};

use super::{Lowered, Refusal, lower};
use crate::input::Input;
use crate::memory::Budget;
use crate::proto::parse;

/// The vision network of the default bundle.
fn network() -> ModelProto {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default/vision.onnx");
    parse("vision.onnx", &fs::read(path).unwrap()).unwrap()
}

fn lowered(model: &ModelProto) -> Result<Lowered, Refusal> {
    lower(model, &Input::declared("vision.onnx", model).unwrap(), true, Budget::default())
        .map(|(_, lowered)| lowered)
}

#[test]
fn the_default_network_is_lowered_but_for_one_island() {
    let lowered_network = lowered(&network()).unwrap();
    assert_eq!(lowered_network.left.len(), 1);
    let outputs: Vec<(&str, &[usize])> =
        lowered_network.outputs.iter().map(|output| (output.name.as_str(), output.shape())).collect();
    assert_eq!(outputs[0], ("image_embedding", &[1, 256][..]));
    assert_eq!(outputs[1], ("level8", &[1, 33, 40, 40][..]));
}

#[test]
fn a_float_output_is_an_island_by_name() {
    let mut model = network();
    let graph = model.graph.as_mut().unwrap();
    let last = graph.node.iter_mut().find(|node| node.output == ["dense"]).unwrap();
    last.output = vec!["before".into()];
    let (input, output) = (vec!["before".into()], vec!["dense".into()]);
    graph.node.push(NodeProto { op_type: "ReduceProd".into(), input, output, ..NodeProto::default() });
    let lowered_network = lowered(&model).unwrap();
    assert_eq!(lowered_network.left[1].node, "dense");
}

#[test]
fn a_float_picture_that_is_dequantised_is_refused() {
    let mut model = network();
    let graph = model.graph.as_mut().unwrap();
    let Some(Value::TensorType(image)) = &mut graph.input[0].r#type.as_mut().unwrap().value else { panic!() };
    image.elem_type = DataType::Float as i32;
    assert!(matches!(lowered(&model), Err(Refusal::Tract(_))));
}
