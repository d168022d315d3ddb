//! `Conv`, alone or with a tensor added to its result.

use tract_onnx::pb::NodeProto;

use super::groups;
use super::weights::{Weights, bias, requantise, weights, wide_weights};
use super::window::window;
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer};
use crate::refusal::Refusal;
use crate::steps::{Activation, Convolution, Kind, Op, Quantised, Target, View};
use edgeclip_kernels::conv_residual::Residual;
use edgeclip_kernels::patches::Window;
use edgeclip_kernels::requantise::Requantise;

/// DQ → Conv → Q: 1×1 with steps of one is pointwise, one channel a group depthwise, all others go over
/// patches, each group by itself.
pub(super) fn conv(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let stored = Stored::new(builder, node, target)?;
    convolved(builder, node, stored)
}

/// The result of a convolution.
pub(super) fn convolved(
    builder: &mut Builder,
    node: &NodeProto,
    stored: Stored,
) -> Result<Quantised, Refusal> {
    if stored.kind().is_none() {
        return Ok(groups::conv(builder, node, stored));
    }
    let (conv, from) = stored.convolution(builder, node)?;
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
    let (conv, from) = Stored::new(builder, node, target)?.convolution(builder, node)?;
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

/// A convolution as the file has it.
pub(super) struct Stored {
    pub(super) x: Activation,
    pub(super) window: Window,
    pub(super) groups: usize,
    /// Inputs of a group.
    pub(super) inputs: usize,
    /// `[outputs, inputs, rows, columns]`.
    pub(super) weights: Vec<i8>,
    pub(super) requantise: Requantise,
}

/// Where a convolution's windows lie on what.
struct Geometry {
    x: Activation,
    window: Window,
    groups: usize,
    /// Inputs of a group.
    inputs: usize,
}

impl Geometry {
    /// Of weights of the shape `dims`.
    fn new(builder: &mut Builder, node: &NodeProto, dims: &[usize]) -> Result<Self, Refusal> {
        let x = builder.activation(input(node, 0)?)?;
        let (&[_, channels, height, width], &[_, inputs, rows, columns]) = (&x.tensor.shape[..], dims) else {
            let found = format!("a convolution of shapes {:?} and {dims:?}", x.tensor.shape);
            return Err(Refusal::float(&node.name, found));
        };
        let groups = usize::try_from(integer(node, "group", 1)).unwrap_or(0);
        if inputs.checked_mul(groups) != Some(channels) {
            let found = format!("weights {dims:?} in {groups} groups for {channels} channels");
            return Err(Refusal::broken(&node.name, found));
        }
        let window = window(node, [height, width], [rows, columns], false)?;
        Ok(Self { x, window, groups, inputs })
    }
}

/// A convolution of weights that may go beyond int8, not yet quantised.
pub(super) struct Stored16 {
    pub(super) x: Activation,
    pub(super) window: Window,
    pub(super) groups: usize,
    /// `[outputs, inputs of a group, rows, columns]`.
    pub(super) weights: Vec<i16>,
    pub(super) scales: Vec<f32>,
    /// In units of the products.
    pub(super) bias: Vec<i32>,
}

impl Stored16 {
    pub(super) fn new(builder: &mut Builder, node: &NodeProto) -> Result<Self, Refusal> {
        let Weights { dims, values, scales } = wide_weights(builder, node, 0)?;
        let Geometry { x, window, groups, .. } = Geometry::new(builder, node, &dims)?;
        if !scales.len().is_multiple_of(groups) {
            return Err(Refusal::float(&node.name, format!("{} outputs in {groups} groups", scales.len())));
        }
        let bias = bias(builder, node, input(node, 2).ok(), x.scale, &scales)?;
        Ok(Self { x, window, groups, weights: values, scales, bias })
    }
}

impl Stored {
    fn new(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Self, Refusal> {
        let weights = weights(builder, node, 0)?;
        let Geometry { x, window, groups, inputs } = Geometry::new(builder, node, &weights.dims)?;
        let bias = bias(builder, node, input(node, 2).ok(), x.scale, &weights.scales)?;
        let requantise = requantise(node, &x, &weights.scales, &bias, &weights.values, target)?;
        Ok(Self { x, window, groups, inputs, weights: weights.values, requantise })
    }

    pub(super) fn outputs(&self) -> usize {
        self.requantise.bias.len()
    }

    /// Whether one output pixel is computed of the input pixel in its place.
    pub(super) fn is_pointwise(&self) -> bool {
        let window = &self.window;
        window.kernel == [1, 1] && window.stride == [1, 1] && window.output == window.input
    }

    /// Which kernel convolves; `None` for groups that are not depthwise.
    fn kind(&self) -> Option<Kind> {
        match self.groups {
            1 if self.is_pointwise() => Some(Kind::Pointwise),
            1 => Some(Kind::Patches),
            groups if self.inputs == 1 && self.outputs() == groups => Some(Kind::Depthwise),
            _ => None,
        }
    }

    /// What one kernel does, and what it reads.
    fn convolution(
        mut self,
        builder: &mut Builder,
        node: &NodeProto,
    ) -> Result<(Convolution, View), Refusal> {
        let kind = self.kind().ok_or_else(|| {
            Refusal::float(
                &node.name,
                format!("{} groups and a sum without a quantised step between", self.groups),
            )
        })?;
        if kind == Kind::Depthwise {
            self.fill_gaps();
        }
        let Self { x, window, inputs, mut weights, requantise, .. } = self;
        if kind == Kind::Patches {
            weights = taps_first(&weights, inputs, window.kernel[0] * window.kernel[1]);
        }
        let view =
            if kind == Kind::Pointwise { x.tensor.view } else { builder.dense(&node.name, x.tensor.view) };
        Ok((Convolution { kind, window, padding: x.zero as i8, weights, requantise }, view))
    }

    /// Small kernels with gaps become larger ones with weights of zero, which have kernels of their own.
    fn fill_gaps(&mut self) {
        let Window { kernel, dilation, .. } = self.window;
        let full = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
        if dilation == [1, 1] || full.iter().any(|&side| side > 5) {
            return;
        }
        let mut filled = vec![0; self.weights.len() / (kernel[0] * kernel[1]) * full[0] * full[1]];
        let from = self.weights.chunks_exact(kernel[0] * kernel[1]);
        for (to, from) in filled.chunks_exact_mut(full[0] * full[1]).zip(from) {
            for (tap, &weight) in from.iter().enumerate() {
                let (row, column) = (tap / kernel[1] * dilation[0], tap % kernel[1] * dilation[1]);
                to[row * full[1] + column] = weight;
            }
        }
        self.weights = filled;
        (self.window.kernel, self.window.dilation) = (full, [1, 1]);
    }
}

/// `[outputs, inputs, taps]` → `[outputs, taps, inputs]`, as patches lie.
pub(super) fn taps_first(weights: &[i8], inputs: usize, taps: usize) -> Vec<i8> {
    let output = |row: &[i8]| -> Vec<i8> {
        (0..taps)
            .flat_map(|tap| (0..inputs).map(move |i| (i, tap)))
            .map(|(i, tap)| row[i * taps + tap])
            .collect()
    };
    weights.chunks_exact((inputs * taps).max(1)).flat_map(output).collect()
}
