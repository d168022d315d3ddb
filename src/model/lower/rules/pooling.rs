//! Pooling and upsampling.

use tract_onnx::pb::NodeProto;

use super::super::Refusal;
use super::super::builder::{Activation, Builder, Quantised, Target};
use super::super::draft::Op;
use super::super::onnx::{integer, list, word};
use super::convolution::window;
use super::elementwise::table;
use super::input;
use crate::kernels::patches::Window;
use crate::kernels::pool::Mean;
use crate::kernels::upsample::Upsample;

/// The windows of a pooling node over `x`.
fn pooling(node: &NodeProto, x: &Activation) -> Result<Window, Refusal> {
    let refuse = || Refusal::new(&node.name, "a pooling with dilation, automatic padding or ceil_mode");
    let plain = word(node, "auto_pad", "NOTSET", "NOTSET")
        && integer(node, "ceil_mode", 0) == 0
        && list(node, "dilations", &[1, 1]) == [1, 1];
    let kernel = list(node, "kernel_shape", &[]);
    match (&x.tensor.shape[..], &kernel[..]) {
        (&[_, _, height, width], &[rows, columns]) if plain && rows > 0 && columns > 0 => {
            window(node, [height, width], [rows as usize, columns as usize])
        }
        _ => Err(refuse()),
    }
}

/// Adds the step `op` from `x` to a picture of `size`.
fn push(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    [height, width]: [usize; 2],
    op: Op,
) -> Quantised {
    let from = builder.dense(&node.name, x.tensor.view);
    let to = builder.buffer(from.channels, height, width);
    builder.push(&node.name, op, vec![from], to);
    Quantised { view: to, shape: vec![1, from.channels, height, width] }
}

/// DQ → MaxPool → Q, and a table where the scale changes.
pub(super) fn max(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.activation(input(node, 0)?)?;
    let window = pooling(node, &x)?;
    let table = table(&x, target, |value| value);
    let largest = push(builder, node, &x, window.output, Op::Max(window));
    if table.is_identity() {
        return Ok(largest);
    }
    let largest = Activation { tensor: largest, ..x };
    Ok(push(builder, node, &largest, window.output, Op::Table(table)))
}

/// DQ → AveragePool → Q without padding.
pub(super) fn average(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.activation(input(node, 0)?)?;
    let window = pooling(node, &x)?;
    if list(node, "pads", &[0; 4]) != [0; 4] {
        return Err(Refusal::new(&node.name, "a mean with padding"));
    }
    mean(builder, node, &x, window, target)
}

/// DQ → GlobalAveragePool → Q.
pub(super) fn global(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.activation(input(node, 0)?)?;
    let size = [x.tensor.view.height, x.tensor.view.width];
    let window = Window { input: size, output: [1, 1], kernel: size, stride: [1, 1], pad: [0, 0] };
    mean(builder, node, &x, window, target)
}

fn mean(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    window: Window,
    target: Target,
) -> Result<Quantised, Refusal> {
    let count = (window.kernel[0] * window.kernel[1]) as f32;
    let mean = Mean { zeros: [x.zero, target.zero], multiplier: x.scale / target.scale / count };
    if !mean.multiplier.is_finite() || (target.low, target.high) != (-128, 127) {
        return Err(Refusal::new(&node.name, "a clipped mean or a multiplier that is not finite"));
    }
    Ok(push(builder, node, x, window.output, Op::Mean(window, mean)))
}

/// DQ → Resize to twice the size → Q, linear, half-pixel centres.
pub(super) fn resize(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::new(&node.name, "a Resize other than linear, half_pixel, to twice the size");
    let scales = builder.onnx.floats(input(node, 2)?).map_err(|_| refuse())?;
    let linear = word(node, "mode", "nearest", "linear")
        && word(node, "coordinate_transformation_mode", "half_pixel", "half_pixel")
        && integer(node, "antialias", 0) == 0
        && node.input.get(3).is_none_or(String::is_empty);
    if scales.values != [1.0, 1.0, 2.0, 2.0] || !linear {
        return Err(refuse());
    }
    let x = builder.activation(input(node, 0)?)?;
    let view = x.tensor.view;
    let upsample = Upsample {
        size: [view.height, view.width],
        channels: view.channels,
        zeros: [x.zero, target.zero],
        multiplier: x.scale / target.scale / 16.0,
    };
    if !upsample.multiplier.is_finite() || (target.low, target.high) != (-128, 127) {
        return Err(refuse());
    }
    Ok(push(builder, node, &x, [2 * view.height, 2 * view.width], Op::Upsample(upsample)))
}
