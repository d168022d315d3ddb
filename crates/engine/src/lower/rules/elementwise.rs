//! `Add`, `Sub` and `Mul` of two tensors.

use tract_onnx::pb::NodeProto;

use super::{constant, convolution, function, matrix};
use crate::lower::arrange::{broadcast, repeated, usual};
use crate::lower::builder::Builder;
use crate::lower::onnx::input;
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target};
use edgeclip_kernels::add::Add;
use edgeclip_kernels::multiply::Multiply;

/// Whether an `Add`, `Sub` or `Mul` joins two tensors; if not, it is a link of a function of one.
pub(super) fn joins(builder: &Builder, node: &NodeProto) -> bool {
    let [a, b] = &node.input[..] else { return false };
    let made = |name: &str, op: &str| builder.onnx.made_by(name, op).is_some();
    let summed = |name: &str| made(name, "Conv") || made(name, "MatMul");
    let tensor = |name: &str| builder.any_activation(name).is_ok();
    match node.op_type.as_str() {
        "Add" => a != b && ((tensor(a) && tensor(b)) || summed(a) || summed(b)),
        "Mul" | "Sub" => a != b && tensor(a) && tensor(b),
        _ => false,
    }
}

/// DQ, DQ → Add or Sub → Q of two tensors of one shape; a convolution and a tensor; a product and its bias; else a
/// function of one tensor.
pub(super) fn add(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    if !joins(builder, node) {
        return function::chain(builder, &node.output[0], target);
    }
    let names = [input(node, 0)?, input(node, 1)?];
    let sign = if node.op_type == "Sub" { -1.0 } else { 1.0 };
    for (one, other) in [(names[0], names[1]), (names[1], names[0])] {
        if let Some(conv) = builder.onnx.made_by(one, "Conv")
            && let Ok(other) = builder.activation(other)
        {
            return convolution::residual(builder, conv, &other, target);
        }
        if let Some(product) = builder.onnx.made_by(one, "MatMul")
            && constant::is_constant(builder, other)
        {
            return matrix::product(builder, product, Some(other), target);
        }
    }
    let (mut a, mut b) = (builder.any_activation(names[0])?, builder.any_activation(names[1])?);
    alike(builder, node, [&mut a, &mut b])?;
    let Target { zero, low, high, .. } = target;
    let multipliers = [a.scale / target.scale, sign * b.scale / target.scale];
    let add = Add { zeros: [a.zero, b.zero], multipliers, zero, low, high };
    finite(node, &multipliers)?;
    let from = vec![builder.dense(&node.name, a.tensor.view), builder.dense(&node.name, b.tensor.view)];
    let to = builder.buffer(from[0].channels, from[0].height, from[0].width);
    builder.push(&node.name, Op::Add(add), from, to);
    Ok(a.tensor.at(to))
}

/// DQ, DQ → Mul → Q of two tensors of one shape, or of one by one value a channel; else a function of one
/// tensor.
pub(super) fn multiply(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Quantised, Refusal> {
    if !joins(builder, node) {
        return function::chain(builder, &node.output[0], target);
    }
    let (mut a, mut b) = (builder.any_activation(input(node, 0)?)?, builder.any_activation(input(node, 1)?)?);
    let is_gate = |x: &Activation| x.tensor.shape == [1, x.tensor.view.channels, 1, 1];
    if is_gate(&a) && !is_gate(&b) {
        std::mem::swap(&mut a, &mut b);
    }
    let gated = is_gate(&b)
        && a.tensor.shape.len() == 4
        && (a.tensor.order, b.tensor.order) == (Order::First, Order::First)
        && a.tensor.view.channels == b.tensor.view.channels;
    if !gated {
        alike(builder, node, [&mut a, &mut b])?;
    }
    let Target { zero, low, high, .. } = target;
    let multiplier = a.scale * b.scale / target.scale;
    finite(node, &[multiplier])?;
    let from = vec![builder.dense(&node.name, a.tensor.view), builder.dense(&node.name, b.tensor.view)];
    let to = builder.buffer(from[0].channels, from[0].height, from[0].width);
    let multiply = Multiply { zeros: [a.zero, b.zero], multiplier, zero, low, high };
    builder.push(&node.name, Op::Multiply(multiply), from, to);
    Ok(a.tensor.at(to))
}

/// Gives tensors the shape that they have together, each repeated along the axes where it is one value long, and one order.
fn alike(builder: &mut Builder, node: &NodeProto, tensors: [&mut Activation; 2]) -> Result<(), Refusal> {
    let [a, b] = &tensors;
    let shapes = [&a.tensor.shape[..], &b.tensor.shape[..]];
    let shape = broadcast(shapes).ok_or_else(|| {
        Refusal::float(&node.name, format!("tensors of shapes {:?} and {:?}", shapes[0], shapes[1]))
    })?;
    let whole = [a, b].into_iter().find(|x| x.tensor.shape == shape).map(|x| x.tensor.order);
    let both = a.tensor.shape == b.tensor.shape && a.tensor.order != b.tensor.order;
    let order = whole.filter(|_| !both).unwrap_or_else(|| usual(&shape));
    for x in tensors {
        x.tensor = repeated(builder, &node.name, &x.tensor, &shape, order);
    }
    builder.within_budget(&node.name)
}

fn finite(node: &NodeProto, multipliers: &[f32]) -> Result<(), Refusal> {
    let finite = multipliers.iter().all(|m| m.is_finite());
    if finite { Ok(()) } else { Err(Refusal::float(&node.name, "a multiplier that is not finite")) }
}
