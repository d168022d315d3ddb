//! What no other rule knows: convolutions, products, tensors and constants that meet in float, value by value and pixel by pixel,
//! between quantised tensors.

mod folds;
mod lines;
mod parts;
mod values;

use crate::lower::arrange::{copied, real_copied, real_strides, repeated, strides, usual, whole};
use crate::lower::builder::Builder;
use crate::refusal::Refusal;
use crate::steps::{Activation, Meeting, Op, Order, Quantised, Real, Target, View};
use edgeclip_kernels::formula::{End, Formula};
use lines::{Lines, Value};
use parts::{Chain, Layout, Leaf, Parts, parts};

/// Nodes → Q, each value by value or pixel by pixel of the others and of what is given above.
pub(super) fn chain(builder: &mut Builder, name: &str, target: Target) -> Result<Quantised, Refusal> {
    let Target { scale, zero, low, high } = target;
    let (layout, view) = made(builder, name, End::Quantised { scale, zero, low, high })?;
    if let (false, Ok(order)) = (layout.folded, layout.order) {
        return Ok(whole(view.buffer, layout.shape, order, false));
    }
    let (shape, strides, order) = result(builder, name, &layout);
    let lying = Quantised { view, shape: vec![view.len()], order: Order::Last, unsigned: false };
    Ok(copied(builder, name, &lying, (shape, &strides, 0), order))
}

/// Nodes whose result stays in float.
pub(super) fn real(builder: &mut Builder, name: &str) -> Result<Real, Refusal> {
    let (layout, view) = made(builder, name, End::Real)?;
    if let (false, Ok(order)) = (layout.folded, layout.order) {
        return Ok(Real { view, shape: layout.shape, order });
    }
    let (shape, strides, order) = result(builder, name, &layout);
    Ok(real_copied(builder, name, view, (shape, &strides, 0), order))
}

/// The shape of the graph's tensor, how far apart its neighbours lie in the step's result, and its usual order.
fn result(builder: &Builder, name: &str, layout: &Layout) -> (Vec<usize>, Vec<usize>, Order) {
    let (mut strides, mut distance) = (vec![0; layout.shape.len()], 1);
    let (outer, pixel) = layout.axes.split_at(layout.axes.len() - layout.row);
    let written = if layout.folded { outer } else { &layout.axes };
    for &axis in written.iter().rev() {
        strides[axis] = distance;
        distance *= layout.shape[axis];
    }
    if !layout.folded {
        return (layout.shape.clone(), strides, layout.order.unwrap_or_else(|order| order));
    }
    let node = builder.onnx.producer(name).map(|index| &builder.onnx.graph.node[index]);
    let mut shape = layout.shape.clone();
    pixel.iter().for_each(|&axis| shape[axis] = 1);
    if let Some(gone) = node.filter(|node| folds::drops(node))
        && let Ok(gone) = folds::axes(builder, gone, &shape)
    {
        let kept: Vec<usize> = (0..shape.len()).filter(|axis| !gone.contains(axis)).collect();
        shape = kept.iter().map(|&axis| shape[axis]).collect();
        strides = kept.iter().map(|&axis| strides[axis]).collect();
    }
    let order = usual(&shape);
    (shape, strides, order)
}

/// The table that the nodes between one quantised tensor and `name` are.
///
/// # Errors
/// If anything else than functions of that one tensor is among them.
pub(super) fn table(builder: &mut Builder, name: &str) -> Result<(Activation, Box<[f32; 256]>), Refusal> {
    if let Some(other) = Chain::new(builder, name)?.other(builder) {
        let node = builder.onnx.producer(other).map(|index| &builder.onnx.graph.node[index]);
        let found = node.map_or_else(
            || "a float input of the graph".to_owned(),
            |node| format!("op {} in a chain that no rule knows", node.op_type),
        );
        return Err(Refusal::float(builder.onnx.title(other), found));
    }
    let mut parts = parts(builder, name)?;
    let mut lines = Lines::new(builder, &parts);
    let Value::Table(index, table) = lines.value(name)? else {
        return Err(Refusal::float(builder.onnx.title(name), "a function of two tensors"));
    };
    match parts.tensors.swap_remove(index).1 {
        Leaf::Quantised(x) if x.tensor.shape == parts.layout.shape => Ok((x, table)),
        _ => Err(Refusal::float(builder.onnx.title(name), "a function of a tensor that is repeated")),
    }
}

/// Whether other nodes than quantising ones read the convolution or product that ends in `name`.
pub(super) fn is_shared(builder: &Builder, name: &str) -> bool {
    builder.is_read_in_float(name) && Chain::new(builder, name).is_ok_and(|chain| chain.sums(builder))
}

/// Adds the step; how its result lies.
fn made(builder: &mut Builder, name: &str, end: End) -> Result<(Layout, View), Refusal> {
    let parts = parts(builder, name)?;
    let title = builder.onnx.title(name).to_owned();
    let channels = parts.layout.channels();
    let pixels = parts.layout.shape.iter().product::<usize>() / channels.max(1);
    let (height, width) = match (parts.layout.order, &parts.layout.shape[..]) {
        (Ok(Order::First), &[1, _, height, width]) | (Ok(Order::Last), &[1, height, width, _]) => {
            (height, width)
        }
        _ => (pixels, 1),
    };
    let folded = parts.layout.folded;
    let written = if folded { 1 } else { channels };
    let to = builder.buffer(written.saturating_mul(end.bytes()), height, width);
    builder.within_budget(&title)?;
    let mut from: Vec<View> = parts.sums.iter().flat_map(|(_, sums)| sums.from.clone()).collect();
    for (_, leaf) in &parts.tensors {
        from.push(placed(builder, &title, leaf, &parts.layout));
    }
    builder.within_budget(&title)?;
    let lines = Lines::new(builder, &parts).all(name)?;
    let Parts { sums, layout, .. } = parts;
    let formula = Formula { lines, channels, end, folded };
    let sums = sums.into_iter().map(|(_, sums)| sums.sum).collect();
    builder.push(&title, Op::Meeting(Box::new(Meeting { sums, formula })), from, to);
    Ok((layout, to))
}

/// A leaf as the formula meets it: of the result's shape, and lying like it.
fn placed(builder: &mut Builder, title: &str, leaf: &Leaf, layout: &Layout) -> View {
    let by_axes = |found: &[usize], own: &[usize]| {
        let behind = layout.shape.len() - own.len();
        let stride = |&axis: &usize| match axis.checked_sub(behind) {
            Some(axis) if own[axis] > 1 => found[axis],
            _ => 0,
        };
        layout.axes.iter().map(stride).collect::<Vec<_>>()
    };
    let sizes: Vec<usize> = layout.axes.iter().map(|&axis| layout.shape[axis]).collect();
    match (leaf, layout.order) {
        (Leaf::Quantised(x), Ok(order)) => repeated(builder, title, &x.tensor, &layout.shape, order).view,
        (Leaf::Quantised(x), Err(_)) => {
            let distances = by_axes(&strides(&x.tensor), &x.tensor.shape);
            copied(builder, title, &x.tensor, (sizes, &distances, 0), Order::Last).view
        }
        (Leaf::Real(real), Ok(order)) if (&real.shape, real.order) == (&layout.shape, order) => real.view,
        (Leaf::Real(real), _) => {
            let distances = by_axes(&real_strides(real), &real.shape);
            real_copied(builder, title, real.view, (sizes, &distances, 0), Order::Last).view
        }
    }
}
