//! Constants of each channel: products, sums, batch normalisation and PRelu between one quantised tensor and the next.

use tract_onnx::pb::NodeProto;

use super::normalisation::{Normalisation, constants};
use super::{constant, functions};
use crate::lower::builder::Builder;
use crate::lower::onnx::{float, input};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target};
use edgeclip_kernels::affine::Affine;

/// `value · multiplier + offset`, times the slope where it is below zero, clipped.
struct Line {
    x: Activation,
    multiplier: Vec<f64>,
    offset: Vec<f64>,
    /// Of a PRelu or LeakyRelu, after which only clipping may follow.
    slope: Option<Vec<f32>>,
    bounds: Option<(f32, f32)>,
}

/// DQ → … → Q, each node with a constant of every channel or of all.
pub(super) fn chain(builder: &mut Builder, name: &str, target: Target) -> Result<Quantised, Refusal> {
    let line = line(builder, name)?;
    let Line { x, multiplier, offset, slope, bounds } = line;
    let Target { scale, zero, low, high } = target;
    let scaled = |values: Vec<f64>, unit: f64| -> Vec<f32> {
        values.iter().map(|value| (value * unit / f64::from(scale)) as f32).collect()
    };
    let channels = multiplier.len();
    let (multiplier, offset) = (scaled(multiplier, f64::from(x.scale)), scaled(offset, 1.0));
    let slope = slope.unwrap_or_else(|| vec![1.0; channels]);
    if multiplier.iter().chain(&offset).chain(&slope).any(|value| !value.is_finite()) {
        return Err(Refusal::float(name, "a constant that is not finite"));
    }
    let (low, high) = match bounds {
        Some((least, most)) => (i32::from(target.quantise(least)), i32::from(target.quantise(most))),
        None => (low, high),
    };
    let affine = Affine { zeros: [x.zero, zero], multiplier, offset, slope, low, high };
    let to = builder.buffer(channels, x.tensor.view.height, x.tensor.view.width);
    builder.push(builder.onnx.title(name).to_owned().as_str(), Op::Affine(affine), vec![x.tensor.view], to);
    Ok(x.tensor.at(to))
}

/// What the float tensor `name` is of the quantised tensor before it.
fn line(builder: &mut Builder, name: &str) -> Result<Line, Refusal> {
    let Some(index) = builder.onnx.producer(name) else {
        return Err(Refusal::float(name, "a float input of the graph"));
    };
    let node = &builder.onnx.graph.node[index];
    let refuse = |what: &str| Refusal::float(&node.name, what);
    if node.op_type == "DequantizeLinear" {
        let x = builder.any_activation(name)?;
        let channels = x.tensor.view.channels;
        let (multiplier, offset) = (vec![1.0; channels], vec![0.0; channels]);
        return Ok(Line { x, multiplier, offset, slope: None, bounds: None });
    }
    let names = [input(node, 0)?, input(node, 1).unwrap_or_default()];
    let flipped =
        matches!(node.op_type.as_str(), "Add" | "Mul" | "Sub") && constant::is_constant(builder, names[0]);
    let mut line = line(builder, names[usize::from(flipped)])?;
    let second = names[usize::from(!flipped)];
    let is_function = !matches!(node.op_type.as_str(), "Relu" | "Clip");
    if line.bounds.is_some() || (line.slope.is_some() && is_function) {
        return Err(refuse("a function behind another that is no line"));
    }
    let Line { x, multiplier, offset, .. } = &mut line;
    let values = |name: &str| per_channel(builder, node, name, x);
    match node.op_type.as_str() {
        "Mul" => apply(values(second)?, multiplier, offset, |value, m, b| (m * value, b * value)),
        "Div" => apply(values(second)?, multiplier, offset, |value, m, b| (m / value, b / value)),
        "Add" => apply(values(second)?, multiplier, offset, |value, m, b| (m, b + value)),
        "Sub" if flipped => apply(values(second)?, multiplier, offset, |value, m, b| (-m, value - b)),
        "Sub" => apply(values(second)?, multiplier, offset, |value, m, b| (m, b - value)),
        "BatchNormalization" => {
            if x.tensor.order != Order::First {
                return Err(refuse("a normalisation of another axis than the first"));
            }
            let Normalisation { mean, factor, shift } = constants(builder, node, multiplier.len())?;
            for (channel, factor) in factor.into_iter().enumerate() {
                multiplier[channel] *= factor;
                offset[channel] = (offset[channel] - mean[channel]) * factor + shift[channel];
            }
        }
        "PRelu" => {
            let slope = values(second)?;
            line.slope = Some(slope.into_iter().map(|value| value as f32).collect());
        }
        "LeakyRelu" => line.slope = Some(vec![float(node, "alpha", 0.01); multiplier.len()]),
        "Relu" | "Clip" => line.bounds = Some(functions::bounds(builder, node)?),
        other => return Err(refuse(&format!("op {other} in a chain that no rule knows"))),
    }
    Ok(line)
}

/// Replaces each channel's multiplier and offset by what `step` makes of the constant and them.
fn apply(
    values: Vec<f64>,
    multiplier: &mut [f64],
    offset: &mut [f64],
    step: impl Fn(f64, f64, f64) -> (f64, f64),
) {
    for ((value, m), b) in values.into_iter().zip(multiplier).zip(offset) {
        (*m, *b) = step(value, *m, *b);
    }
}

/// The constant `name` as one number a channel of `x`: it is one number, or as many along the channels' axis.
fn per_channel(builder: &Builder, node: &NodeProto, name: &str, x: &Activation) -> Result<Vec<f64>, Refusal> {
    let channels = x.tensor.view.channels;
    let refuse = || Refusal::float(&node.name, "an operand that is no constant of every channel");
    if !constant::is_constant(builder, name) {
        return Err(refuse());
    }
    let constant = constant::real(builder, name)?;
    if constant.values.len() == 1 {
        return Ok(vec![f64::from(constant.values[0]); channels]);
    }
    let rank = x.tensor.shape.len();
    let axis = if x.tensor.order == Order::First { 1 } else { rank - 1 };
    let behind = rank - 1 - axis;
    // Axes are matched from the last on.
    let fits = constant.dims.len() <= rank
        && constant
            .dims
            .iter()
            .rev()
            .enumerate()
            .all(|(at, &size)| size == if at == behind { channels } else { 1 });
    if !fits || constant.values.len() != channels {
        return Err(refuse());
    }
    Ok(constant.values.into_iter().map(f64::from).collect())
}
