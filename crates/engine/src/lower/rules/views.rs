//! Neighbouring channels of a tensor: no step where the scale stays.

use tract_onnx::pb::NodeProto;

use super::function::moved;
use super::places::taken;
use crate::lower::arrange::{copied, strides};
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

/// DQ → Slice → Q: along the channels no step, along other axes or with gaps a copy.
pub(super) fn slice(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let ranges = match sliced(builder, node, &x.tensor.shape)? {
        Sliced::Ranges(ranges) => ranges,
        Sliced::Reversed(axis, places) => return taken(builder, node, &x, target, axis, &places),
    };
    let channels = channels_axis(&x.tensor) as usize;
    let others = ranges.iter().enumerate().filter(|(axis, _)| *axis != channels);
    let whole = others.zip(&x.tensor.shape).all(|((axis, range), _)| range.size == x.tensor.shape[axis]);
    if whole && ranges[channels].step == 1 {
        let Range { start, size, .. } = ranges[channels];
        return part(builder, node, &x, target, (start, start + size));
    }
    Ok(cut(builder, node, &x, target, &ranges))
}

/// What a `Slice` takes.
pub(super) enum Sliced {
    /// Of each axis.
    Ranges(Vec<Range>),
    /// Places of one axis.
    Reversed(usize, Vec<usize>),
}

/// What the node takes of a tensor of this shape.
pub(super) fn sliced(builder: &Builder, node: &NodeProto, shape: &[usize]) -> Result<Sliced, Refusal> {
    let rank = shape.len() as i64;
    // Attributes in old files.
    let values = |index: usize, name: &str| match node.input.get(index).map(String::as_str) {
        None | Some("") => Ok(list(node, name, &[])),
        Some(name) => builder.numbers(name),
    };
    let (starts, ends) = (values(1, "starts")?, values(2, "ends")?);
    let (mut axes, mut steps) = (values(3, "axes")?, values(4, "steps")?);
    if axes.is_empty() {
        axes = (0..starts.len() as i64).collect();
    }
    if steps.is_empty() {
        steps = vec![1; starts.len()];
    }
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(Refusal::broken(&node.name, "starts, ends, axes and steps of different number"));
    }
    let mut ranges: Vec<Range> = shape.iter().map(|&size| Range { start: 0, size, step: 1 }).collect();
    let mut reversed = None;
    for (((&start, &end), &axis), &step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let axis = if axis < 0 { axis + rank } else { axis };
        let place = usize::try_from(axis).ok().filter(|&axis| axis < ranges.len());
        let place = place.ok_or_else(|| Refusal::broken(&node.name, format!("an axis {axis} of {rank}")))?;
        let size = ranges[place].size as i64;
        let end_of = |at: i64, low: i64, high: i64| {
            (if at < 0 { at.saturating_add(size) } else { at }).clamp(low, high)
        };
        if step < 0 {
            let (start, end) = (end_of(start, 0, size - 1), end_of(end, -1, size - 1));
            let places = (0..).map(|at: i64| start.saturating_add(at.saturating_mul(step)));
            let places: Vec<usize> = places.take_while(|&at| at > end).map(|at| at as usize).collect();
            if places.is_empty() || reversed.replace((place, places)).is_some() {
                return Err(Refusal::float(
                    &node.name,
                    "a Slice from the end on along several axes, or of nothing",
                ));
            }
            continue;
        }
        let step = usize::try_from(step).ok().filter(|&step| step > 0);
        let step = step.ok_or_else(|| Refusal::broken(&node.name, "a step of 0"))?;
        let (start, end) = (end_of(start, 0, size) as usize, end_of(end, 0, size) as usize);
        if start >= end {
            return Err(Refusal::broken(&node.name, format!("values {start} to {end} of {size}")));
        }
        ranges[place] = Range { start, size: (end - start).div_ceil(step), step };
    }
    if let Some((axis, places)) = reversed {
        if starts.len() > 1 {
            return Err(Refusal::float(&node.name, "a Slice from the end on along several axes"));
        }
        return Ok(Sliced::Reversed(axis, places));
    }
    Ok(Sliced::Ranges(ranges))
}

/// Values along an axis.
pub(super) struct Range {
    pub(super) start: usize,
    /// How many.
    pub(super) size: usize,
    pub(super) step: usize,
}

/// A copy of the ranges of `x` along all its axes.
fn cut(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    target: Target,
    ranges: &[Range],
) -> Quantised {
    let tensor = moved(builder, node, x, target);
    let found = strides(&tensor);
    let start = ranges.iter().zip(&found).map(|(range, stride)| range.start * stride).sum();
    let distances: Vec<usize> =
        ranges.iter().zip(&found).map(|(range, stride)| range.step * stride).collect();
    let shape = ranges.iter().map(|range| range.size).collect();
    copied(builder, &node.name, &tensor, (shape, &distances, start), tensor.order)
}

/// DQ → Split → Q of the output `name`.
pub(super) fn split(
    builder: &mut Builder,
    node: &NodeProto,
    name: &str,
    target: Target,
) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let (axis, start, size) = part_of(builder, node, name, &x.tensor.shape)?;
    if axis as i64 == channels_axis(&x.tensor) {
        return part(builder, node, &x, target, (start, start + size));
    }
    let mut ranges: Vec<Range> =
        x.tensor.shape.iter().map(|&size| Range { start: 0, size, step: 1 }).collect();
    ranges[axis] = Range { start, size, step: 1 };
    Ok(cut(builder, node, &x, target, &ranges))
}

/// The axis that a `Split` of a tensor of this shape divides, and where its output `name` begins and how long it is.
pub(super) fn part_of(
    builder: &Builder,
    node: &NodeProto,
    name: &str,
    shape: &[usize],
) -> Result<(usize, usize, usize), Refusal> {
    let rank = shape.len() as i64;
    let axis = integer(node, "axis", 0);
    let axis = if axis < 0 { axis + rank } else { axis };
    let refuse = || Refusal::broken(&node.name, format!("an axis {axis} of {rank} or parts that do not fit"));
    let axis = usize::try_from(axis).ok().filter(|&axis| (axis as i64) < rank).ok_or_else(refuse)?;
    let values = shape[axis];
    let sizes = match input(node, 1) {
        Ok(sizes) => builder.numbers(sizes)?,
        Err(_) => list(node, "split", &[]),
    };
    let mut sizes: Vec<usize> = sizes.iter().map(|&size| size.max(0) as usize).collect();
    if sizes.is_empty() {
        // Equal parts, the last one smaller.
        let size = values.div_ceil(node.output.len());
        sizes = (0..node.output.len()).map(|at| size.min(values.saturating_sub(at * size))).collect();
    }
    let index = node.output.iter().position(|output| output == name).ok_or_else(refuse)?;
    let start = sizes.iter().take(index).fold(0usize, |sum, &size| sum.saturating_add(size));
    let size = *sizes.get(index).ok_or_else(refuse)?;
    if size == 0 || start.saturating_add(size) > values {
        return Err(refuse());
    }
    Ok((axis, start, size))
}
