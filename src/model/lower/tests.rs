use tract_onnx::pb::{ModelProto, NodeProto};

use super::{Refusal, lower};
use crate::kernels::Isa;
use crate::kernels::team::Team;
use crate::model::Bundle;
use crate::model::bundle::VISION;
use crate::model::graph::read;

fn network() -> ModelProto {
    read(&Bundle::embedded().unwrap(), VISION).unwrap()
}

fn refusal(model: &ModelProto, size: usize) -> Refusal {
    lower(model, [3, size, size], Isa::Scalar, Team::new(1).unwrap()).err().unwrap()
}

#[test]
fn the_default_network_is_lowered_but_for_one_island() {
    let plan = lower(&network(), [3, 320, 320], Isa::Scalar, Team::new(1).unwrap()).unwrap();
    assert_eq!(plan.left_in_float().len(), 1);
    let outputs: Vec<(&str, &[usize])> = plan.outputs().collect();
    assert_eq!(outputs[0], ("image_embedding", &[1, 256][..]));
    assert_eq!(outputs[1], ("level8", &[1, 33, 40, 40][..]));
}

#[test]
fn a_float_output_is_refused_by_name() {
    let mut model = network();
    let graph = model.graph.as_mut().unwrap();
    let last = graph.node.iter_mut().find(|node| node.output == ["dense"]).unwrap();
    last.output = vec!["before".into()];
    let (input, output) = (vec!["before".into()], vec!["dense".into()]);
    graph.node.push(NodeProto { op_type: "Relu".into(), input, output, ..NodeProto::default() });
    assert_eq!(refusal(&model, 320).node, "dense");
}

#[test]
fn another_size_is_refused() {
    assert_eq!(refusal(&network(), 224).node, "image");
}

#[test]
fn a_scale_of_zero_is_refused_by_node() {
    let mut model = network();
    let graph = model.graph.as_mut().unwrap();
    let node = graph.node.iter().find(|node| node.op_type == "QuantizeLinear").unwrap().clone();
    let scale = graph.initializer.iter_mut().find(|tensor| tensor.name == node.input[1]).unwrap();
    scale.raw_data = Vec::new();
    scale.float_data = vec![0.0];
    let refusal = refusal(&model, 320);
    assert!(refusal.why.contains("a scale of 0"), "{refusal}");
}
