//! The rules: which chains of nodes become which steps. All match backwards from the float tensor that is quantised.

mod convolution;
mod elementwise;
mod moves;
mod pooling;

use tract_onnx::pb::NodeProto;

use super::Refusal;
use super::builder::{Builder, Quantised, Target};

/// Lowers what makes the float tensor `name`, to be quantised to `target`. `None` where the node is a link of a longer chain.
pub(super) fn lower(builder: &mut Builder, name: &str, target: Target) -> Result<Option<Quantised>, Refusal> {
    let Some(index) = builder.onnx.producer(name) else {
        return Err(Refusal::new(name, "a float input of the graph"));
    };
    let node = &builder.onnx.graph.node[index];
    match node.op_type.as_str() {
        "Conv" => convolution::conv(builder, node, target).map(Some),
        "Gemm" => convolution::gemm(builder, node, target).map(Some),
        "Relu" | "Clip" if fuses(builder, node) => {
            let target = clipped(builder, node, target)?;
            lower(builder, input(node, 0)?, target)
        }
        "DequantizeLinear" => elementwise::function(builder, node, name, target, |x| x).map(Some),
        "LeakyRelu" | "Relu" | "Clip" | "Sigmoid" => elementwise::activation(builder, node, target).map(Some),
        "Add" => elementwise::add(builder, node, target).map(Some),
        "Concat" => moves::concat(builder, node, target).map(Some),
        "Slice" => moves::slice(builder, node, target).map(Some),
        "Flatten" => moves::flatten(builder, node, target).map(Some),
        "Reshape" => moves::shuffle(builder, node, target),
        "Transpose" if moves::within_shuffle(builder, node) => Ok(None),
        "MaxPool" => pooling::max(builder, node, target).map(Some),
        "AveragePool" => pooling::average(builder, node, target).map(Some),
        "GlobalAveragePool" => pooling::global(builder, node, target).map(Some),
        "Resize" => pooling::resize(builder, node, target).map(Some),
        other => Err(Refusal::new(&node.name, format!("op {other}"))),
    }
}

/// Input `index` of a node.
pub(super) fn input(node: &NodeProto, index: usize) -> Result<&str, Refusal> {
    let missing = || Refusal::new(&node.name, format!("no input {index}"));
    node.input.get(index).map(String::as_str).ok_or_else(missing)
}

/// Whether a clipping follows directly on an op that can clip: clipping a value and clipping its quantised form are the same, as
/// quantising keeps the order.
fn fuses(builder: &Builder, node: &NodeProto) -> bool {
    let maker = node.input.first().and_then(|name| builder.onnx.producer(name).map(|index| (name, index)));
    maker.is_some_and(|(name, index)| {
        ["Conv", "Gemm", "Add"].contains(&builder.onnx.graph.node[index].op_type.as_str())
            && builder.readers(name) == 1
    })
}

/// The bounds that a `Relu` or `Clip` leaves.
fn clipped(builder: &Builder, node: &NodeProto, target: Target) -> Result<Target, Refusal> {
    let (low, high) = bounds(builder, node)?;
    let quantised = |value: f32| {
        let q = (value / target.scale).round_ties_even() + target.zero as f32;
        q.clamp(target.low as f32, target.high as f32) as i32
    };
    Ok(Target { low: quantised(low), high: quantised(high), ..target })
}

/// Least and largest value of a `Relu` or `Clip`.
fn bounds(builder: &Builder, node: &NodeProto) -> Result<(f32, f32), Refusal> {
    if node.op_type == "Relu" {
        return Ok((0.0, f32::INFINITY));
    }
    let bound = |index: usize, default: f32| match node.input.get(index).map(String::as_str) {
        None | Some("") => Ok(default),
        Some(name) => match builder.onnx.floats(name)?.values[..] {
            [value] if !value.is_nan() => Ok(value),
            _ => Err(Refusal::new(&node.name, "a bound that is not one number")),
        },
    };
    let (low, high) = (bound(1, f32::NEG_INFINITY)?, bound(2, f32::INFINITY)?);
    if low > high { Err(Refusal::new(&node.name, "bounds out of order")) } else { Ok((low, high)) }
}
