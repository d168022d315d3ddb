//! `Conv` and `Gemm`.

use tract_onnx::pb::NodeProto;

use super::super::Refusal;
use super::super::builder::{Activation, Builder, Quantised, Target};
use super::super::draft::{Convolution, Kind, Op};
use super::super::onnx::{integer, list, word};
use super::input;
use crate::kernels::patches::Window;
use crate::kernels::requantise::Requantise;

/// Quantised weights of a node: `[outputs, …]`, symmetric, one scale an output.
struct Weights {
    dims: Vec<usize>,
    values: Vec<i8>,
    scales: Vec<f32>,
    bias: Vec<i32>,
}

/// DQ → Conv → Q: 1×1 with steps of one is pointwise, one channel a group depthwise, all others go over patches.
pub(super) fn conv(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = |what: String| Refusal::new(&node.name, what);
    let x = builder.activation(input(node, 0)?)?;
    let weights = weights(builder, node, &x)?;
    let (&[_, channels, height, width], &[outputs, inputs, rows, columns]) =
        (&x.tensor.shape[..], &weights.dims[..])
    else {
        return Err(refuse(format!("a convolution of shapes {:?} and {:?}", x.tensor.shape, weights.dims)));
    };
    if !word(node, "auto_pad", "NOTSET", "NOTSET") || list(node, "dilations", &[1, 1]) != [1, 1] {
        return Err(refuse("automatic padding or dilation".into()));
    }
    let window = window(node, [height, width], [rows, columns])?;
    let group = usize::try_from(integer(node, "group", 1)).unwrap_or(0);
    let kind = match group {
        1 if inputs != channels => {
            return Err(refuse(format!("{channels} channels for weights of {inputs}")));
        }
        1 if [rows, columns] == [1, 1] && window.stride == [1, 1] && window.output == window.input => {
            Kind::Pointwise
        }
        1 => Kind::Patches,
        _ if group == channels && inputs == 1 && outputs == channels => Kind::Depthwise,
        _ => return Err(refuse(format!("{group} groups of {inputs} channels"))),
    };
    let mut values = weights.values;
    if kind == Kind::Patches {
        values = taps_first(&values, inputs, rows * columns);
    }
    let requantise = requantise(&x, &weights.scales, &weights.bias, &values, target)
        .ok_or_else(|| refuse("a multiplier that is not finite".into()))?;
    let view = if kind == Kind::Pointwise { x.tensor.view } else { builder.dense(&node.name, x.tensor.view) };
    let [height, width] = window.output;
    let to = builder.buffer(outputs, height, width);
    let conv = Convolution { kind, window, padding: x.zero as i8, weights: values, requantise };
    builder.push(&node.name, Op::Convolution(Box::new(conv)), vec![view], to);
    Ok(Quantised { view: to, shape: vec![1, outputs, height, width] })
}

/// DQ → Gemm → Q with transposed weights: a pointwise convolution of one pixel.
pub(super) fn gemm(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = |what: String| Refusal::new(&node.name, what);
    let plain = |name: &str| node.attribute.iter().find(|a| a.name == name).is_none_or(|a| a.f == 1.0);
    if integer(node, "transA", 0) != 0 || integer(node, "transB", 0) != 1 || !plain("alpha") || !plain("beta")
    {
        return Err(refuse("a Gemm other than x · Wᵀ + b".into()));
    }
    let x = builder.activation(input(node, 0)?)?;
    let weights = weights(builder, node, &x)?;
    let (&[_, channels], &[outputs, inputs]) = (&x.tensor.shape[..], &weights.dims[..]) else {
        return Err(refuse(format!("a Gemm of shapes {:?} and {:?}", x.tensor.shape, weights.dims)));
    };
    if inputs != channels {
        return Err(refuse(format!("{channels} values for weights of {inputs}")));
    }
    let requantise = requantise(&x, &weights.scales, &weights.bias, &weights.values, target)
        .ok_or_else(|| refuse("a multiplier that is not finite".into()))?;
    let one = [1, 1];
    let window = Window { input: one, output: one, kernel: one, stride: one, pad: [0, 0] };
    let to = builder.buffer(outputs, 1, 1);
    let (kind, padding) = (Kind::Pointwise, x.zero as i8);
    let conv = Convolution { kind, window, padding, weights: weights.values, requantise };
    builder.push(&node.name, Op::Convolution(Box::new(conv)), vec![x.tensor.view], to);
    Ok(Quantised { view: to, shape: vec![1, outputs] })
}

