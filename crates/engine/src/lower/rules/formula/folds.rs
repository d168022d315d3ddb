//! Ops that join the numbers along some axes, or normalise by them.

use tract_onnx::pb::NodeProto;

use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list};
use crate::refusal::Refusal;

/// First version of ONNX whose softmax is over one axis; before, it was over all from that axis on.
const ONE_AXIS: i64 = 13;

/// Ops whose results have the shapes of their inputs.
const NORMALISING: [&str; 5] =
    ["InstanceNormalization", "LayerNormalization", "LogSoftmax", "LpNormalization", "Softmax"];
const REDUCING: [&str; 9] = [
    "GlobalAveragePool",
    "GlobalMaxPool",
    "ReduceL1",
    "ReduceL2",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
    "ReduceSumSquare",
];

/// Whether it is one of them.
pub(super) fn knows(op: &str) -> bool {
    NORMALISING.contains(&op) || REDUCING.contains(&op)
}

/// Whether the result has the shape of the input.
pub(super) fn keeps(node: &NodeProto) -> bool {
    NORMALISING.contains(&node.op_type.as_str())
}

/// Whether the axes that are joined go.
pub(super) fn drops(node: &NodeProto) -> bool {
    node.op_type.starts_with("Reduce") && integer(node, "keepdims", 1) == 0
}

/// The axes of an input of this shape that are joined.
pub(super) fn axes(builder: &Builder, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, Refusal> {
    let rank = shape.len();
    let broken = |axis: i64| Refusal::broken(&node.name, format!("an axis {axis} of {rank}"));
    let place = |axis: i64| {
        let from_start = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(from_start).ok().filter(|&at| at < rank).ok_or_else(|| broken(axis))
    };
    let opset = builder.model.opset_import.iter().find(|set| set.domain.is_empty());
    let one = opset.is_none_or(|set| set.version >= ONE_AXIS);
    match node.op_type.as_str() {
        "Softmax" | "LogSoftmax" if one => Ok(vec![place(integer(node, "axis", -1))?]),
        "Softmax" | "LogSoftmax" => Ok((place(integer(node, "axis", 1))?..rank).collect()),
        "LayerNormalization" => Ok((place(integer(node, "axis", -1))?..rank).collect()),
        "LpNormalization" => Ok(vec![place(integer(node, "axis", -1))?]),
        "InstanceNormalization" | "GlobalAveragePool" | "GlobalMaxPool" => Ok((2..rank).collect()),
        _ => {
            let found = match input(node, 1) {
                Ok(name) => builder.numbers(name)?,
                Err(_) => list(node, "axes", &[]),
            };
            if found.is_empty() && integer(node, "noop_with_empty_axes", 0) != 0 {
                return Err(Refusal::float(&node.name, "a reduction of no axis"));
            }
            let found = if found.is_empty() { (0..rank as i64).collect() } else { found };
            found.into_iter().map(place).collect()
        }
    }
}
