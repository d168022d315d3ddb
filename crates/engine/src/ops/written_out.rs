//! `QuantizeLinear` and `DequantizeLinear` of activations as arithmetic on floats.
//!
//! tract computes what lies between the two in integers of its own, some operators (Softmax) wrongly, and quantises by the reciprocal
//! of a scale, and infinities to the other end of the range. Arithmetic it leaves as it is: `clamp(round_half_even(x / s) + z)` and
//! `(q − z) · s`.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto};

/// Writes out what has one scale for a whole tensor; where there are several, tract itself does. What dequantises a constant stays:
/// nothing is quantised before it.
pub(crate) fn write_out(graph: &mut GraphProto) {
    let numbers = numbers(graph);
    let constants: HashSet<String> = constants(graph).map(|(name, _)| name.to_owned()).collect();
    let mut added = Vec::new();
    for node in std::mem::take(&mut graph.node) {
        let [x, scale, rest @ ..] = &node.input[..] else {
            graph.node.push(node);
            continue;
        };
        let zero = rest.first().filter(|zero| !zero.is_empty());
        // A tensor without a zero point is one of uint8.
        let kind = zero.map_or(Some(DataType::Uint8), |zero| numbers.get(zero).copied());
        let written = match (node.op_type.as_str(), kind, node.output.first()) {
            _ if !numbers.contains_key(scale) => None,
            ("QuantizeLinear", Some(kind), Some(to)) => {
                range(kind).map(|range| quantise(x, scale, zero, to, (kind, range), &mut added))
            }
            ("DequantizeLinear", Some(_), Some(to)) if !constants.contains(x) => {
                Some(dequantise(x, scale, zero, to))
            }
            _ => None,
        };
        match written {
            Some(mut written) => {
                if let Some(last) = written.last_mut() {
                    last.name.clone_from(&node.name);
                }
                graph.node.extend(written);
            }
            None => graph.node.push(node),
        }
    }
    graph.initializer.extend(added);
}

fn quantise(
    x: &str,
    scale: &str,
    zero: Option<&String>,
    to: &str,
    (kind, [low, high]): (DataType, [f32; 2]),
    added: &mut Vec<TensorProto>,
) -> Vec<NodeProto> {
    let own = |what: &str| format!("{to}/{what}");
    let mut nodes =
        vec![op("Div", &[x, scale], own("steps"), None), op("Round", &[&own("steps")], own("rounded"), None)];
    let mut last = own("rounded");
    if let Some(zero) = zero {
        nodes.push(op("Cast", &[zero], own("zero"), Some(DataType::Float)));
        nodes.push(op("Add", &[&last, &own("zero")], own("moved"), None));
        last = own("moved");
    }
    for (name, value) in [("low", low), ("high", high)] {
        let (name, data_type) = (own(name), DataType::Float as i32);
        added.push(TensorProto { name, data_type, float_data: vec![value], ..TensorProto::default() });
    }
    nodes.push(op("Max", &[&last, &own("low")], own("raised"), None));
    nodes.push(op("Min", &[&own("raised"), &own("high")], own("clamped"), None));
    nodes.push(op("Cast", &[&own("clamped")], to.to_owned(), Some(kind)));
    nodes
}

fn dequantise(x: &str, scale: &str, zero: Option<&String>, to: &str) -> Vec<NodeProto> {
    let own = |what: &str| format!("{to}/{what}");
    let mut nodes = vec![op("Cast", &[x], own("steps"), Some(DataType::Float))];
    let mut last = own("steps");
    if let Some(zero) = zero {
        nodes.push(op("Cast", &[zero], own("zero"), Some(DataType::Float)));
        nodes.push(op("Sub", &[&last, &own("zero")], own("moved"), None));
        last = own("moved");
    }
    nodes.push(op("Mul", &[&last, scale], to.to_owned(), None));
    nodes
}

/// A node called as its result, which is cast to a type.
fn op(kind: &str, inputs: &[&str], output: String, to: Option<DataType>) -> NodeProto {
    let to = to.map(|kind| AttributeProto {
        name: "to".to_owned(),
        r#type: attribute_proto::AttributeType::Int as i32,
        i: kind as i64,
        ..AttributeProto::default()
    });
    NodeProto {
        op_type: kind.to_owned(),
        name: output.clone(),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output],
        attribute: to.into_iter().collect(),
        ..NodeProto::default()
    }
}

/// The least and the largest number of a type.
fn range(kind: DataType) -> Option<[f32; 2]> {
    match kind {
        DataType::Int8 => Some([-128.0, 127.0]),
        DataType::Uint8 => Some([0.0, 255.0]),
        _ => None,
    }
}

/// Constants of one number, and their types.
fn numbers(graph: &GraphProto) -> HashMap<String, DataType> {
    let single = constants(graph).filter(|(_, tensor)| tensor.dims.iter().all(|&size| size == 1));
    single
        .filter_map(|(name, tensor)| Some((name.to_owned(), DataType::try_from(tensor.data_type).ok()?)))
        .collect()
}

fn constants(graph: &GraphProto) -> impl Iterator<Item = (&str, &TensorProto)> {
    let nodes = graph.node.iter().filter(|node| node.op_type == "Constant").filter_map(|node| {
        let value = node.attribute.iter().find(|attribute| attribute.name == "value")?;
        Some((node.output.first()?.as_str(), value.t.as_ref()?))
    });
    graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).chain(nodes)
}
