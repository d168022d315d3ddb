//! The channel shuffle of two groups, written as four nodes.

use tract_onnx::pb::NodeProto;

use crate::lower::builder::Builder;
use crate::lower::onnx::{input, list};
use crate::refusal::Refusal;
use crate::steps::{Op, Quantised, Target};

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

/// The channel shuffle of two groups: Concat → Reshape `[1, 2, C/2, H, W]` → Transpose → Reshape, each
/// requantised to the same scale. The Concat becomes an interleaving; the links before the last are nothing
/// by themselves.
pub(super) fn link(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Option<Quantised>, Refusal> {
    let refuse =
        || Refusal::float(&node.name, "a Reshape that is no part of a channel shuffle of two tensors");
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
    let expected = [1, 2, channels / 2, height, width];
    let unchanged = target.is_open() && (x.scale, x.zero) == (target.scale, target.zero);
    let link = builder.onnx.made_by(input(reshape, 0)?, "DequantizeLinear").ok_or_else(refuse)?;
    let lonely = builder.readers(input(reshape, 0)?) == 1 && builder.readers(input(link, 0)?) == 1;
    let maker = builder.steps.iter_mut().find(|step| step.to == view);
    match maker {
        Some(step) if unchanged && lonely && groups == expected && shape == [1, channels, height, width] => {
            match &step.op {
                Op::Concat(tables) if tables.len() == 2 && step.from[0].channels == step.from[1].channels => {
                    step.op = Op::Interleave(Box::new([tables[0].clone(), tables[1].clone()]));
                    Ok(Some(x.tensor))
                }
                _ => Err(refuse()),
            }
        }
        _ => Err(refuse()),
    }
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
