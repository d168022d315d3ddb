//! Weights, biases and multipliers of convolutions and matrix products.

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::constant;
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer};
use crate::refusal::Refusal;
use crate::steps::{Activation, Target};
use edgeclip_kernels::requantise::Requantise;

/// Largest integer bias that comes of a float one.
const BIAS: f32 = (1 << 30) as f32;

/// Quantised weights of a node: symmetric, one scale an output.
pub(super) struct Weights {
    /// As stored.
    pub(super) dims: Vec<usize>,
    /// As stored.
    pub(super) values: Vec<i8>,
    pub(super) scales: Vec<f32>,
}

/// Input 1 of a node, whose axis `outputs` counts the outputs.
pub(super) fn weights(builder: &Builder, node: &NodeProto, outputs: usize) -> Result<Weights, Refusal> {
    let refuse = |what: &str| Refusal::float(&node.name, what);
    let made = builder.onnx.made_by(input(node, 1)?, "DequantizeLinear");
    let dq = made.ok_or_else(|| refuse("weights that are not quantised"))?;
    let stored = builder.onnx.integers(input(dq, 0)?).map_err(|_| refuse("weights that are computed"))?;
    let kind = builder.onnx.constant(input(dq, 0)?).map(|tensor| tensor.data_type);
    let shift = if kind == Some(DataType::Uint8 as i32) { 128 } else { 0 };
    let zeros = match input(dq, 2) {
        Ok(zero) => builder.onnx.integers(zero)?.values,
        Err(_) => vec![0],
    };
    if zeros.iter().any(|&zero| zero != shift) {
        return Err(refuse("weights that go beyond int8 less their zero point"));
    }
    let values: Option<Vec<i8>> = stored.values.iter().map(|&w| i8::try_from(w - shift).ok()).collect();
    let values = values.ok_or_else(|| refuse("weights beyond int8"))?;
    let mut scales = builder.onnx.floats(input(dq, 1)?)?.values;
    let (axis, rank) = (integer(dq, "axis", 1), stored.dims.len() as i64);
    let along = scales.len() == 1 || (if axis < 0 { axis + rank } else { axis }) == outputs as i64;
    let outputs = stored.dims.get(outputs).copied().unwrap_or(0);
    if scales.len() == 1 {
        scales = vec![scales[0]; outputs];
    }
    if scales.len() != outputs || values.is_empty() || !along {
        return Err(refuse("weights without one scale an output"));
    }
    Ok(Weights { dims: stored.dims, values, scales })
}

/// The bias `name` of a node in units of its products, `scale · scales[output]`. A bias in these units is
/// taken as it is stored, any other rounded to them, ties to even.
pub(super) fn bias(
    builder: &Builder,
    node: &NodeProto,
    name: Option<&str>,
    scale: f32,
    scales: &[f32],
) -> Result<Vec<i32>, Refusal> {
    let Some(name) = name else { return Ok(vec![0; scales.len()]) };
    let stored = builder.onnx.made_by(name, "DequantizeLinear").and_then(|dq| dq.input.first());
    let dims = builder.onnx.constant(stored.map_or(name, String::as_str)).map(|tensor| &tensor.dims[..]);
    if dims.is_some_and(|dims| dims.iter().rev().skip(1).any(|&dim| dim != 1)) {
        return Err(Refusal::float(&node.name, "a bias of more than one row"));
    }
    if let Some(stored) = in_units(builder, name, scale, scales) {
        return Ok(stored);
    }
    let refuse = |what: &str| Refusal::float(&node.name, what);
    let values = constant::real(builder, name).map_err(|_| refuse("a bias that is computed"))?.values;
    if values.len() != scales.len() && values.len() != 1 {
        return Err(refuse("a bias of another length than the outputs"));
    }
    let rounded = scales.iter().enumerate().map(|(output, weight)| {
        let value = values[if values.len() == 1 { 0 } else { output }];
        let value = (value / (scale * weight)).round_ties_even();
        (value.abs() <= BIAS).then_some(value as i32)
    });
    rounded.collect::<Option<_>>().ok_or_else(|| refuse("a bias beyond int32"))
}

/// The int32 constant behind the bias `name`, if its scales are those of the products.
fn in_units(builder: &Builder, name: &str, scale: f32, scales: &[f32]) -> Option<Vec<i32>> {
    let dq = builder.onnx.made_by(name, "DequantizeLinear")?;
    let stored = dq.input.first()?;
    let own = builder.onnx.floats(dq.input.get(1)?).ok()?.values;
    let fits = |(output, &weight): (usize, &f32)| {
        let own = own[if own.len() == 1 { 0 } else { output }];
        (own - scale * weight).abs() <= 1e-5 * (scale * weight)
    };
    let is_int32 = builder.onnx.constant(stored)?.data_type == DataType::Int32 as i32;
    let values = builder.onnx.integers(stored).ok()?.values;
    let lengths = values.len() == scales.len() && (own.len() == 1 || own.len() == scales.len());
    (is_int32 && lengths && scales.iter().enumerate().all(fits))
        .then(|| values.iter().map(|&value| value as i32).collect())
}

/// Multipliers and biases of `weights`, `[outputs, …]`, where the input is `x`.
pub(super) fn requantise(
    node: &NodeProto,
    x: &Activation,
    scales: &[f32],
    bias: &[i32],
    weights: &[i8],
    target: Target,
) -> Result<Requantise, Refusal> {
    let multiplier: Vec<f32> = scales.iter().map(|&scale| x.scale * scale / target.scale).collect();
    if !multiplier.iter().all(|m| m.is_finite()) {
        return Err(Refusal::float(&node.name, "a multiplier that is not finite"));
    }
    let rows = weights.chunks_exact((weights.len() / scales.len()).max(1));
    let bias = bias.iter().zip(rows).map(|(&bias, row)| {
        let sum: i32 = row.iter().map(|&w| i32::from(w)).fold(0, i32::wrapping_add);
        bias.wrapping_sub(x.zero.wrapping_mul(sum))
    });
    let Target { zero, low, high, .. } = target;
    Ok(Requantise { bias: bias.collect(), multiplier, zero, low, high, table: None })
}
