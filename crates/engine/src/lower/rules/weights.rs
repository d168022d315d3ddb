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

/// Quantised weights of a node, less their zero points, with one scale an output.
pub(super) struct Weights<T> {
    /// As stored.
    pub(super) dims: Vec<usize>,
    /// In the order in which they are stored.
    pub(super) values: Vec<T>,
    pub(super) scales: Vec<f32>,
}

/// Input 1 of a node, whose axis `outputs` counts the outputs, within int8.
pub(super) fn weights(builder: &Builder, node: &NodeProto, outputs: usize) -> Result<Weights<i8>, Refusal> {
    let Weights { dims, values, scales } = wide_weights(builder, node, outputs)?;
    let values: Option<Vec<i8>> = values.iter().map(|&w| i8::try_from(w).ok()).collect();
    let beyond = || Refusal::float(&node.name, "weights that go beyond int8 less their zero point");
    Ok(Weights { dims, values: values.ok_or_else(beyond)?, scales })
}

/// The same from −255 to 255.
pub(super) fn wide_weights(
    builder: &Builder,
    node: &NodeProto,
    outputs: usize,
) -> Result<Weights<i16>, Refusal> {
    let refuse = |what: &str| Refusal::float(&node.name, what);
    let made = builder.onnx.made_by(input(node, 1)?, "DequantizeLinear");
    let dq = made.ok_or_else(|| refuse("weights that are not quantised"))?;
    let stored = builder.onnx.integers(input(dq, 0)?).map_err(|_| refuse("weights that are computed"))?;
    let kind =
        builder.onnx.constant(input(dq, 0)?).and_then(|tensor| DataType::try_from(tensor.data_type).ok());
    if !matches!(kind, Some(DataType::Int8 | DataType::Uint8)) {
        return Err(refuse("weights of neither int8 nor uint8"));
    }
    let mut scales = builder.onnx.floats(input(dq, 1)?)?.values;
    let zeros = match input(dq, 2) {
        Ok(zero) => builder.onnx.integers(zero)?.values,
        Err(_) => vec![0],
    };
    let (axis, rank) = (integer(dq, "axis", 1), stored.dims.len() as i64);
    let along = scales.len() == 1 || (if axis < 0 { axis + rank } else { axis }) == outputs as i64;
    let run: usize = stored.dims.iter().skip(outputs + 1).product();
    let outputs = stored.dims.get(outputs).copied().unwrap_or(0);
    if scales.len() == 1 {
        scales = vec![scales[0]; outputs];
    }
    let fits = zeros.len() == 1 || zeros.len() == outputs;
    if scales.len() != outputs || stored.values.is_empty() || !along || !fits {
        return Err(refuse("weights without one scale an output"));
    }
    let less = |(at, &w): (usize, &i64)| {
        let zero = zeros[if zeros.len() == 1 { 0 } else { at / run.max(1) % outputs }];
        i16::try_from(w - zero).ok().filter(|w| (-255..=255).contains(w))
    };
    let values = stored.values.iter().enumerate().map(less).collect::<Option<_>>();
    let values = values.ok_or_else(|| refuse("weights beyond nine bits"))?;
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
