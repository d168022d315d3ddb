#![allow(clippy::panic, reason = "a test may panic")]

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{ModelProto, NodeProto};

use super::{Plan, Refusal, lower};
use crate::kernels::Isa;
use crate::kernels::team::Team;
use crate::model::Bundle;
use crate::model::bundle::VISION;
use crate::model::graph::read;
use crate::model::input::Input;

fn network() -> ModelProto {
    read(&Bundle::embedded().unwrap(), VISION).unwrap()
}

fn lowered(model: &ModelProto) -> Result<Plan, Refusal> {
    lower(model, &Input::declared(VISION, model).unwrap(), Isa::Scalar, Team::new(1).unwrap())
        .map(|(_, plan)| plan)
}

#[test]
fn the_default_network_is_lowered_but_for_one_island() {
    let plan = lowered(&network()).unwrap();
    assert_eq!(plan.left_in_float().len(), 1);
    let outputs: Vec<(&str, &[usize])> = plan.outputs().collect();
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
    graph.node.push(NodeProto { op_type: "Relu".into(), input, output, ..NodeProto::default() });
    let plan = lowered(&model).unwrap();
    assert_eq!(plan.left_in_float()[1].node, "dense");
}

#[test]
fn a_float_network_is_refused_by_its_input() {
    let mut model = network();
    let graph = model.graph.as_mut().unwrap();
    let Some(Value::TensorType(image)) = &mut graph.input[0].r#type.as_mut().unwrap().value else { panic!() };
    image.elem_type = DataType::Float as i32;
    let refusal = lowered(&model).unwrap_err();
    assert_eq!(refusal.why, "a float input that is not quantised first");
}
