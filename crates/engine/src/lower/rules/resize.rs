//! `Resize` of rows and columns: linear or to the nearest pixel; to twice the size by kernels of their own.

use tract_onnx::pb::NodeProto;

use super::coordinates::{Side, between};
use super::function::moved;
use super::pooling::push;
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list, word};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Quantised, Target};
use edgeclip_kernels::interpolate::Interpolate;
use edgeclip_kernels::upsample::Upsample;

/// DQ → Resize → Q.
pub(super) fn resize(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = |found: &str| Refusal::float(&node.name, found);
    let x = builder.activation(input(node, 0)?)?;
    let &[_, _, height, width] = &x.tensor.shape[..] else { return Err(refuse("a Resize of no picture")) };
    plain(node)?;
    let sides = sides(builder, node, &x.tensor.shape)?;
    if let Some(made) = twice(builder, node, &x, &sides, target)? {
        return Ok(made);
    }
    let [rows, columns] = [between(node, &sides[0])?, between(node, &sides[1])?];
    let linear = word(node, "mode", "nearest", "linear");
    let (zeros, multiplier) =
        if linear { ([x.zero, target.zero], x.scale / target.scale) } else { ([0, 0], 1.0) };
    if !multiplier.is_finite() {
        return Err(refuse("a multiplier that is not finite"));
    }
    let (size, made) = ([height, width], [rows.len(), columns.len()]);
    let channels = x.tensor.view.channels;
    let interpolate = Interpolate { size, channels, rows, columns, zeros, multiplier };
    let tensor = push(builder, node, &x.tensor, made, Op::Interpolate(interpolate));
    builder.within_budget(&node.name)?;
    if linear {
        return Ok(builder.within(node, tensor, target));
    }
    Ok(moved(builder, node, &Activation { tensor, ..x }, target))
}

/// Refuses what is neither linear nor nearest.
pub(super) fn plain(node: &NodeProto) -> Result<(), Refusal> {
    if integer(node, "antialias", 0) != 0 || !word(node, "keep_aspect_ratio_policy", "stretch", "stretch") {
        return Err(Refusal::float(&node.name, "a Resize with antialiasing or of a policy"));
    }
    Ok(())
}

/// Rows and columns.
pub(super) fn sides(builder: &Builder, node: &NodeProto, shape: &[usize]) -> Result<[Side; 2], Refusal> {
    let refuse = || Refusal::float(&node.name, "a Resize of other axes than rows and columns");
    // Of a picture's axes, or of those that are named.
    let named = match list(node, "axes", &[0, 1, 2, 3])[..] {
        [0, 1, 2, 3] => false,
        [2, 3] | [-2, -1] => true,
        _ => return Err(refuse()),
    };
    let scales = if node.input.len() == 2 { 1 } else { 2 };
    if let Ok(name) = input(node, 3) {
        let sizes = builder.numbers(name)?;
        let (own, sizes) = sizes.split_at_checked(if named { 0 } else { 2 }).ok_or_else(refuse)?;
        let &[rows, columns] = sizes else { return Err(refuse()) };
        let same = own.iter().zip(shape).all(|(&size, &own)| size == own as i64);
        if !same || rows < 1 || columns < 1 {
            return Err(refuse());
        }
        return Ok([(shape[2], rows), (shape[3], columns)].map(|(from, to)| Side {
            from,
            to: to as usize,
            scale: to as f32 / from as f32,
        }));
    }
    let found = builder.onnx.floats(input(node, scales)?)?.values;
    let (own, found) = found.split_at_checked(if named { 0 } else { 2 }).ok_or_else(refuse)?;
    let &[rows, columns] = found else { return Err(refuse()) };
    if own.iter().any(|&scale| scale != 1.0) {
        return Err(refuse());
    }
    let side = |from: usize, scale: f32| {
        // As ONNX Runtime computes it.
        let to = (from as f32 * scale).floor();
        (1.0..u32::MAX as f32).contains(&to).then_some(Side { from, to: to as usize, scale })
    };
    let sides = side(shape[2], rows).zip(side(shape[3], columns));
    sides.map(|(rows, columns)| [rows, columns]).ok_or_else(refuse)
}

/// Linear to twice the size with half-pixel centres, or every pixel four times; `None` if it is neither.
fn twice(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    sides: &[Side; 2],
    target: Target,
) -> Result<Option<Quantised>, Refusal> {
    if sides.iter().any(|side| side.scale != 2.0) || node.input.len() == 2 {
        return Ok(None);
    }
    let mode = |expected: &str| word(node, "mode", "nearest", expected);
    let centres = |expected: &str| word(node, "coordinate_transformation_mode", "half_pixel", expected);
    let rounding = |expected: &str| word(node, "nearest_mode", "round_prefer_floor", expected);
    let half_pixel = centres("half_pixel") || centres("pytorch_half_pixel");
    // Where every second pixel of the result takes the one before it.
    let repeats = match () {
        () if half_pixel => rounding("round_prefer_floor") || rounding("round_prefer_ceil"),
        () if centres("asymmetric") => rounding("floor") || rounding("round_prefer_floor"),
        () => false,
    };
    let view = x.tensor.view;
    let size = [2 * view.height, 2 * view.width];
    if mode("nearest") && repeats {
        let tensor = push(builder, node, &x.tensor, size, Op::Repeat);
        return Ok(Some(moved(builder, node, &Activation { tensor, ..x.clone() }, target)));
    }
    if !(mode("linear") && half_pixel) {
        return Ok(None);
    }
    let upsample = Upsample {
        size: [view.height, view.width],
        channels: view.channels,
        zeros: [x.zero, target.zero],
        multiplier: x.scale / target.scale / 16.0,
    };
    if !upsample.multiplier.is_finite() {
        return Err(Refusal::float(&node.name, "a multiplier that is not finite"));
    }
    let tensor = push(builder, node, &x.tensor, size, Op::Upsample(upsample));
    Ok(Some(builder.within(node, tensor, target)))
}
