//! The largest value and the mean, of windows or of the whole picture.

use tract_onnx::pb::NodeProto;

use super::function::moved;
use super::window::window;
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target};
use edgeclip_kernels::pad::Pad;
use edgeclip_kernels::patches::Window;
use edgeclip_kernels::pool::Mean;

/// The windows of a pooling node over `x`.
fn windows(node: &NodeProto, x: &Activation, ceil: bool) -> Result<Window, Refusal> {
    let kernel = list(node, "kernel_shape", &[]);
    match (&x.tensor.shape[..], &kernel[..]) {
        (&[_, _, height, width], &[rows, columns]) if rows > 0 && columns > 0 => {
            window(node, [height, width], [rows as usize, columns as usize], ceil)
        }
        _ => Err(Refusal::float(&node.name, "a pooling that is not of two axes")),
    }
}

/// Adds the step `op` from `x` to a picture of `size`.
pub(super) fn push(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Quantised,
    [height, width]: [usize; 2],
    op: Op,
) -> Quantised {
    let from = builder.dense(&node.name, x.view);
    let to = builder.buffer(from.channels, height, width);
    builder.push(&node.name, op, vec![from], to);
    Quantised::picture(to)
}

/// DQ → MaxPool → Q, and a table where the scale changes.
pub(super) fn max(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.activation(input(node, 0)?)?;
    if node.output.len() > 1 {
        return Err(Refusal::float(&node.name, "a MaxPool with indices"));
    }
    let window = windows(node, &x, integer(node, "ceil_mode", 0) != 0)?;
    let tensor = push(builder, node, &x.tensor, window.output, Op::Max(window));
    Ok(moved(builder, node, &Activation { tensor, ..x }, target))
}

/// DQ → AveragePool → Q; padding counts where `count_include_pad` says so.
pub(super) fn average(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.activation(input(node, 0)?)?;
    let window = windows(node, &x, integer(node, "ceil_mode", 0) != 0)?;
    let counts = integer(node, "count_include_pad", 0) != 0;
    if counts && windows(node, &x, false)? != window {
        return beyond(builder, node, &x, window, target);
    }
    mean(builder, node, &x, window, counts, target)
}

/// Where windows reach beyond padding that counts: the padding becomes part of the picture.
fn beyond(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    window: Window,
    target: Target,
) -> Result<Quantised, Refusal> {
    let pads = list(node, "pads", &[0; 4]);
    let pads: Vec<usize> = pads.iter().filter_map(|&pad| usize::try_from(pad).ok()).collect();
    let (&[top, left, bottom, right], [height, width]) = (&pads[..], window.input) else {
        return Err(Refusal::float(&node.name, "pads that are not of two axes"));
    };
    let (size, channels) = ([height + top + bottom, width + left + right], x.tensor.view.channels);
    let pad = Pad {
        input: [height, width, channels],
        output: [size[0], size[1], channels],
        before: [top, left, 0],
        apart: [1, 1],
        fill: x.zero as i8,
    };
    let to = builder.buffer(channels, size[0], size[1]);
    builder.within_budget(&node.name)?;
    builder.push(&node.name, Op::Pad(pad), vec![x.tensor.view], to);
    let padded = Activation { tensor: Quantised::picture(to), ..x.clone() };
    mean(builder, node, &padded, Window { input: size, pad: [0, 0], ..window }, false, target)
}

/// Whether a `ReduceMean` is one over the rows and columns of a picture.
pub(super) fn is_global(builder: &Builder, node: &NodeProto) -> bool {
    let axes = match input(node, 1) {
        Ok(name) => builder.numbers(name).unwrap_or_default(),
        Err(_) => list(node, "axes", &[]),
    };
    let mut axes: Vec<i64> = axes.iter().map(|&axis| if axis < 0 { axis + 4 } else { axis }).collect();
    axes.sort_unstable();
    let x = node.input.first().and_then(|name| builder.any_activation(name).ok());
    axes == [2, 3] && x.is_some_and(|x| x.tensor.shape.len() == 4 && x.tensor.order == Order::First)
}

/// DQ → GlobalAveragePool or ReduceMean over rows and columns → Q.
pub(super) fn global(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.activation(input(node, 0)?)?;
    let refuse = |found: String| Refusal::float(&node.name, found);
    let &[_, channels, height, width] = &x.tensor.shape[..] else {
        return Err(refuse(format!("a mean of shape {:?}", x.tensor.shape)));
    };
    let keeps = node.op_type != "ReduceMean" || integer(node, "keepdims", 1) != 0;
    let size = [height, width];
    let window =
        Window { input: size, output: [1, 1], kernel: size, stride: [1, 1], pad: [0, 0], dilation: [1; 2] };
    let tensor = mean(builder, node, &x, window, false, target)?;
    Ok(if keeps { tensor } else { Quantised { shape: vec![1, channels], ..tensor } })
}

fn mean(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    window: Window,
    padding_counts: bool,
    target: Target,
) -> Result<Quantised, Refusal> {
    let mean = Mean { zeros: [x.zero, target.zero], multiplier: x.scale / target.scale, padding_counts };
    if !mean.multiplier.is_finite() {
        return Err(Refusal::float(&node.name, "a multiplier that is not finite"));
    }
    let tensor = push(builder, node, &x.tensor, window.output, Op::Mean(window, mean));
    Ok(builder.within(node, tensor, target))
}
