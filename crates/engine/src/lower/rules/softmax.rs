//! `Softmax` and `LRN`: over the channels of each pixel.

use tract_onnx::pb::NodeProto;

use crate::lower::arrange::{copied, in_order, memory, strides, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::{float, input, integer};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target};
use edgeclip_kernels::response::{Power, Response};
use edgeclip_kernels::softmax::Softmax;

/// First version of ONNX whose softmax is over one axis; before, it was over all from that axis on.
const ONE_AXIS: i64 = 13;

/// DQ → Softmax → Q over any axis, which is brought side by side where it does not lie so.
pub(super) fn softmax(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let shape = x.tensor.shape.clone();
    let rank = shape.len();
    let opset =
        builder.model.opset_import.iter().find(|set| set.domain.is_empty()).map_or(0, |set| set.version);
    let axis = integer(node, "axis", if opset < ONE_AXIS { 1 } else { -1 });
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    let refuse = || Refusal::broken(&node.name, format!("an axis {axis} of {rank}"));
    let axis = usize::try_from(axis).ok().filter(|&axis| axis < rank).ok_or_else(refuse)?;
    if opset < ONE_AXIS && shape[axis + 1..].iter().any(|&size| size > 1) {
        let (shares, order) = several(builder, node, &x.tensor, axis);
        let softmax = softmax_of(&x, shares.view.channels, target);
        let to = builder.buffer(shares.view.channels, shares.view.height, shares.view.width);
        builder.push(&node.name, Op::Softmax(softmax), vec![shares.view], to);
        return Ok(whole(to.buffer, shape, order, x.tensor.unsigned));
    }
    // In memory, the axis is the last.
    let lies = memory(x.tensor.order, rank).last() == Some(&axis);
    let (from, axes) = if lies {
        (in_order(builder, &node.name, &x.tensor, x.tensor.order), None)
    } else {
        let axes: Vec<usize> = (0..rank).filter(|&at| at != axis).chain([axis]).collect();
        let found = strides(&x.tensor);
        let by_axes = |values: &[usize]| axes.iter().map(|&axis| values[axis]).collect::<Vec<_>>();
        let places = (by_axes(&shape), &by_axes(&found)[..], 0);
        (copied(builder, &node.name, &x.tensor, places, Order::Last), Some(axes))
    };
    let length = from.view.channels;
    let softmax = softmax_of(&x, length, target);
    let to = builder.buffer(length, from.view.height, from.view.width);
    builder.push(&node.name, Op::Softmax(softmax), vec![from.view], to);
    let made = from.at(to);
    let Some(axes) = axes else { return Ok(made) };
    let (found, mut back) = (strides(&made), vec![0; rank]);
    for (at, &axis) in axes.iter().enumerate() {
        back[axis] = found[at];
    }
    Ok(copied(builder, &node.name, &made, (shape, &back, 0), x.tensor.order))
}

/// All values from `axis` on side by side, as pixels of so many channels, and the order of the graph's axes in which they lie.
fn several(builder: &mut Builder, node: &NodeProto, x: &Quantised, axis: usize) -> (Quantised, Order) {
    let pixels: usize = x.shape[..axis].iter().product();
    // Where all values share one, it does not matter in which order they lie.
    let order = if pixels == 1 { x.order } else { Order::Last };
    let lying = in_order(builder, &node.name, x, order);
    let shape = vec![pixels, lying.view.len() / pixels.max(1)];
    (whole(lying.view.buffer, shape, Order::Last, x.unsigned), order)
}

/// A softmax over `length` values of `x`.
fn softmax_of(x: &Activation, length: usize, target: Target) -> Softmax {
    let unit = f64::from(1u32 << Softmax::bits(length));
    let exponential =
        |d: usize| (libm::exp(-(d as f64) * f64::from(x.scale)) * unit).round_ties_even() as i32;
    let Target { scale, zero, low, high } = target;
    let exponentials = Box::new(std::array::from_fn(exponential));
    Softmax { length, exponentials, inverse: 1.0 / scale, zero, low, high }
}

/// DQ → LRN → Q of a picture, with a power that square roots give.
pub(super) fn response(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Quantised, Refusal> {
    let refuse = |what: &str| Refusal::float(&node.name, what);
    let x = builder.activation(input(node, 0)?)?;
    let size = usize::try_from(integer(node, "size", 0)).ok().filter(|size| (1..1 << 14).contains(size));
    let size = size.ok_or_else(|| refuse("an LRN of no size"))?;
    let power = match float(node, "beta", 0.75) {
        0.5 => Power::Half,
        0.75 => Power::ThreeQuarters,
        1.0 => Power::One,
        _ => return Err(refuse("an LRN of another power than a half, three quarters or one")),
    };
    let bias = float(node, "bias", 1.0);
    let factor = float(node, "alpha", 1e-4) / size as f32 * x.scale * x.scale;
    let multiplier = x.scale / target.scale;
    if !(bias > 0.0 && factor >= 0.0 && factor.is_finite() && multiplier.is_finite()) {
        return Err(refuse("an LRN of constants that are not positive"));
    }
    let Target { zero, low, high, .. } = target;
    let (before, after) = ((size - 1) / 2, size / 2);
    let response =
        Response { before, after, bias, factor, power, zeros: [x.zero, zero], multiplier, low, high };
    let from = builder.dense(&node.name, x.tensor.view);
    let to = builder.buffer(from.channels, from.height, from.width);
    builder.push(&node.name, Op::Response(response), vec![from], to);
    Ok(whole(to.buffer, x.tensor.shape.clone(), Order::First, x.tensor.unsigned))
}
