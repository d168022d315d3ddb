//! Ops that only move values: `Concat`, `Transpose`, and those that only change the shape.

use tract_onnx::pb::NodeProto;

use super::function::{moved, rescaled};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target, View};

/// DQ… → Concat → Q along the channels: each input through the table that brings it to the result's scale.
pub(super) fn concat(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Concat that is not along the channels");
    let inputs: Vec<Activation> =
        node.input.iter().map(|name| builder.any_activation(name)).collect::<Result<_, _>>()?;
    let first = inputs.first().ok_or_else(refuse)?.tensor.clone();
    let rank = first.shape.len();
    let axis = integer(node, "axis", 0);
    let axis = usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).map_err(|_| refuse())?;
    let channels_axis = if first.order == Order::First { 1 } else { rank - 1 };
    let same = |x: &Activation| {
        let rest =
            |shape: &[usize]| shape.iter().enumerate().all(|(at, &n)| at == axis || n == first.shape[at]);
        x.tensor.order == first.order && x.tensor.shape.len() == rank && rest(&x.tensor.shape)
    };
    if axis != channels_axis || !inputs.iter().all(same) {
        return Err(refuse());
    }
    let tables = inputs.iter().map(|x| rescaled(x, target)).collect();
    let from: Vec<View> = inputs.iter().map(|x| x.tensor.view).collect();
    let channels = from.iter().map(|view| view.channels).sum();
    let to = builder.buffer(channels, from[0].height, from[0].width);
    builder.push(&node.name, Op::Concat(tables), from, to);
    let mut tensor = first.at(to);
    tensor.shape[axis] = channels;
    Ok(tensor)
}

/// DQ → Transpose → Q that moves the channels from axis 1 to the last or back: in memory they lie last in any
/// case.
pub(super) fn transpose(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let rank = x.tensor.shape.len() as i64;
    let reversed: Vec<i64> = (0..rank).rev().collect();
    let found = list(node, "perm", &reversed);
    let (order, expected): (Order, Vec<i64>) = match x.tensor.order {
        Order::First => (Order::Last, [0].into_iter().chain(2..rank).chain([1]).collect()),
        Order::Last => (Order::First, [0, rank - 1].into_iter().chain(1..rank - 1).collect()),
    };
    if rank < 3 || found != expected || x.tensor.shape[0] != 1 {
        return Err(Refusal::float(&node.name, format!("a Transpose by {found:?} of {:?}", x.tensor.shape)));
    }
    let shape = found.iter().map(|&axis| x.tensor.shape[axis as usize]).collect();
    Ok(moved(builder, node, &x, target).reshaped(shape, order))
}

/// DQ → Flatten, Reshape, Squeeze or Unsqueeze → Q that leaves the channels on their axis, or makes a vector
/// of all values.
pub(super) fn reshape(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let shape = target_shape(builder, node, &x.tensor.shape)?;
    let view = x.tensor.view;
    let first = shape.first() == Some(&1) && shape.get(1) == Some(&view.channels);
    let order = match x.tensor.order {
        _ if first && view.pixels() == 1 => Some(Order::First),
        Order::First if first && shape.len() > 2 => Some(Order::First),
        Order::Last if shape.last() == Some(&view.channels) => Some(Order::Last),
        _ => None,
    };
    if order.is_none() && shape != [1, view.len()] {
        return Err(Refusal::float(&node.name, format!("from shape {:?} to {shape:?}", x.tensor.shape)));
    }
    let tensor = moved(builder, node, &x, target);
    if let Some(order) = order {
        return Ok(tensor.reshaped(shape, order));
    }
    let from = builder.in_graph_order(&node.name, &tensor);
    let to = builder.buffer(view.len(), 1, 1);
    builder.push(&node.name, Op::Planes, vec![from], to);
    Ok(Quantised::vector(to))
}

/// The shape that the node makes of `shape`.
fn target_shape(builder: &Builder, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, Refusal> {
    let refuse = || Refusal::float(&node.name, format!("{} of shape {shape:?}", node.op_type));
    let rank = shape.len() as i64;
    let axes = || match input(node, 1) {
        Ok(name) => builder.onnx.integers(name).map(|axes| axes.values),
        Err(_) => Ok(list(node, "axes", &[])),
    };
    match node.op_type.as_str() {
        "Flatten" => {
            let axis = integer(node, "axis", 1);
            let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).map_err(|_| refuse())?;
            let (before, after) = shape.split_at_checked(axis).ok_or_else(refuse)?;
            Ok(vec![before.iter().product(), after.iter().product()])
        }
        "Squeeze" => {
            let axes: Vec<i64> =
                axes()?.iter().map(|&axis| if axis < 0 { axis + rank } else { axis }).collect();
            let single = |axis: &i64| usize::try_from(*axis).is_ok_and(|axis| shape.get(axis) == Some(&1));
            if !axes.iter().all(single) {
                return Err(Refusal::broken(&node.name, format!("the axes {axes:?} of {shape:?}")));
            }
            let kept = |(at, size): &(usize, &usize)| {
                if axes.is_empty() { **size != 1 } else { !axes.contains(&(*at as i64)) }
            };
            Ok(shape.iter().enumerate().filter(kept).map(|(_, &size)| size).collect())
        }
        "Unsqueeze" => {
            let axes = axes()?;
            let all = rank + axes.len() as i64;
            let axes: Vec<i64> = axes.iter().map(|&axis| if axis < 0 { axis + all } else { axis }).collect();
            let mut sizes = shape.iter();
            let made = (0..all).map(|at| if axes.contains(&at) { Some(1) } else { sizes.next().copied() });
            let made = made.collect::<Option<_>>();
            made.ok_or_else(|| Refusal::broken(&node.name, format!("the axes {axes:?} for {shape:?}")))
        }
        _ => {
            let wanted = builder.onnx.integers(input(node, 1)?)?.values;
            let total: usize = shape.iter().product();
            let size = |(at, &n): (usize, &i64)| match n {
                0 if integer(node, "allowzero", 0) == 0 => shape.get(at).copied(),
                -1 => Some(1),
                n => usize::try_from(n).ok(),
            };
            let mut sizes: Vec<usize> =
                wanted.iter().enumerate().map(size).collect::<Option<_>>().ok_or_else(refuse)?;
            if let Some(free) = wanted.iter().position(|&n| n == -1) {
                let others = count(&sizes);
                sizes[free] = total.checked_div(others).ok_or_else(refuse)?;
            }
            if count(&sizes) == total {
                Ok(sizes)
            } else {
                Err(Refusal::broken(&node.name, format!("from shape {shape:?} to {wanted:?}")))
            }
        }
    }
}

/// Number of values of a shape, or the largest number there is.
fn count(shape: &[usize]) -> usize {
    shape.iter().fold(1, |count, &size| count.saturating_mul(size))
}
