//! `Resize` to twice the height and width.

use tract_onnx::pb::NodeProto;

use super::function::moved;
use super::pooling::push;
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, word};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Quantised, Target};
use edgeclip_kernels::upsample::Upsample;

/// DQ → Resize → Q: linear with half-pixel centres, or every pixel four times.
pub(super) fn resize(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let refuse = |found: &str| Refusal::float(&node.name, found);
    let x = builder.activation(input(node, 0)?)?;
    if !twice(builder, node, &x)? || integer(node, "antialias", 0) != 0 {
        return Err(refuse("a Resize other than to twice the height and width"));
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
        return Ok(moved(builder, node, &Activation { tensor, ..x }, target));
    }
    if !(mode("linear") && half_pixel) {
        return Err(refuse(
            "a Resize other than linear with half-pixel centres or nearest to the pixel before",
        ));
    }
    let upsample = Upsample {
        size: [view.height, view.width],
        channels: view.channels,
        zeros: [x.zero, target.zero],
        multiplier: x.scale / target.scale / 16.0,
    };
    if !upsample.multiplier.is_finite() {
        return Err(refuse("a multiplier that is not finite"));
    }
    let tensor = push(builder, node, &x.tensor, size, Op::Upsample(upsample));
    Ok(builder.within(node, tensor, target))
}

/// Whether the node's scales or sizes double rows and columns and nothing else.
fn twice(builder: &Builder, node: &NodeProto, x: &Activation) -> Result<bool, Refusal> {
    if let Ok(sizes) = input(node, 3) {
        let sizes = builder.onnx.integers(sizes)?.values;
        let &[batch, channels, height, width] = &x.tensor.shape[..] else { return Ok(false) };
        return Ok(sizes == [batch, channels, 2 * height, 2 * width].map(|size| size as i64));
    }
    Ok(builder.onnx.floats(input(node, 2)?)?.values == [1.0, 1.0, 2.0, 2.0])
}
