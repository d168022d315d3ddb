//! Ops that only move values: `Concat`, `Transpose`, and those that only change the shape.

use tract_onnx::pb::NodeProto;

use super::function::{moved, rescaled};
use crate::lower::arrange::{copied, in_order, memory, strides, usual, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target, View};
use edgeclip_kernels::table::Table;

/// DQ… → Concat → Q along any axis: each input through the table that brings it to the result's scale.
pub(super) fn concat(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Concat of tensors of other shapes");
    let mut inputs: Vec<Activation> = Vec::new();
    for name in &node.input {
        builder.stored(name)?;
        inputs.push(builder.any_activation(name)?);
    }
    let first = inputs.first().ok_or_else(refuse)?.tensor.clone();
    let rank = first.shape.len();
    let axis = integer(node, "axis", 0);
    let axis = usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).map_err(|_| refuse())?;
    let same = |x: &Activation| {
        let rest =
            |shape: &[usize]| shape.iter().enumerate().all(|(at, &n)| at == axis || n == first.shape[at]);
        x.tensor.shape.len() == rank && rest(&x.tensor.shape)
    };
    if axis >= rank || !inputs.iter().all(same) {
        return Err(refuse());
    }
    let tables = inputs.iter().map(|x| rescaled(x, target)).collect();
    joined(builder, node, inputs.into_iter().map(|x| x.tensor).collect(), tables, axis)
}

/// Tensors one behind the other along an axis, each through its table.
pub(super) fn joined(
    builder: &mut Builder,
    node: &NodeProto,
    mut inputs: Vec<Quantised>,
    tables: Vec<Table>,
    axis: usize,
) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Concat of tensors of other shapes");
    let first = inputs.first().ok_or_else(refuse)?.clone();
    let rank = first.shape.len();
    let mut shape = first.shape.clone();
    shape[axis] = inputs.iter().map(|x| x.shape[axis]).sum();
    // Only tensors of one batch have their channels on axis 1.
    let alike = inputs.iter().all(|x| x.order == first.order) && (axis > 0 || first.order == Order::Last);
    let order = if alike { first.order } else { usual(&shape) };
    let axes = memory(order, rank);
    if !alike || axes.last() != Some(&axis) {
        for x in &mut inputs {
            *x = in_order(builder, &node.name, x, order);
        }
    }
    // What lies behind the axis in memory is copied in one piece.
    let at = axes.iter().position(|&found| found == axis).ok_or_else(refuse)?;
    let outer: usize = axes[..at].iter().map(|&axis| shape[axis]).product();
    let pieces = inputs.iter().map(|x| {
        let channels = x.view.len() / outer.max(1);
        if channels == x.view.channels {
            return x.view;
        }
        View::whole(x.view.buffer, channels, outer, 1)
    });
    let from: Vec<View> = pieces.collect();
    let (height, width) = match from[0] {
        view if view.pixels() == outer => (view.height, view.width),
        _ => (outer, 1),
    };
    let to = builder.buffer(from.iter().map(|view| view.channels).sum(), height, width);
    builder.push(&node.name, Op::Concat(tables), from, to);
    Ok(whole(to.buffer, shape, order, first.unsigned))
}

/// DQ → Transpose → Q. Where it moves the channels from axis 1 to the last or back there is nothing to do: in memory they lie last
/// in any case.
pub(super) fn transpose(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let rank = x.tensor.shape.len();
    let reversed: Vec<i64> = (0..rank as i64).rev().collect();
    let found = list(node, "perm", &reversed);
    let axes: Vec<usize> = found.iter().filter_map(|&axis| usize::try_from(axis).ok()).collect();
    if axes.len() != rank || (0..rank).any(|axis| !axes.contains(&axis)) {
        return Err(Refusal::broken(&node.name, format!("a Transpose by {found:?} of {:?}", x.tensor.shape)));
    }
    let tensor = moved(builder, node, &x, target);
    let distances = strides(&tensor);
    let shape: Vec<usize> = axes.iter().map(|&axis| tensor.shape[axis]).collect();
    let permuted: Vec<usize> = axes.iter().map(|&axis| distances[axis]).collect();
    // The channels of a view stay where they are.
    let channels = memory(tensor.order, rank).last().copied().unwrap_or(0);
    let other = if tensor.order == Order::First { Order::Last } else { Order::First };
    for order in [other, tensor.order] {
        let by_memory: Vec<usize> = memory(order, rank).iter().map(|&axis| axes[axis]).collect();
        let kept: Vec<usize> = by_memory.iter().copied().filter(|&axis| tensor.shape[axis] > 1).collect();
        let before = memory(tensor.order, rank).into_iter().filter(|&axis| tensor.shape[axis] > 1);
        if by_memory.last() == Some(&channels) && before.eq(kept) && shape.first() == Some(&1) {
            return Ok(tensor.reshaped(shape, order));
        }
    }
    let order = usual(&shape);
    Ok(copied(builder, &node.name, &tensor, (shape, &permuted, 0), order))
}

/// DQ → Flatten, Reshape, Squeeze or Unsqueeze → Q: nothing to do where the channels stay on their axis, or where the values lie
/// in memory as they do in the graph.
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
    let tensor = moved(builder, node, &x, target);
    if let Some(order) = order {
        return Ok(tensor.reshaped(shape, order));
    }
    let flat = in_order(builder, &node.name, &tensor, Order::Last);
    let order = if shape.len() == 2 && shape[0] == 1 { Order::First } else { Order::Last };
    Ok(whole(flat.view.buffer, shape, order, flat.unsigned))
}

/// The shape that the node makes of `shape`.
pub(super) fn target_shape(
    builder: &Builder,
    node: &NodeProto,
    shape: &[usize],
) -> Result<Vec<usize>, Refusal> {
    let refuse = || Refusal::float(&node.name, format!("{} of shape {shape:?}", node.op_type));
    let rank = shape.len() as i64;
    let axes = || match input(node, 1) {
        Ok(name) => builder.numbers(name),
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
            let wanted = builder.numbers(input(node, 1)?)?;
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
