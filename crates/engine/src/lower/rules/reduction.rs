//! Mean, sum, largest and smallest value along any axes.

use tract_onnx::pb::NodeProto;

use super::function::moved;
use crate::lower::arrange::{copied, strides, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target, View};
use edgeclip_kernels::patches::Window;
use edgeclip_kernels::pool::Mean;
use edgeclip_kernels::table::Table;

/// Most values that go into one.
const MOST: usize = 1 << 20;

/// DQ → a reduction → Q: the axes that go become rows of a picture.
pub(super) fn reduce(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let rank = x.tensor.shape.len();
    let (axes, keeps) = axes(builder, node, rank)?;
    let found = strides(&x.tensor);
    let (gone, kept): (Vec<usize>, Vec<usize>) = (0..rank).partition(|axis| axes.contains(axis));
    let order: Vec<usize> = gone.iter().chain(&kept).copied().collect();
    let sizes: Vec<usize> = order.iter().map(|&axis| x.tensor.shape[axis]).collect();
    let distances: Vec<usize> = order.iter().map(|&axis| found[axis]).collect();
    let rows: usize = sizes[..gone.len()].iter().product();
    let shape: Vec<usize> = (0..rank)
        .filter(|axis| keeps || !axes.contains(axis))
        .map(|axis| if axes.contains(&axis) { 1 } else { x.tensor.shape[axis] })
        .collect();
    if rows > MOST || shape.is_empty() {
        return Err(Refusal::float(&node.name, "a reduction to one number or of very many"));
    }
    let lying = copied(builder, &node.name, &x.tensor, (sizes, &distances, 0), Order::Last);
    let channels = lying.view.len() / rows;
    let from = View::whole(lying.view.buffer, channels, rows, 1);
    let size = [rows, 1];
    let window =
        Window { input: size, output: [1, 1], kernel: size, stride: [1, 1], pad: [0, 0], dilation: [1; 2] };
    let to = builder.buffer(channels, 1, 1);
    if matches!(node.op_type.as_str(), "ReduceMean" | "ReduceSum") {
        let count = if node.op_type == "ReduceSum" { rows as f32 } else { 1.0 };
        let multiplier = x.scale * count / target.scale;
        let mean = Mean { zeros: [x.zero, target.zero], multiplier, padding_counts: false };
        if !mean.multiplier.is_finite() {
            return Err(Refusal::float(&node.name, "a multiplier that is not finite"));
        }
        builder.push(&node.name, Op::Mean(window, mean), vec![from], to);
        let tensor = whole(to.buffer, shape, Order::Last, x.tensor.unsigned);
        return Ok(builder.within(node, tensor, target));
    }
    if node.op_type == "ReduceMin" {
        // The largest of the numbers in reverse.
        let reversed = builder.buffer(from.channels, from.height, from.width);
        builder.push(&node.name, Op::Table(Table::new(|q| !q)), vec![from], reversed);
        builder.push(&node.name, Op::Max(window), vec![reversed], to);
        let back = builder.buffer(channels, 1, 1);
        builder.push(&node.name, Op::Table(Table::new(|q| !q)), vec![to], back);
        let tensor = whole(back.buffer, shape, Order::Last, x.tensor.unsigned);
        return Ok(moved(builder, node, &Activation { tensor, ..x }, target));
    }
    builder.push(&node.name, Op::Max(window), vec![from], to);
    let tensor = whole(to.buffer, shape, Order::Last, x.tensor.unsigned);
    Ok(moved(builder, node, &Activation { tensor, ..x }, target))
}

/// The axes that go, and whether they stay as one.
fn axes(builder: &Builder, node: &NodeProto, rank: usize) -> Result<(Vec<usize>, bool), Refusal> {
    if node.op_type == "GlobalMaxPool" {
        return Ok(((2..rank).collect(), true));
    }
    let found = match input(node, 1) {
        Ok(name) => builder.numbers(name)?,
        Err(_) => list(node, "axes", &[]),
    };
    let place = |&axis: &i64| usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).ok();
    let axes: Option<Vec<usize>> = found.iter().map(|axis| place(axis).filter(|&axis| axis < rank)).collect();
    let axes = axes.ok_or_else(|| Refusal::broken(&node.name, format!("the axes {found:?} of {rank}")))?;
    if axes.is_empty() && integer(node, "noop_with_empty_axes", 0) != 0 {
        return Err(Refusal::float(&node.name, "a reduction of no axis"));
    }
    let axes = if axes.is_empty() { (0..rank).collect() } else { axes };
    Ok((axes, integer(node, "keepdims", 1) != 0))
}
