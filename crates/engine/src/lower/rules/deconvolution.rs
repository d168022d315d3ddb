//! `ConvTranspose`: a convolution of the input with gaps between its rows and columns.

use tract_onnx::pb::NodeProto;

use super::convolution::{Stored, Stored16, convolved};
use super::weights::{Weights, bias, requantise, weights, wide_weights};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list, word};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Quantised, Target};
use edgeclip_kernels::pad::Pad;
use edgeclip_kernels::patches::Window;

/// Most that a side, a step or a gap may be.
const MOST: i64 = 1 << 12;

/// DQ → ConvTranspose → Q of a picture.
pub(super) fn conv(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let Spread { x, window, groups, inputs, weights, scales, bias } = Spread::new(builder, node, weights)?;
    let requantise = requantise(node, &x, &scales, &bias, &weights, target)?;
    convolved(builder, node, Stored { x, window, groups, inputs, weights, requantise })
}

/// DQ → ConvTranspose, not yet quantised.
pub(super) fn stored(builder: &mut Builder, node: &NodeProto) -> Result<Stored16, Refusal> {
    let Spread { x, window, groups, weights, scales, bias, .. } = Spread::new(builder, node, wide_weights)?;
    Ok(Stored16 { x, window, groups, weights, scales, bias })
}

/// A convolution of a picture with gaps.
struct Spread<T> {
    x: Activation,
    window: Window,
    groups: usize,
    /// Inputs of a group.
    inputs: usize,
    /// `[outputs, inputs of a group, rows, columns]`.
    weights: Vec<T>,
    scales: Vec<f32>,
    bias: Vec<i32>,
}

impl<T: Copy> Spread<T> {
    /// Adds the step that spreads the picture.
    fn new(
        builder: &mut Builder,
        node: &NodeProto,
        weights: impl Fn(&Builder, &NodeProto, usize) -> Result<Weights<T>, Refusal>,
    ) -> Result<Self, Refusal> {
        let refuse = |what: &str| Refusal::float(&node.name, what);
        let x = builder.activation(input(node, 0)?)?;
        let groups = usize::try_from(integer(node, "group", 1)).ok().filter(|&groups| groups > 0);
        let groups = groups.ok_or_else(|| refuse("no groups"))?;
        let stored = weights(builder, node, 1)?;
        let (&[_, channels, height, width], &[inputs, outputs, rows, columns]) =
            (&x.tensor.shape[..], &stored.dims[..])
        else {
            return Err(refuse("a ConvTranspose that is not of a picture"));
        };
        if inputs != channels || !inputs.is_multiple_of(groups) {
            let found = format!("weights {:?} in {groups} groups for {channels} channels", stored.dims);
            return Err(Refusal::broken(&node.name, found));
        }
        // Scales count the outputs of a group.
        let uniform = stored.scales.windows(2).all(|pair| pair[0] == pair[1]);
        if groups > 1 && !uniform {
            return Err(refuse("scales along the outputs of groups"));
        }
        let scales: Vec<f32> = (0..groups * outputs).map(|output| stored.scales[output % outputs]).collect();
        let (spread, window) = windows(node, [height, width], channels, [rows, columns], x.zero as i8)?;
        let weights = turned(&stored.values, groups, [inputs / groups, outputs], rows * columns);
        let bias = bias(builder, node, input(node, 2).ok(), x.scale, &scales)?;
        let to = builder.buffer(channels, window.input[0], window.input[1]);
        builder.within_budget(&node.name)?;
        builder.push(&node.name, Op::Pad(spread), vec![x.tensor.view], to);
        let x = Activation { tensor: Quantised::picture(to), ..x };
        Ok(Self { x, window, groups, inputs: inputs / groups, weights, scales, bias })
    }
}

/// The input with its gaps and a margin, and the windows over it.
fn windows(
    node: &NodeProto,
    size: [usize; 2],
    channels: usize,
    kernel: [usize; 2],
    fill: i8,
) -> Result<(Pad, Window), Refusal> {
    let refuse = |what: &str| Refusal::float(&node.name, what);
    let named = node.attribute.iter().any(|attribute| attribute.name == "output_shape");
    if named || !(word(node, "auto_pad", "NOTSET", "NOTSET") || word(node, "auto_pad", "NOTSET", "VALID")) {
        return Err(refuse("a ConvTranspose that is padded to a size"));
    }
    let pair = |name: &str, least: i64| match list(node, name, &[least, least])[..] {
        [down, right] if [down, right].iter().all(|value| (least..=MOST).contains(value)) => {
            Ok([down as usize, right as usize])
        }
        _ => Err(refuse("strides, gaps or paddings that are not of two axes")),
    };
    let (stride, dilation, more) = (pair("strides", 1)?, pair("dilations", 1)?, pair("output_padding", 0)?);
    let pads = list(node, "pads", &[0; 4]);
    if pads.len() != 4 || pads.iter().any(|pad| !(0..=MOST).contains(pad)) {
        return Err(refuse("pads that are not of two axes"));
    }
    let (mut before, mut sides, mut output) = ([0; 3], [0; 2], [0; 2]);
    for axis in 0..2 {
        let reach = (kernel[axis] - 1) * dilation[axis];
        let margin = |pad: i64| reach.checked_sub(pad as usize);
        let (start, end) =
            margin(pads[axis]).zip(margin(pads[axis + 2])).ok_or_else(|| refuse("pads beyond the kernel"))?;
        let spread = (size[axis] - 1) * stride[axis] + 1;
        before[axis] = start;
        sides[axis] = start + spread + end + more[axis];
        output[axis] = sides[axis]
            .checked_sub(reach)
            .filter(|&side| side > 0)
            .ok_or_else(|| refuse("an empty result"))?;
    }
    let input = [size[0], size[1], channels];
    let pad = Pad { input, output: [sides[0], sides[1], channels], before, apart: stride, fill };
    Ok((pad, Window { input: sides, output, kernel, stride: [1, 1], pad: [0, 0], dilation }))
}

/// `[inputs, outputs of a group, taps]` → `[outputs, inputs of a group, taps]`, the taps from last to first.
fn turned<T: Copy>(weights: &[T], groups: usize, [inputs, outputs]: [usize; 2], taps: usize) -> Vec<T> {
    let mut turned = Vec::with_capacity(weights.len());
    for output in 0..groups * outputs {
        let (group, output) = (output / outputs, output % outputs);
        for input in 0..inputs {
            let from = &weights[((group * inputs + input) * outputs + output) * taps..][..taps];
            turned.extend(from.iter().rev());
        }
    }
    turned
}
