//! Ops that only move values: `Concat`, `Slice`, `Flatten`, and the channel shuffle.

use tract_onnx::pb::NodeProto;

use super::super::Refusal;
use super::super::builder::{Activation, Builder, Quantised, Target};
use super::super::draft::{Op, View};
use super::super::onnx::{integer, list};
use super::elementwise::{function, table};
use super::input;

/// DQ… → Concat → Q along the channels: each input through the table that brings it to the result's scale.
pub(super) fn concat(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let inputs: Vec<Activation> =
        node.input.iter().map(|name| builder.activation(name)).collect::<Result<_, _>>()?;
    let shape = inputs.first().map(|x| x.tensor.shape.clone()).unwrap_or_default();
    let same =
        |x: &Activation| x.tensor.shape.len() == shape.len() && x.tensor.shape.get(2..) == shape.get(2..);
    if ![1, 1 - shape.len() as i64].contains(&integer(node, "axis", 0)) || !inputs.iter().all(same) {
        return Err(Refusal::new(&node.name, "a Concat that is not along the channels"));
    }
    let tables = inputs.iter().map(|x| table(x, target, |value| value)).collect();
    let from: Vec<View> = inputs.iter().map(|x| x.tensor.view).collect();
    let channels = from.iter().map(|view| view.channels).sum();
    let to = builder.buffer(channels, from[0].height, from[0].width);
    builder.push(&node.name, Op::Concat(tables), from, to);
    let mut shape = shape;
    shape[1] = channels;
    Ok(Quantised { view: to, shape })
}

/// DQ → Slice → Q of channels: no step where the scale stays.
pub(super) fn slice(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::new(&node.name, "a Slice other than of neighbouring channels");
    let one = |builder: &Builder, index: usize, default: i64| match node.input.get(index).map(String::as_str)
    {
        None | Some("") => Ok(default),
        Some(name) => match builder.onnx.integers(name)?.values[..] {
            [value] => Ok(value),
            _ => Err(refuse()),
        },
    };
    let (start, end) = (one(builder, 1, -1)?, one(builder, 2, -1)?);
    if one(builder, 3, -1)? != 1 || one(builder, 4, 1)? != 1 {
        return Err(refuse());
    }
    let mut tensor = function(builder, node, input(node, 0)?, target, |x| x)?;
    let channels = tensor.view.channels;
    let (start, end) =
        (usize::try_from(start).map_err(|_| refuse())?, usize::try_from(end).map_err(|_| refuse())?);
    let end = end.min(channels);
    if start >= end {
        return Err(refuse());
    }
    tensor.view.offset += start;
    tensor.view.channels = end - start;
    tensor.shape[1] = end - start;
    Ok(tensor)
}

/// DQ → Flatten → Q of one pixel.
pub(super) fn flatten(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let mut tensor = function(builder, node, input(node, 0)?, target, |x| x)?;
    if integer(node, "axis", 1) != 1 || tensor.view.pixels() != 1 {
        return Err(Refusal::new(&node.name, "a Flatten of more than one pixel"));
    }
    tensor.shape.truncate(2);
    Ok(tensor)
}

/// The channel shuffle of two groups: Concat → Reshape `[1, 2, C/2, H, W]` → Transpose → Reshape, each requantised to the same
/// scale. The Concat becomes an interleaving; the links before the last are nothing by themselves.
pub(super) fn shuffle(
    builder: &mut Builder,
    node: &NodeProto,
    target: Target,
) -> Result<Option<Quantised>, Refusal> {
    let refuse = || Refusal::new(&node.name, "a Reshape that is no part of a channel shuffle of two tensors");
    let shape = builder.onnx.integers(input(node, 1)?)?.values;
    if shape.len() == 5 {
        // The first link: only the transposition may read it.
        return first_link(builder, node).then_some(None).ok_or_else(refuse);
    }
    let transpose = before(builder, input(node, 0)?, "Transpose", target).ok_or_else(refuse)?;
    if !within_shuffle(builder, transpose) {
        return Err(refuse());
    }
    let reshape = before(builder, input(transpose, 0)?, "Reshape", target).ok_or_else(refuse)?;
    let groups = builder.onnx.integers(input(reshape, 1)?)?.values;
    let x = builder.activation(input(reshape, 0)?)?;
    let view = x.tensor.view;
    let number = |value: usize| value as i64;
    let (channels, height, width) = (number(view.channels), number(view.height), number(view.width));
    let expected = [1, 2, channels / 2, height, width];
    let unchanged = (x.scale, x.zero, target.low, target.high) == (target.scale, target.zero, -128, 127);
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
    builder.onnx.graph.node.iter().filter(|next| within_shuffle(builder, next)).any(|next| {
        let dq = next.input.first().and_then(|name| builder.onnx.made_by(name, "DequantizeLinear"));
        let q =
            dq.and_then(|dq| dq.input.first()).and_then(|name| builder.onnx.made_by(name, "QuantizeLinear"));
        q.is_some_and(|q| q.input.first() == node.output.first())
    })
}

/// Whether a `Transpose` swaps groups and their channels.
pub(super) fn within_shuffle(_: &Builder, node: &NodeProto) -> bool {
    node.op_type == "Transpose" && list(node, "perm", &[]) == [0, 2, 1, 3, 4]
}

/// The node of `kind` before DQ(Q(·)) of the unchanged scale at `name`, if only that reads it.
fn before<'a>(builder: &Builder<'a>, name: &str, kind: &str, target: Target) -> Option<&'a NodeProto> {
    let dq = builder.onnx.made_by(name, "DequantizeLinear")?;
    let q = builder.onnx.made_by(dq.input.first()?, "QuantizeLinear")?;
    let same = |node: &NodeProto| builder.scale(node).ok() == Some((target.scale, target.zero));
    let lonely = [name, dq.input.first()?, q.input.first()?].iter().all(|name| builder.readers(name) == 1);
    builder.onnx.made_by(q.input.first()?, kind).filter(|_| same(dq) && same(q) && lonely)
}
