//! Neighbouring channels of a tensor: no step where the scale stays.

use tract_onnx::pb::NodeProto;

use super::function::moved;
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list};
use crate::refusal::Refusal;
use crate::steps::{Activation, Order, Quantised, Target};

/// The axis of the channels.
fn channels_axis(x: &Quantised) -> i64 {
    if x.order == Order::First { 1 } else { x.shape.len() as i64 - 1 }
}

/// `x` in the scale of `target`, less all but the channels from `start` to `end`.
fn part(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    target: Target,
    (start, end): (usize, usize),
) -> Result<Quantised, Refusal> {
    if start >= end || end > x.tensor.view.channels {
        return Err(Refusal::broken(
            &node.name,
            format!("channels {start} to {end} of {}", x.tensor.view.channels),
        ));
    }
    let mut tensor = moved(builder, node, x, target);
    tensor.view.offset += start;
    tensor.view.channels = end - start;
    let axis = channels_axis(&tensor) as usize;
    tensor.shape[axis] = end - start;
    Ok(tensor)
}

/// DQ → Slice → Q.
pub(super) fn slice(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Slice other than of neighbouring channels");
    let x = builder.any_activation(input(node, 0)?)?;
    let one = |index: usize, default: Option<i64>| match node.input.get(index).map(String::as_str) {
        None | Some("") => default.ok_or_else(refuse),
        Some(name) => match builder.onnx.integers(name)?.values[..] {
            [value] => Ok(value),
            _ => Err(refuse()),
        },
    };
    let (rank, channels) = (x.tensor.shape.len() as i64, x.tensor.view.channels as i64);
    let axis = one(3, Some(0))?;
    if (if axis < 0 { axis + rank } else { axis }) != channels_axis(&x.tensor) || one(4, Some(1))? != 1 {
        return Err(refuse());
    }
    let place = |at: i64| (if at < 0 { at + channels } else { at }).clamp(0, channels) as usize;
    let range = (place(one(1, None)?), place(one(2, None)?));
    part(builder, node, &x, target, range)
}

/// DQ → Split → Q of the output `name`.
pub(super) fn split(
    builder: &mut Builder,
    node: &NodeProto,
    name: &str,
    target: Target,
) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Split other than of the channels");
    let x = builder.any_activation(input(node, 0)?)?;
    let (rank, channels) = (x.tensor.shape.len() as i64, x.tensor.view.channels);
    let axis = integer(node, "axis", 0);
    if (if axis < 0 { axis + rank } else { axis }) != channels_axis(&x.tensor) {
        return Err(refuse());
    }
    let sizes = match input(node, 1) {
        Ok(sizes) => builder.onnx.integers(sizes)?.values,
        Err(_) => list(node, "split", &[]),
    };
    let mut sizes: Vec<usize> = sizes.iter().map(|&size| size.max(0) as usize).collect();
    if sizes.is_empty() {
        // Equal parts, the last one smaller.
        let size = channels.div_ceil(node.output.len());
        sizes = (0..node.output.len()).map(|at| size.min(channels.saturating_sub(at * size))).collect();
    }
    let index = node.output.iter().position(|output| output == name).ok_or_else(refuse)?;
    let start = sizes.iter().take(index).sum::<usize>();
    let size = *sizes.get(index).ok_or_else(refuse)?;
    part(builder, node, &x, target, (start, start + size))
}
