//! `Pad` of a picture: by a constant, by what it ends with, or by its mirror image.

use tract_onnx::pb::NodeProto;

use super::constant;
use super::function::moved;
use super::pooling::push;
use crate::lower::builder::Builder;
use crate::lower::onnx::{float, input, list, word};
use crate::refusal::Refusal;
use crate::steps::{Op, Quantised, Target};
use edgeclip_kernels::interpolate::{Between, Interpolate};
use edgeclip_kernels::pad::Pad;

/// Most that is added on a side.
const MOST: i64 = 1 << 16;

/// DQ → Pad → Q: rows, columns and channels.
pub(super) fn pad(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = || Refusal::float(&node.name, "a Pad other than around a picture");
    let x = builder.activation(input(node, 0)?)?;
    let pads = match input(node, 1) {
        Ok(name) => builder.numbers(name)?,
        Err(_) => list(node, "pads", &[]),
    };
    let value = match input(node, 2) {
        Ok(name) => constant::real(builder, name)?.values,
        Err(_) => vec![float(node, "value", 0.0)],
    };
    let (&[0, channels, top, left, 0, deep, bottom, right], &[value]) = (&pads[..], &value[..]) else {
        return Err(refuse());
    };
    if input(node, 3).is_ok() || x.tensor.shape.len() != 4 || pads.iter().any(|pad| pad.abs() >= MOST) {
        return Err(refuse());
    }
    let is_constant = word(node, "mode", "constant", "constant");
    let reflects = word(node, "mode", "constant", "reflect");
    if !is_constant && !reflects && !word(node, "mode", "constant", "edge") {
        return Err(refuse());
    }
    let tensor = moved(builder, node, &x, target);
    let [_, _, height, width] = tensor.shape[..] else { return Err(refuse()) };
    let cut = [top, left, bottom, right].iter().any(|&pad| pad < 0);
    if channels < 0 || deep < 0 || (!is_constant && channels + deep > 0) {
        return Err(refuse());
    }
    // What is cut off, and what is taken from inside.
    let sides = [(height, top, bottom), (width, left, right)];
    let places = sides.map(|(size, before, after)| {
        let [before, after] = [before, after].map(|pad| if is_constant { pad.min(0) } else { pad });
        places(-before..size as i64 + after, size, reflects)
    });
    let [Some(rows), Some(columns)] = places else { return Err(refuse()) };
    let tensor = if cut || !is_constant {
        let made = [rows.len(), columns.len()];
        let taken = Interpolate {
            size: [height, width],
            channels: tensor.view.channels,
            rows,
            columns,
            zeros: [0, 0],
            multiplier: 1.0,
        };
        push(builder, node, &tensor, made, Op::Interpolate(taken))
    } else {
        tensor
    };
    if !is_constant {
        return Ok(tensor);
    }
    let [channels, top, left, deep, bottom, right] =
        [channels, top, left, deep, bottom, right].map(|pad| pad.max(0) as usize);
    let view = tensor.view;
    let pad = Pad {
        input: [view.height, view.width, view.channels],
        output: [view.height + top + bottom, view.width + left + right, view.channels + channels + deep],
        before: [top, left, channels],
        apart: [1; 2],
        fill: target.quantise(value),
    };
    let [height, width, channels] = pad.output;
    let to = builder.buffer(channels, height, width);
    builder.push(&node.name, Op::Pad(pad), vec![view], to);
    Ok(Quantised { unsigned: tensor.unsigned, ..Quantised::picture(to) })
}

/// The rows or columns `at` of a side, those beyond it mirrored at the outermost one, or the outermost one again; `None` if there are
/// none, or if they lie too far beyond.
fn places(at: std::ops::Range<i64>, size: usize, reflects: bool) -> Option<Vec<Between>> {
    let last = size as i64 - 1;
    let place = |at: i64| {
        let inside = match at {
            at if !reflects => at.clamp(0, last),
            at if at < 0 => -at,
            at if at > last => 2 * last - at,
            at => at,
        };
        let inside = usize::try_from(inside).ok().filter(|&at| at < size)?;
        Some(Between { neighbours: [inside, inside], share: 0.0 })
    };
    at.map(place).collect::<Option<Vec<_>>>().filter(|places| !places.is_empty())
}
