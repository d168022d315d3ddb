//! `Conv`, alone or with a tensor added to its result.

use tract_onnx::pb::NodeProto;

use super::weights::{bias, requantise, weights};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list, word};
use crate::refusal::Refusal;
use crate::steps::{Activation, Convolution, Kind, Op, Quantised, Target, View};
use edgeclip_kernels::conv_residual::Residual;
use edgeclip_kernels::patches::Window;

/// DQ → Conv → Q: 1×1 with steps of one is pointwise, one channel a group depthwise, all others go over
/// patches.
pub(super) fn conv(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let (conv, from) = convolution(builder, node, target)?;
    let [height, width] = conv.window.output;
    let to = builder.buffer(conv.requantise.bias.len(), height, width);
    builder.push(&node.name, Op::Convolution(Box::new(conv)), vec![from], to);
    Ok(Quantised::picture(to))
}

/// DQ → Conv → Add(DQ) → Q, where the convolution's result is not quantised: both terms are added in float.
pub(super) fn residual(
    builder: &mut Builder,
    node: &NodeProto,
    other: &Activation,
    target: Target,
) -> Result<Quantised, Refusal> {
    let (conv, from) = convolution(builder, node, target)?;
    let [height, width] = conv.window.output;
    let outputs = conv.requantise.bias.len();
    if conv.kind == Kind::Depthwise {
        return Err(Refusal::float(
            &node.name,
            "a depthwise convolution and a sum without a quantised step between",
        ));
    }
    if other.tensor.shape != [1, outputs, height, width] {
        let found = format!("a sum of shapes {:?} and {:?}", [1, outputs, height, width], other.tensor.shape);
        return Err(Refusal::float(&node.name, found));
    }
    let residual = Residual { zero: other.zero, multiplier: other.scale / target.scale };
    if !residual.multiplier.is_finite() {
        return Err(Refusal::float(&node.name, "a multiplier that is not finite"));
    }
    let added = builder.dense(&node.name, other.tensor.view);
    let to = builder.buffer(outputs, height, width);
    builder.push(&node.name, Op::Residual(Box::new(conv), residual), vec![from, added], to);
    Ok(Quantised::picture(to))
}

/// The convolution of `node` and what it reads.
fn convolution(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<(Convolution, View), Refusal> {
    let refuse = |what: String| Refusal::float(&node.name, what);
    let x = builder.activation(input(node, 0)?)?;
    let weights = weights(builder, node, 0)?;
    let (&[_, channels, height, width], &[outputs, inputs, rows, columns]) =
        (&x.tensor.shape[..], &weights.dims[..])
    else {
        return Err(refuse(format!("a convolution of shapes {:?} and {:?}", x.tensor.shape, weights.dims)));
    };
    let group = usize::try_from(integer(node, "group", 1)).unwrap_or(0);
    if inputs.checked_mul(group) != Some(channels) {
        let found = format!("weights {:?} in {group} groups for {channels} channels", weights.dims);
        return Err(Refusal::broken(&node.name, found));
    }
    if !word(node, "auto_pad", "NOTSET", "NOTSET") || list(node, "dilations", &[1, 1]) != [1, 1] {
        return Err(refuse("automatic padding or dilation".into()));
    }
    let window = window(node, [height, width], [rows, columns], false)?;
    let kind = match group {
        1 if [rows, columns] == [1, 1] && window.stride == [1, 1] && window.output == window.input => {
            Kind::Pointwise
        }
        1 => Kind::Patches,
        _ if inputs == 1 && outputs == channels => Kind::Depthwise,
        _ => return Err(refuse(format!("{group} groups of {inputs} channels"))),
    };
    let mut values = weights.values;
    if kind == Kind::Patches {
        values = taps_first(&values, inputs, rows * columns);
    }
    let bias = bias(builder, node, input(node, 2).ok(), x.scale, &weights.scales)?;
    let requantise = requantise(node, &x, &weights.scales, &bias, &values, target)?;
    let view = if kind == Kind::Pointwise { x.tensor.view } else { builder.dense(&node.name, x.tensor.view) };
    Ok((Convolution { kind, window, padding: x.zero as i8, weights: values, requantise }, view))
}

/// The windows of a convolution or pooling with its `strides` and `pads`. With `ceil` the last windows may
/// reach beyond the padding but must begin before its end.
pub(super) fn window(
    node: &NodeProto,
    size: [usize; 2],
    kernel: [usize; 2],
    ceil: bool,
) -> Result<Window, Refusal> {
    let number =
        |values: Vec<i64>| values.iter().map(|&v| usize::try_from(v).ok()).collect::<Option<Vec<_>>>();
    let (strides, pads) = (number(list(node, "strides", &[1, 1])), number(list(node, "pads", &[0; 4])));
    let refuse = || Refusal::float(&node.name, "strides, pads or a kernel that do not fit the picture");
    let (Some(&[down, right]), Some(&[top, left, bottom, after])) = (strides.as_deref(), pads.as_deref())
    else {
        return Err(refuse());
    };
    let out = |size: usize, kernel: usize, stride: usize, before: usize, after: usize| {
        let room = (size + before + after).checked_sub(kernel);
        let room = room.filter(|_| kernel > 0 && before.max(after) < kernel)?;
        let steps =
            if ceil { room.checked_add(stride)?.checked_sub(1)? } else { room }.checked_div(stride)?;
        Some(steps + usize::from(!ceil || steps * stride < size + before))
    };
    let height = out(size[0], kernel[0], down, top, bottom).ok_or_else(refuse)?;
    let width = out(size[1], kernel[1], right, left, after).ok_or_else(refuse)?;
    Ok(Window {
        input: size,
        output: [height, width],
        kernel,
        stride: [down, right],
        pad: [top, left],
        dilation: [1; 2],
    })
}

/// `[outputs, inputs, taps]` → `[outputs, taps, inputs]`, as patches lie.
fn taps_first(weights: &[i8], inputs: usize, taps: usize) -> Vec<i8> {
    let output = |row: &[i8]| -> Vec<i8> {
        (0..taps)
            .flat_map(|tap| (0..inputs).map(move |i| (i, tap)))
            .map(|(i, tap)| row[i * taps + tap])
            .collect()
    };
    weights.chunks_exact((inputs * taps).max(1)).flat_map(output).collect()
}
