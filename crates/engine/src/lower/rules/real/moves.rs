//! Float tensors that are moved.

use tract_onnx::pb::NodeProto;

use super::{in_order, made};
use crate::lower::arrange::{broadcast, real_copied, real_strides, usual, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list, word};
use crate::lower::rules::views::{Sliced, part_of, sliced};
use crate::lower::rules::{constant, moves};
use crate::refusal::Refusal;
use crate::steps::{Op, Order, Real, View};
use edgeclip_kernels::pad::Pad;
use edgeclip_kernels::table::Table;

/// Only the shape changes.
pub(super) fn reshape(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    let x = builder.real(input(node, 0)?)?;
    let shape = moves::target_shape(builder, node, &x.shape)?;
    if shape.is_empty() {
        return Err(Refusal::float(&node.name, "a result without axes"));
    }
    let flat = in_order(builder, &node.name, &x, Order::Last);
    let view = whole(flat.view.buffer, shape.clone(), Order::Last, false).view;
    let channels = view.channels * size_of::<f32>();
    Ok(Real { view: View { channels, stride: channels, ..view }, shape, order: Order::Last })
}

pub(super) fn transpose(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    let x = builder.real(input(node, 0)?)?;
    let rank = x.shape.len();
    let reversed: Vec<i64> = (0..rank as i64).rev().collect();
    let found = list(node, "perm", &reversed);
    let axes: Vec<usize> = found.iter().filter_map(|&axis| usize::try_from(axis).ok()).collect();
    if axes.len() != rank || (0..rank).any(|axis| !axes.contains(&axis)) {
        return Err(Refusal::broken(&node.name, format!("a Transpose by {found:?} of {:?}", x.shape)));
    }
    let distances = real_strides(&x);
    let by_axes = |values: &[usize]| axes.iter().map(|&axis| values[axis]).collect::<Vec<_>>();
    let shape = by_axes(&x.shape);
    let order = usual(&shape);
    Ok(real_copied(builder, &node.name, x.view, (shape, &by_axes(&distances), 0), order))
}

pub(super) fn slice(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    let x = builder.real(input(node, 0)?)?;
    let Sliced::Ranges(ranges) = sliced(builder, node, &x.shape)? else {
        return Err(Refusal::float(&node.name, "a Slice from the end on, in float"));
    };
    let found = real_strides(&x);
    let start = ranges.iter().zip(&found).map(|(range, stride)| range.start * stride).sum();
    let distances: Vec<usize> =
        ranges.iter().zip(&found).map(|(range, stride)| range.step * stride).collect();
    let shape = ranges.iter().map(|range| range.size).collect();
    Ok(real_copied(builder, &node.name, x.view, (shape, &distances, start), x.order))
}

/// Of the output `name`.
pub(super) fn split(builder: &mut Builder, node: &NodeProto, name: &str) -> Result<Real, Refusal> {
    let x = builder.real(input(node, 0)?)?;
    let (axis, start, size) = part_of(builder, node, name, &x.shape)?;
    let (mut shape, distances) = (x.shape.clone(), real_strides(&x));
    shape[axis] = size;
    let start = start * distances[axis];
    Ok(real_copied(builder, &node.name, x.view, (shape, &distances, start), x.order))
}

pub(super) fn concat(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Concat of tensors of other shapes");
    let mut inputs = Vec::new();
    for name in &node.input {
        let x = builder.real(name)?;
        inputs.push(in_order(builder, &node.name, &x, Order::Last));
    }
    let mut shape = inputs.first().ok_or_else(refuse)?.shape.clone();
    let axis = integer(node, "axis", 0);
    let axis =
        usize::try_from(if axis < 0 { axis + shape.len() as i64 } else { axis }).map_err(|_| refuse())?;
    let fits = |x: &Real| {
        x.shape.len() == shape.len()
            && x.shape.iter().zip(&shape).enumerate().all(|(at, (a, b))| at == axis || a == b)
    };
    if axis >= shape.len() || !inputs.iter().all(fits) {
        return Err(refuse());
    }
    shape[axis] = inputs.iter().map(|x| x.shape[axis]).sum();
    // What lies behind the axis is copied in one piece.
    let outer: usize = shape[..axis].iter().product();
    let from: Vec<View> =
        inputs.iter().map(|x| View::whole(x.view.buffer, x.view.len() / outer.max(1), outer, 1)).collect();
    let made = made(builder, shape, Order::Last);
    builder.within_budget(&node.name)?;
    let to = View::whole(made.view.buffer, from.iter().map(|view| view.channels).sum(), outer, 1);
    builder.push(&node.name, Op::Concat(vec![Table::new(|q| q); from.len()]), from, to);
    Ok(made)
}

pub(super) fn expand(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    let x = builder.real(input(node, 0)?)?;
    let found = builder.numbers(input(node, 1)?)?;
    let wanted: Option<Vec<usize>> = found.iter().map(|&size| usize::try_from(size).ok()).collect();
    let shape = wanted.and_then(|wanted| broadcast([&x.shape[..], &wanted[..]]));
    let shape = shape.filter(|shape| !shape.contains(&0));
    let shape = shape.ok_or_else(|| Refusal::broken(&node.name, format!("the shape {found:?}")))?;
    let behind = shape.len() - x.shape.len();
    let mut distances = vec![0; shape.len()];
    for (to, (&size, stride)) in distances[behind..].iter_mut().zip(x.shape.iter().zip(real_strides(&x))) {
        *to = if size == 1 { 0 } else { stride };
    }
    let order = usual(&shape);
    let made = real_copied(builder, &node.name, x.view, (shape, &distances, 0), order);
    builder.within_budget(&node.name)?;
    Ok(made)
}

/// Rows and columns of zeros around a picture, or none around anything.
pub(super) fn pad(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Pad in float other than by zeros around a picture");
    let x = builder.real(input(node, 0)?)?;
    let pads = builder.numbers(input(node, 1)?)?;
    if pads.iter().all(|&pad| pad == 0) {
        return Ok(x);
    }
    let value = match input(node, 2) {
        Ok(name) => constant::real(builder, name)?.values,
        Err(_) => vec![0.0],
    };
    let (&[0, 0, top, left, 0, 0, bottom, right], true, true, &[1, channels, height, width]) = (
        &pads[..],
        value == [0.0] && word(node, "mode", "constant", "constant"),
        input(node, 3).is_err(),
        &x.shape[..],
    ) else {
        return Err(refuse());
    };
    let side = |pad: i64| usize::try_from(pad).ok().filter(|&pad| pad < 1 << 16).ok_or_else(refuse);
    let [top, left, bottom, right] = [side(top)?, side(left)?, side(bottom)?, side(right)?];
    let x = in_order(builder, &node.name, &x, Order::First);
    let (rows, columns, bytes) = (height + top + bottom, width + left + right, x.view.channels);
    let made = made(builder, vec![1, channels, rows, columns], Order::First);
    builder.within_budget(&node.name)?;
    // Four bytes of 0 are a zero.
    let pad = Pad {
        input: [height, width, bytes],
        output: [rows, columns, bytes],
        before: [top, left, 0],
        apart: [1, 1],
        fill: 0,
    };
    builder.push(&node.name, Op::Pad(pad), vec![x.view], made.view);
    Ok(made)
}
