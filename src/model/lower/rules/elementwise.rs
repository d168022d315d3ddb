//! Functions of one value, and `Add`.

use tract_onnx::pb::NodeProto;

use super::super::Refusal;
use super::super::builder::{Activation, Builder, Quantised, Target};
use super::super::draft::Op;
use super::super::onnx::float;
use super::{bounds, input};
use crate::kernels::add::Add;
use crate::kernels::table::Table;

/// DQ → function → Q as a table of all 256 inputs.
pub(super) fn activation(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Quantised, Refusal> {
    let name = input(node, 0)?;
    match node.op_type.as_str() {
        "LeakyRelu" => {
            let alpha = float(node, "alpha", 0.01);
            function(builder, node, name, target, |x| if x < 0.0 { alpha * x } else { x })
        }
        "Sigmoid" => function(builder, node, name, target, |x| 1.0 / (1.0 + (-x).exp())),
        _ => {
            let (low, high) = bounds(builder, node)?;
            function(builder, node, name, target, |x| x.max(low).min(high))
        }
    }
}

/// The table of `value`, applied to the dequantised `name`.
pub(super) fn function(
    builder: &mut Builder,
    node: &NodeProto,
    name: &str,
    target: Target,
    value: impl Fn(f32) -> f32,
) -> Result<Quantised, Refusal> {
    let x = builder.activation(name)?;
    let table = table(&x, target, value);
    if table.is_identity() {
        return Ok(x.tensor);
    }
    let view = x.tensor.view;
    let to = builder.buffer(view.channels, view.height, view.width);
    builder.push(&node.name, Op::Table(table), vec![view], to);
    Ok(Quantised { view: to, shape: x.tensor.shape })
}

/// `q → quantise(value(dequantise(q)))`.
pub(super) fn table(x: &Activation, target: Target, value: impl Fn(f32) -> f32) -> Table {
    Table::new(|q| {
        let y = value((i32::from(q) - x.zero) as f32 * x.scale);
        let y = (y / target.scale).round_ties_even() + target.zero as f32;
        y.clamp(target.low as f32, target.high as f32) as i8
    })
}

/// DQ, DQ → Add → Q of two tensors of one shape.
pub(super) fn add(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let (a, b) = (builder.activation(input(node, 0)?)?, builder.activation(input(node, 1)?)?);
    if a.tensor.shape != b.tensor.shape {
        let found = format!("an Add of shapes {:?} and {:?}", a.tensor.shape, b.tensor.shape);
        return Err(Refusal::new(&node.name, found));
    }
    let Target { zero, low, high, .. } = target;
    let multipliers = [a.scale / target.scale, b.scale / target.scale];
    let add = Add { zeros: [a.zero, b.zero], multipliers, zero, low, high };
    if !multipliers.iter().all(|m| m.is_finite()) {
        return Err(Refusal::new(&node.name, "a multiplier that is not finite"));
    }
    let from = vec![builder.dense(&node.name, a.tensor.view), builder.dense(&node.name, b.tensor.view)];
    let to = builder.buffer(from[0].channels, from[0].height, from[0].width);
    builder.push(&node.name, Op::Add(add), from, to);
    Ok(Quantised { view: to, shape: a.tensor.shape })
}
