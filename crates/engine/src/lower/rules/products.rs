//! `MatMul` of two computed tensors: matrices along the last two axes, as attention has them.

use tract_onnx::pb::NodeProto;

use super::constant;
use super::sums::Sums;
use crate::lower::arrange::{broadcast, copied, strides, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::input;
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Sum, Target, View};
use edgeclip_kernels::matmul::{Factors, MatMul};

/// Whether both factors are dequantised tensors.
pub(super) fn joins(builder: &Builder, node: &NodeProto) -> bool {
    let [a, b, ..] = &node.input[..] else { return false };
    node.op_type == "MatMul" && builder.any_activation(a).is_ok() && builder.any_activation(b).is_ok()
}

/// Whether the left factor is a constant and the right one a dequantised tensor.
pub(super) fn is_left(builder: &Builder, node: &NodeProto) -> bool {
    let [a, b, ..] = &node.input[..] else { return false };
    constant::is_constant(builder, a) && builder.any_activation(b).is_ok()
}

/// DQ, DQ → MatMul → Q: `[…, M, K]` times `[…, K, N]`.
pub(super) fn product(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let Sides { factors, from, shape, scale, unsigned } = Sides::new(builder, node)?;
    let multiplier = scale / target.scale;
    if !multiplier.is_finite() {
        return Err(Refusal::float(&node.name, "a multiplier that is not finite"));
    }
    let Target { zero, low, high, .. } = target;
    let product = MatMul { factors, multiplier, zero, low, high };
    let made = whole(0, shape, Order::Last, unsigned);
    let to = builder.buffer(made.view.channels, made.view.height, made.view.width);
    builder.push(&node.name, Op::MatMul(product), from, to);
    Ok(made.at(to))
}

/// DQ, DQ → MatMul, not yet quantised.
pub(super) fn sums(builder: &mut Builder, node: &NodeProto) -> Result<Sums, Refusal> {
    let Sides { factors, from, shape, scale, .. } = Sides::new(builder, node)?;
    let columns = shape.last().copied().unwrap_or(1);
    let multipliers = vec![scale; columns];
    Ok(Sums { sum: Sum::Product(factors), from, shape, order: Order::Last, multipliers })
}

/// Both factors with their rows side by side.
struct Sides {
    factors: Factors,
    from: Vec<View>,
    /// Of the product.
    shape: Vec<usize>,
    /// `sa · sb`.
    scale: f32,
    unsigned: bool,
}

impl Sides {
    fn new(builder: &mut Builder, node: &NodeProto) -> Result<Self, Refusal> {
        let (a, b) = (builder.any_activation(input(node, 0)?)?, builder.any_activation(input(node, 1)?)?);
        let shapes = || format!("a product of shapes {:?} and {:?}", a.tensor.shape, b.tensor.shape);
        let (Some((before, &[m, k])), Some((behind, &[other, n]))) =
            (a.tensor.shape.split_last_chunk::<2>(), b.tensor.shape.split_last_chunk::<2>())
        else {
            return Err(Refusal::float(&node.name, shapes()));
        };
        if k != other {
            return Err(Refusal::broken(&node.name, shapes()));
        }
        let batch = broadcast([before, behind]).ok_or_else(|| Refusal::float(&node.name, shapes()))?;
        let shape = broadcast([&[&batch[..], &[m, n]].concat()[..]]);
        let shape = shape.ok_or_else(|| Refusal::float(&node.name, shapes()))?;
        let [left, right] = [(&a, [m, k], [0, 1]), (&b, [n, k], [1, 0])]
            .map(|(x, sizes, axes)| rows(builder, node, x, &batch, sizes, axes));
        builder.within_budget(&node.name)?;
        let factors = Factors { length: k, zeros: [a.zero, b.zero] };
        let (from, unsigned) = (vec![left.view, right.view], a.tensor.unsigned);
        Ok(Self { factors, from, shape, scale: a.scale * b.scale, unsigned })
    }
}

/// The matrices of `x`, one for each of the `batch`, as `rows` of numbers side by side, from the last two axes in the order `axes`.
fn rows(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    batch: &[usize],
    sizes: [usize; 2],
    axes: [usize; 2],
) -> Quantised {
    let found = strides(&x.tensor);
    let own = x.tensor.shape.len() - 2;
    let mut distances = vec![0; batch.len() + 2];
    let outer = batch.len() - own;
    for axis in 0..own {
        distances[outer + axis] = if x.tensor.shape[axis] == 1 { 0 } else { found[axis] };
    }
    for (at, axis) in axes.into_iter().enumerate() {
        distances[batch.len() + at] = found[own + axis];
    }
    let shape = [batch, &sizes].concat();
    copied(builder, &node.name, &x.tensor, (shape, &distances, 0), Order::Last)
}
