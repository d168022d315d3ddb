//! Convolutions and poolings along one axis are those of a picture of one row.

use std::collections::HashMap;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::onnx::list;

/// First version of ONNX where the axes of an `Unsqueeze` are an input.
const AXES_AS_INPUT: i64 = 13;

/// Gives them a row, and takes it away behind them.
pub(super) fn of_rows(graph: &mut GraphProto, opset: i64) {
    let mut readers: HashMap<String, usize> = HashMap::new();
    for name in graph.node.iter().flat_map(|node| &node.input) {
        *readers.entry(name.clone()).or_default() += 1;
    }
    let stored: HashMap<String, String> = graph
        .node
        .iter()
        .filter(|node| node.op_type == "DequantizeLinear")
        .filter_map(|node| Some((node.output.first()?.clone(), node.input.first()?.clone())))
        .collect();
    let rank = |graph: &GraphProto, name: &str| {
        graph.initializer.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.dims.len())
    };
    let mut made = false;
    for mut node in std::mem::take(&mut graph.node) {
        let constant = match node.op_type.as_str() {
            "Conv" | "ConvTranspose" => {
                let Some(weights) = node.input.get(1) else {
                    graph.node.push(node);
                    continue;
                };
                let constant = stored.get(weights).unwrap_or(weights).clone();
                let alone = [weights, &constant].iter().all(|name| readers.get(*name) == Some(&1));
                if !alone || rank(graph, &constant) != Some(3) {
                    graph.node.push(node);
                    continue;
                }
                Some(constant)
            }
            "MaxPool" | "AveragePool"
                if list(&node, "kernel_shape", &[]).len() == 1 && node.output.len() == 1 =>
            {
                None
            }
            _ => {
                graph.node.push(node);
                continue;
            }
        };
        let weights =
            constant.and_then(|name| graph.initializer.iter_mut().find(|tensor| tensor.name == name));
        if let Some(weights) = weights {
            weights.dims.insert(2, 1);
        }
        widen(&mut node);
        let (Some(x), Some(output)) = (node.input.first().cloned(), node.output.first().cloned()) else {
            graph.node.push(node);
            continue;
        };
        made = true;
        let [before, behind] = ["row_before", "row_behind"].map(|what| format!("{output}_{what}"));
        node.input[0].clone_from(&before);
        node.output[0].clone_from(&behind);
        graph.node.push(moved("Unsqueeze", x, before, opset));
        graph.node.push(node);
        graph.node.push(moved("Squeeze", behind, output, opset));
    }
    if made && opset >= AXES_AS_INPUT {
        graph.initializer.push(TensorProto {
            name: AXES.to_owned(),
            data_type: DataType::Int64 as i32,
            dims: vec![1],
            int64_data: vec![2],
            ..TensorProto::default()
        });
    }
}

/// The constant of the row's axis.
const AXES: &str = "axis_of_the_row";

/// Attributes of one axis become those of two.
fn widen(node: &mut NodeProto) {
    for attribute in &mut node.attribute {
        match (attribute.name.as_str(), &attribute.ints[..]) {
            ("kernel_shape" | "strides" | "dilations", &[size]) => attribute.ints = vec![1, size],
            ("output_padding", &[size]) => attribute.ints = vec![0, size],
            ("pads", &[before, after]) => attribute.ints = vec![0, before, 0, after],
            _ => {}
        }
    }
}

fn moved(op: &str, from: String, to: String, opset: i64) -> NodeProto {
    let mut node = NodeProto {
        name: to.clone(),
        op_type: op.to_owned(),
        input: vec![from],
        output: vec![to],
        ..NodeProto::default()
    };
    if opset >= AXES_AS_INPUT {
        node.input.push(AXES.to_owned());
    } else {
        node.attribute.push(AttributeProto {
            name: "axes".to_owned(),
            r#type: AttributeType::Ints as i32,
            ints: vec![2],
            ..AttributeProto::default()
        });
    }
    node
}
