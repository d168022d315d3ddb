//! `Gemm` and `MatMul` by constant weights: pointwise convolutions.

use tract_onnx::pb::NodeProto;

use super::sums::Sums;
use super::weights::{Weights, bias, requantise, weights, wide_weights};
use crate::lower::arrange::{copied, in_order, strides, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::{float, input, integer};
use crate::refusal::Refusal;
use crate::steps::{Activation, Convolution, Kind, Op, Order, Quantised, Sum, Target};
use edgeclip_kernels::patches::Window;
use edgeclip_kernels::wide::Wide;

/// DQ → Gemm or MatMul → Q along the last axis. `added` is a constant that is added to a product without a
/// bias of its own.
pub(super) fn product(
    builder: &mut Builder,
    node: &NodeProto,
    added: Option<&str>,
    target: Target,
) -> Result<Quantised, Refusal> {
    let Factors { x, weights, bias: constant, transposed, window } =
        Factors::new(builder, node, added, weights)?;
    let outputs = weights.scales.len();
    let values = if transposed { weights.values } else { rows_of(&weights.values, outputs) };
    let bias = bias(builder, node, constant.as_deref(), x.scale, &weights.scales)?;
    let requantise = requantise(node, &x, &weights.scales, &bias, &values, target)?;
    let to = builder.buffer(outputs, window.output[0], window.output[1]);
    let (kind, padding) = (Kind::Pointwise, x.zero as i8);
    let conv = Convolution { kind, window, padding, weights: values, requantise };
    builder.push(&node.name, Op::Convolution(Box::new(conv)), vec![x.tensor.view], to);
    let mut tensor = x.tensor.at(to);
    if let Some(channels) = tensor.shape.last_mut() {
        *channels = outputs;
    }
    Ok(tensor)
}

/// DQ → Gemm or MatMul, not yet quantised.
pub(super) fn sums(builder: &mut Builder, node: &NodeProto) -> Result<Sums, Refusal> {
    let Factors { x, weights, bias: constant, transposed, window } =
        Factors::new(builder, node, None, wide_weights)?;
    let Weights { values, scales, .. } = weights;
    let values = if transposed { values } else { rows_of(&values, scales.len()) };
    let bias = bias(builder, node, constant.as_deref(), x.scale, &scales)?;
    let mut shape = x.tensor.shape.clone();
    if let Some(channels) = shape.last_mut() {
        *channels = scales.len();
    }
    Ok(Sums {
        sum: Sum::Convolution(Wide::new(window, 1, x.zero as i8, &values, bias)),
        from: vec![x.tensor.view],
        shape,
        order: x.tensor.order,
        multipliers: scales.iter().map(|scale| x.scale * scale).collect(),
    })
}

/// A tensor and constant weights of as many rows as its last axis is long.
struct Factors<T> {
    x: Activation,
    weights: Weights<T>,
    bias: Option<String>,
    /// Whether the weights are `[outputs, inputs]`.
    transposed: bool,
    window: Window,
}

impl<T> Factors<T> {
    fn new(
        builder: &mut Builder,
        node: &NodeProto,
        added: Option<&str>,
        weights: impl Fn(&Builder, &NodeProto, usize) -> Result<Weights<T>, Refusal>,
    ) -> Result<Self, Refusal> {
        let refuse = |what: String| Refusal::float(&node.name, what);
        let (mut transposed, mut constant, mut factor) = (false, added, 1.0);
        if node.op_type == "Gemm" {
            transposed = integer(node, "transB", 0) != 0;
            constant = constant.or(input(node, 2).ok());
            factor = float(node, "alpha", 1.0);
            let plain = constant.is_none() || float(node, "beta", 1.0) == 1.0;
            if !(plain && factor.is_finite() && factor > 0.0) {
                return Err(refuse("a Gemm whose bias has a factor, or that has none itself".into()));
            }
        }
        let mut x = builder.any_activation(input(node, 0)?)?;
        if node.op_type == "Gemm" && integer(node, "transA", 0) != 0 {
            x.tensor = columns(builder, node, &x.tensor)?;
        }
        let mut weights = weights(builder, node, usize::from(!transposed))?;
        weights.scales.iter_mut().for_each(|scale| *scale *= factor);
        let &[rows, columns] = &weights.dims[..] else {
            return Err(refuse(format!("a product of shapes {:?} and {:?}", x.tensor.shape, weights.dims)));
        };
        let inputs = if transposed { columns } else { rows };
        let is_vector = x.tensor.shape.len() == 2;
        if x.tensor.order == Order::First && !is_vector {
            x.tensor = in_order(builder, &node.name, &x.tensor, Order::Last);
        }
        if inputs != x.tensor.view.channels {
            let found = format!("weights {:?} for {} values", weights.dims, x.tensor.view.channels);
            return Err(Refusal::broken(&node.name, found));
        }
        let size = [x.tensor.view.height, x.tensor.view.width];
        let window = pixels(size);
        Ok(Self { x, weights, bias: constant.map(str::to_owned), transposed, window })
    }
}

/// `x` with its last two axes in turn.
fn columns(builder: &mut Builder, node: &NodeProto, x: &Quantised) -> Result<Quantised, Refusal> {
    let (mut shape, mut distances) = (x.shape.clone(), strides(x));
    let Some(last) = shape.len().checked_sub(2) else {
        return Err(Refusal::float(&node.name, format!("a matrix of shape {shape:?}")));
    };
    shape.swap(last, last + 1);
    distances.swap(last, last + 1);
    Ok(copied(builder, &node.name, x, (shape, &distances, 0), Order::Last))
}

/// DQ → MatMul by a constant left factor → Q: the columns of the tensor are the rows of a product the other way round.
pub(super) fn left(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let turned = NodeProto { input: node.input.iter().rev().cloned().collect(), ..node.clone() };
    let mut x = builder.any_activation(input(&turned, 0)?)?;
    x.tensor = columns(builder, node, &x.tensor)?;
    let Weights { dims, values, scales } = weights(builder, &turned, 0)?;
    let (&[outputs, inputs], rows) = (&dims[..], x.tensor.view.pixels()) else {
        return Err(Refusal::float(&node.name, format!("a left factor of shape {dims:?}")));
    };
    if inputs != x.tensor.view.channels {
        let found = format!("weights {dims:?} for {} values", x.tensor.view.channels);
        return Err(Refusal::broken(&node.name, found));
    }
    let requantise = requantise(node, &x, &scales, &vec![0; outputs], &values, target)?;
    let to = builder.buffer(outputs, rows, 1);
    let (kind, padding, window) = (Kind::Pointwise, x.zero as i8, pixels([rows, 1]));
    let conv = Convolution { kind, window, padding, weights: values, requantise };
    builder.push(&node.name, Op::Convolution(Box::new(conv)), vec![x.tensor.view], to);
    let mut shape = x.tensor.shape.clone();
    if let Some(channels) = shape.last_mut() {
        *channels = outputs;
    }
    let made = whole(to.buffer, shape, Order::Last, x.tensor.unsigned);
    columns(builder, node, &made)
}

/// Each pixel by itself.
fn pixels(size: [usize; 2]) -> Window {
    Window { input: size, output: size, kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1; 2] }
}

/// `[inputs, outputs]` → `[outputs, inputs]`.
fn rows_of<T: Copy>(weights: &[T], outputs: usize) -> Vec<T> {
    (0..outputs).flat_map(|output| weights.iter().skip(output).step_by(outputs)).copied().collect()
}
