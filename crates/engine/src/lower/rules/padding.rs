//! `Pad` of a picture by a constant.

use tract_onnx::pb::NodeProto;

use super::constant;
use super::function::moved;
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, list, word};
use crate::refusal::Refusal;
use crate::steps::{Op, Quantised, Target};
use edgeclip_kernels::pad::Pad;

/// DQ → Pad → Q: rows, columns and channels.
pub(super) fn pad(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Pad other than by a constant around a picture");
    let x = builder.activation(input(node, 0)?)?;
    let pads = match input(node, 1) {
        Ok(name) => builder.onnx.integers(name)?.values,
        Err(_) => list(node, "pads", &[]),
    };
    let value = match input(node, 2) {
        Ok(name) => constant::real(builder, name)?.values,
        Err(_) => vec![crate::lower::onnx::float(node, "value", 0.0)],
    };
    let pads: Vec<usize> = pads
        .iter()
        .map(|&pad| usize::try_from(pad).ok().filter(|&pad| pad < 1 << 16))
        .collect::<Option<_>>()
        .ok_or_else(refuse)?;
    let (&[0, channels, top, left, 0, deep, bottom, right], &[value]) = (&pads[..], &value[..]) else {
        return Err(refuse());
    };
    if !word(node, "mode", "constant", "constant") || input(node, 3).is_ok() || x.tensor.shape.len() != 4 {
        return Err(refuse());
    }
    let tensor = moved(builder, node, &x, target);
    let view = tensor.view;
    let pad = Pad {
        input: [view.height, view.width, view.channels],
        output: [view.height + top + bottom, view.width + left + right, view.channels + channels + deep],
        before: [top, left, channels],
        fill: target.quantise(value),
    };
    let [height, width, channels] = pad.output;
    let to = builder.buffer(channels, height, width);
    builder.push(&node.name, Op::Pad(pad), vec![view], to);
    Ok(Quantised { unsigned: tensor.unsigned, ..Quantised::picture(to) })
}
