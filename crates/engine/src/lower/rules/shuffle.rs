//! The channel shuffle, written as three nodes.

use tract_onnx::pb::NodeProto;

use crate::lower::builder::Builder;
use crate::lower::onnx::{input, list};
use crate::refusal::Refusal;
use crate::steps::{Op, Quantised, Target};
use edgeclip_kernels::rearrange::Rearrange;

/// Whether a `Reshape` makes groups of channels, or ends a shuffle of them.
pub(super) fn is_link(builder: &Builder, node: &NodeProto) -> bool {
    let ends = || {
        let dq = builder.onnx.made_by(node.input.first()?, "DequantizeLinear")?;
        let q = builder.onnx.made_by(dq.input.first()?, "QuantizeLinear")?;
        builder.onnx.made_by(q.input.first()?, "Transpose").filter(|transpose| is_swap(transpose))
    };
    let shape = input(node, 1).and_then(|name| builder.onnx.integers(name));
    shape.is_ok_and(|shape| shape.values.len() == 5) || ends().is_some()
}

/// The channel shuffle: Reshape `[1, G, C/G, H, W]` → Transpose → Reshape, each requantised to the same scale. A Concat of two halves
/// before it becomes an interleaving, else the channels are copied in their new order; the links before the last are nothing by
/// themselves.
pub(super) fn link(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Option<Quantised>, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Reshape that is no part of a channel shuffle");
    let shape = builder.onnx.integers(input(node, 1)?)?.values;
    if shape.len() == 5 {
        // The first link: only the transposition may read it.
        return first_link(builder, node).then_some(None).ok_or_else(refuse);
    }
    let transpose = before(builder, input(node, 0)?, "Transpose", target).ok_or_else(refuse)?;
    if !is_swap(transpose) {
        return Err(refuse());
    }
    let reshape = before(builder, input(transpose, 0)?, "Reshape", target).ok_or_else(refuse)?;
    let groups = builder.onnx.integers(input(reshape, 1)?)?.values;
    let x = builder.activation(input(reshape, 0)?)?;
    let view = x.tensor.view;
    let number = |value: usize| value as i64;
    let (channels, height, width) = (number(view.channels), number(view.height), number(view.width));
    let count = groups.get(1).copied().filter(|&count| count > 0 && channels % count == 0).unwrap_or(1);
    let expected = [1, count, channels / count, height, width];
    let unchanged = target.is_open() && (x.scale, x.zero) == (target.scale, target.zero);
    let link = builder.onnx.made_by(input(reshape, 0)?, "DequantizeLinear").ok_or_else(refuse)?;
    let lonely = builder.readers(input(reshape, 0)?) == 1 && builder.readers(input(link, 0)?) == 1;
    if !(unchanged && lonely && groups == expected && shape == [1, channels, height, width]) {
        return Err(refuse());
    }
    if let Some(step) = builder.steps.iter_mut().find(|step| step.to == view)
        && let Op::Concat(tables) = &step.op
        && count == 2
        && let [a, b] = &tables[..]
        && step.from[0].channels == step.from[1].channels
    {
        step.op = Op::Interleave(Box::new([a.clone(), b.clone()]));
        return Ok(Some(x.tensor));
    }
    let (groups, width) = (count as usize, view.channels / count as usize);
    let order = Rearrange::new(&[view.pixels(), width, groups], &[view.stride, 1, width]);
    let to = builder.buffer(view.channels, view.height, view.width);
    builder.push(&node.name, Op::Rearrange(order, 0), vec![view], to);
    Ok(Some(x.tensor.at(to)))
}

/// Whether a `Reshape` feeds a `Transpose` of a shuffle and nothing else.
fn first_link(builder: &Builder, node: &NodeProto) -> bool {
    builder.onnx.graph.node.iter().filter(|next| is_swap(next)).any(|next| {
        let dq = next.input.first().and_then(|name| builder.onnx.made_by(name, "DequantizeLinear"));
        let q =
            dq.and_then(|dq| dq.input.first()).and_then(|name| builder.onnx.made_by(name, "QuantizeLinear"));
        q.is_some_and(|q| q.input.first() == node.output.first())
    })
}

/// Whether a `Transpose` swaps groups and their channels.
pub(super) fn is_swap(node: &NodeProto) -> bool {
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
