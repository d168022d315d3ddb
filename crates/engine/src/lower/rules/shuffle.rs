//! The channel shuffle, written as three nodes.

use tract_onnx::pb::NodeProto;

use crate::lower::builder::Builder;
use crate::lower::onnx::list;
use crate::steps::{Op, Order, Quantised, Target};
use edgeclip_kernels::rearrange::Rearrange;

/// The channel shuffle: Reshape `[1, G, C/G, H, W]` → Transpose → Reshape, each requantised to the same scale. A Concat of two halves
/// before it becomes an interleaving, else the channels are copied in their new order; nothing reads the steps of the links then.
/// `None` if `node` does not end one.
pub(super) fn shuffle(builder: &mut Builder, node: &NodeProto, target: Target) -> Option<Quantised> {
    let transpose = before(builder, node.input.first()?, "Transpose", target).filter(|next| is_swap(next))?;
    let reshape = before(builder, transpose.input.first()?, "Reshape", target)?;
    let shape = |node: &NodeProto| builder.onnx.integers(node.input.get(1)?).ok().map(|shape| shape.values);
    let (groups, shape) = (shape(reshape)?, shape(node)?);
    let source = reshape.input.first()?;
    let x = builder.any_activation(source).ok().filter(|x| x.tensor.order == Order::First)?;
    let view = x.tensor.view;
    let number = |value: usize| value as i64;
    let (channels, height, width) = (number(view.channels), number(view.height), number(view.width));
    let count = groups.get(1).copied().filter(|&count| count > 0 && channels % count == 0)?;
    let expected = [1, count, channels / count, height, width];
    let unchanged = target.is_open() && (x.scale, x.zero) == (target.scale, target.zero);
    if !unchanged || groups != expected || shape != [1, channels, height, width] {
        return None;
    }
    let link = builder.onnx.made_by(source, "DequantizeLinear")?;
    let lonely = builder.readers(source) == 1 && builder.readers(link.input.first()?) == 1;
    if let Some(step) = builder.steps.iter_mut().find(|step| step.to == view)
        && let Op::Concat(tables) = &step.op
        && let ([a, b], 2, true) = (&tables[..], count, lonely)
        && step.from[0].channels == step.from[1].channels
    {
        step.op = Op::Interleave(Box::new([a.clone(), b.clone()]));
        return Some(x.tensor);
    }
    let (groups, width) = (count as usize, view.channels / count as usize);
    let order = Rearrange::new(&[view.pixels(), width, groups], &[view.stride, 1, width]);
    let to = builder.buffer(view.channels, view.height, view.width);
    builder.push(&node.name, Op::Rearrange(order, 0), vec![view], to);
    Some(x.tensor.at(to))
}

/// Whether a `Transpose` swaps groups and their channels.
fn is_swap(node: &NodeProto) -> bool {
    node.op_type == "Transpose" && list(node, "perm", &[]) == [0, 2, 1, 3, 4]
}

/// The node of `kind` before DQ(Q(·)) of the unchanged scale at `name`, if only that reads it.
fn before<'a>(builder: &Builder<'a>, name: &str, kind: &str, target: Target) -> Option<&'a NodeProto> {
    let dq = builder.onnx.made_by(name, "DequantizeLinear")?;
    let q = builder.onnx.made_by(dq.input.first()?, "QuantizeLinear")?;
    let same = |node: &NodeProto| {
        builder.unit(node, true).is_ok_and(|(scale, zero, _)| (scale, zero) == (target.scale, target.zero))
    };
    let lonely = [name, dq.input.first()?, q.input.first()?].iter().all(|name| builder.readers(name) == 1);
    builder.onnx.made_by(q.input.first()?, kind).filter(|_| same(dq) && same(q) && lonely)
}
