//! Ops that move int8 values as they are, without DequantizeLinear and QuantizeLinear around them: they get both, in a unit of one, so
//! that rules meet one form. No value changes.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::onnx::Onnx;

const MOVES: [&str; 9] =
    ["Concat", "Flatten", "MaxPool", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"];

/// The constants of a unit of one.
const SCALE: &str = "unit_of_one";

/// Puts both around each such op of the graph.
pub(super) fn moves(graph: &mut GraphProto) {
    let mut kinds = kinds(graph);
    let nodes = std::mem::take(&mut graph.node);
    let mut used = Vec::new();
    for mut node in nodes {
        let kind = node.input.first().and_then(|input| kinds.get(input)).copied();
        let (true, Some(kind)) = (MOVES.contains(&node.op_type.as_str()), kind) else {
            graph.node.push(node);
            continue;
        };
        used.push(kind);
        let values = if node.op_type == "Concat" { node.input.len() } else { 1 };
        for input in &mut node.input[..values] {
            let real = format!("{input}_{}_in_ones", node.name);
            graph.node.push(unit("DequantizeLinear", input, &real, kind));
            *input = real;
        }
        let mut quantise = Vec::new();
        for output in node.output.iter_mut().filter(|output| !output.is_empty()) {
            let real = format!("{output}_in_ones");
            quantise.push(unit("QuantizeLinear", &real, output, kind));
            kinds.insert(output.clone(), kind);
            *output = real;
        }
        graph.node.push(node);
        graph.node.extend(quantise);
    }
    for kind in [DataType::Int8, DataType::Uint8].into_iter().filter(|kind| used.contains(&(*kind as i32))) {
        let zero = TensorProto {
            name: zero(kind as i32),
            data_type: kind as i32,
            int32_data: vec![0],
            ..TensorProto::default()
        };
        graph.initializer.push(zero);
    }
    if !used.is_empty() {
        let data_type = DataType::Float as i32;
        let scale = TensorProto {
            name: SCALE.to_owned(),
            data_type,
            float_data: vec![1.0],
            ..TensorProto::default()
        };
        graph.initializer.push(scale);
    }
}

/// The type of each tensor of int8 or uint8 that a node quantises.
fn kinds(graph: &GraphProto) -> HashMap<String, i32> {
    let onnx = Onnx::new(graph);
    let quantised = graph.node.iter().filter(|node| node.op_type == "QuantizeLinear").filter_map(|node| {
        let kind = match node.input.get(2).filter(|zero| !zero.is_empty()) {
            Some(zero) => onnx.constant(zero)?.data_type,
            None => DataType::Uint8 as i32,
        };
        let is_byte = kind == DataType::Int8 as i32 || kind == DataType::Uint8 as i32;
        is_byte.then(|| Some((node.output.first()?.clone(), kind)))?
    });
    quantised.collect()
}

fn zero(kind: i32) -> String {
    format!("{SCALE}_{}", if kind == DataType::Int8 as i32 { "int8" } else { "uint8" })
}

fn unit(op: &str, from: &str, to: &str, kind: i32) -> NodeProto {
    NodeProto {
        name: to.to_owned(),
        op_type: op.to_owned(),
        input: vec![from.to_owned(), SCALE.to_owned(), zero(kind)],
        output: vec![to.to_owned()],
        ..NodeProto::default()
    }
}