/// The windows of a convolution or pooling with its `strides` and `pads`.
pub(super) fn window(node: &NodeProto, size: [usize; 2], kernel: [usize; 2]) -> Result<Window, Refusal> {
    let number =
        |values: Vec<i64>| values.iter().map(|&v| usize::try_from(v).ok()).collect::<Option<Vec<_>>>();
    let (strides, pads) = (number(list(node, "strides", &[1, 1])), number(list(node, "pads", &[0; 4])));
    let refuse = || Refusal::new(&node.name, "strides, pads or a kernel that do not fit the picture");
    let (Some(&[down, right]), Some(&[top, left, bottom, after])) = (strides.as_deref(), pads.as_deref())
    else {
        return Err(refuse());
    };
    let out = |size: usize, kernel: usize, stride: usize, pads: usize| {
        let room = (size + pads).checked_sub(kernel).filter(|_| kernel > 0 && pads < 2 * kernel)?;
        room.checked_div(stride).map(|steps| steps + 1)
    };
    let height = out(size[0], kernel[0], down, top + bottom).ok_or_else(refuse)?;
    let width = out(size[1], kernel[1], right, left + after).ok_or_else(refuse)?;
    Ok(Window { input: size, output: [height, width], kernel, stride: [down, right], pad: [top, left] })
}

/// Reads inputs 1 and 2 of a node, whose input 0 is `x`.
fn weights(builder: &Builder, node: &NodeProto, x: &Activation) -> Result<Weights, Refusal> {
    let refuse = |what: &str| Refusal::new(&node.name, what);
    let made = builder.onnx.made_by(input(node, 1)?, "DequantizeLinear");
    let dq = made.ok_or_else(|| refuse("weights that are not quantised"))?;
    let weights = builder.onnx.integers(input(dq, 0)?)?;
    let values: Option<Vec<i8>> = weights.values.iter().map(|&w| i8::try_from(w).ok()).collect();
    let values = values.ok_or_else(|| refuse("weights beyond int8"))?;
    let outputs = weights.dims.first().copied().unwrap_or(0);
    let mut scales = builder.onnx.floats(input(dq, 1)?)?.values;
    if scales.len() == 1 {
        scales = vec![scales[0]; outputs];
    } else if integer(dq, "axis", 1) != 0 {
        return Err(refuse("weights with scales along another axis than the outputs"));
    }
    if scales.len() != outputs
        || outputs == 0
        || scales.iter().any(|&scale| !(scale.is_finite() && scale > 0.0))
    {
        return Err(refuse("weights without one positive scale an output"));
    }
    let zero = dq.input.get(2).filter(|name| !name.is_empty());
    let zeros = zero.map(|name| builder.onnx.integers(name)).transpose()?;
    if zeros.is_some_and(|zeros| zeros.values.iter().any(|&zero| zero != 0)) {
        return Err(refuse("weights with a zero point"));
    }
    let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
        Some(name) => bias(builder, node, name, x.scale, &scales)?,
        None => vec![0; outputs],
    };
    Ok(Weights { dims: weights.dims, values, scales, bias })
}

/// The int32 bias `name`, whose scale must be that of the products.
fn bias(
    builder: &Builder,
    node: &NodeProto,
    name: &str,
    scale: f32,
    scales: &[f32],
) -> Result<Vec<i32>, Refusal> {
    let refuse = |what: &str| Refusal::new(&node.name, what);
    let made = builder.onnx.made_by(name, "DequantizeLinear");
    let dq = made.ok_or_else(|| refuse("a bias that is not quantised"))?;
    let values = builder.onnx.integers(input(dq, 0)?)?.values;
    let values: Option<Vec<i32>> = values.iter().map(|&v| i32::try_from(v).ok()).collect();
    let own = builder.onnx.floats(input(dq, 1)?)?.values;
    let fits = |(index, &weight): (usize, &f32)| {
        let own = own[if own.len() == 1 { 0 } else { index }];
        (own - scale * weight).abs() <= 1e-5 * (scale * weight)
    };
    match values {
        Some(values)
            if values.len() == scales.len()
                && (own.len() == 1 || own.len() == scales.len())
                && scales.iter().enumerate().all(fits) =>
        {
            Ok(values)
        }
        _ => Err(refuse("a bias in another scale than the products")),
    }
}

/// Multipliers and biases of `weights`, `[outputs, …]`, where the input is `x`.
fn requantise(
    x: &Activation,
    scales: &[f32],
    bias: &[i32],
    weights: &[i8],
    target: Target,
) -> Option<Requantise> {
    let multiplier: Vec<f32> = scales.iter().map(|&scale| x.scale * scale / target.scale).collect();
    let rows = weights.chunks_exact((weights.len() / scales.len()).max(1));
    let bias = bias.iter().zip(rows).map(|(&bias, row)| {
        let sum: i32 = row.iter().map(|&w| i32::from(w)).fold(0, i32::wrapping_add);
        bias.wrapping_sub(x.zero.wrapping_mul(sum))
    });
    let Target { zero, low, high, .. } = target;
    let finite = multiplier.iter().all(|m| m.is_finite());
    finite.then(|| Requantise { bias: bias.collect(), multiplier, zero, low, high, table: None })
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
