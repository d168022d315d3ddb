//! Weights with zero points of their own.
//!
//! The kernels multiply int8 weights with a zero point of 0. Weights less their zero point are the same numbers,
//! but may lie beyond int8. What is beyond becomes weights of more inputs, which are copies of those inputs that
//! need it: `Σ x·w = Σ x·clamp(w) + Σ x·(w − clamp(w))`, in the same integers.

mod weights;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto};

use crate::lower::onnx::{Onnx, integer};
use weights::weights_of;

/// What a node needs.
struct Change {
    /// Index of the node.
    at: usize,
    constants: Vec<TensorProto>,
    /// To come before it.
    nodes: Vec<NodeProto>,
    /// Its new inputs 0 and 1.
    inputs: [String; 2],
}

/// Rewrites the convolutions and products of `graph` whose weights have zero points, where that is possible.
pub(super) fn symmetric(graph: &mut GraphProto) {
    let changes: Vec<Change> = {
        let onnx = Onnx::new(graph);
        let nodes = graph.node.iter().enumerate();
        nodes.filter_map(|(at, node)| change(&onnx, at, node)).collect()
    };
    for Change { at, constants, nodes, inputs: [x, weights] } in changes.into_iter().rev() {
        let node = &mut graph.node[at];
        node.input[0] = x;
        node.input[1] = weights;
        graph.initializer.extend(constants);
        graph.node.splice(at..at, nodes);
    }
}

fn change(onnx: &Onnx<'_>, at: usize, node: &NodeProto) -> Option<Change> {
    let [x, weights, ..] = &node.input[..] else { return None };
    let dq = onnx.made_by(weights, "DequantizeLinear")?;
    let found = weights_of(onnx, node, dq)?;
    let parts = found.parts();
    let own = |what: &str| format!("{}_{what}_{at}", node.name);
    let zeros = onnx.constant(&dq.input[1])?.dims.clone();
    let count = zeros.iter().product::<i64>().max(1) as usize;
    let mut constants = vec![
        integers(own("weights"), found.widened_dims(&parts), found.widened(&parts)),
        integers(own("zeros"), zeros, vec![0; count]),
    ];
    let dequantised = NodeProto {
        name: own("dequantised"),
        input: vec![own("weights"), dq.input[1].clone(), own("zeros")],
        output: vec![own("dequantised")],
        ..dq.clone()
    };
    let mut nodes = vec![dequantised];
    let mut input = x.clone();
    if !parts.is_empty() {
        let axis = if node.op_type == "MatMul" { -1 } else { 1 };
        let copied = onnx.made_by(x, "DequantizeLinear")?;
        let [_, scale, zero] = &copied.input[..] else { return None };
        let is_whole = onnx.floats(scale).ok()?.values.len() == 1;
        if (node.op_type == "Conv" && integer(node, "group", 1) != 1) || !is_whole || zero.is_empty() {
            return None;
        }
        // A tensor in the unit of `x`.
        let mut add = |what: String, kind: &str, inputs: Vec<String>, attribute: Option<AttributeProto>| {
            let op = |op_type: &str, name: String, input: Vec<String>| NodeProto {
                op_type: op_type.to_owned(),
                output: vec![name.clone()],
                name,
                input,
                ..NodeProto::default()
            };
            let moved = op(kind, own(&what), inputs);
            nodes.push(NodeProto { attribute: attribute.into_iter().collect(), ..moved });
            let [quantised, back] = ["q", "dq"].map(|end| own(&format!("{what}_{end}")));
            nodes.push(op(
                "QuantizeLinear",
                quantised.clone(),
                vec![own(&what), scale.clone(), zero.clone()],
            ));
            nodes.push(op("DequantizeLinear", back.clone(), vec![quantised, scale.clone(), zero.clone()]));
            back
        };
        let mut inputs = vec![x.clone()];
        for &(start, end) in &parts {
            if (start, end) == (0, found.dims[found.inputs]) {
                inputs.push(x.clone());
                continue;
            }
            let bounds = [("start", start as i64), ("end", end as i64), ("axis", axis)];
            let bounds = bounds.map(|(what, value)| {
                let name = own(&format!("{what}_{start}"));
                constants.push(long(name.clone(), value));
                name
            });
            let sliced = [vec![x.clone()], bounds.to_vec()].concat();
            inputs.push(add(format!("part_{start}"), "Slice", sliced, None));
        }
        let axis = AttributeProto {
            name: "axis".to_owned(),
            r#type: attribute_proto::AttributeType::Int as i32,
            i: axis,
            ..AttributeProto::default()
        };
        input = add("inputs".to_owned(), "Concat", inputs, Some(axis));
    }
    Some(Change { at, constants, nodes, inputs: [input, own("dequantised")] })
}

fn integers(name: String, dims: Vec<i64>, int32_data: Vec<i32>) -> TensorProto {
    TensorProto { name, data_type: DataType::Int8 as i32, dims, int32_data, ..TensorProto::default() }
}

fn long(name: String, value: i64) -> TensorProto {
    let data_type = DataType::Int64 as i32;
    TensorProto { name, data_type, dims: vec![1], int64_data: vec![value], ..TensorProto::default() }
}
