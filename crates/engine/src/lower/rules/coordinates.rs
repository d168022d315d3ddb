//! Where the pixels of a resized picture lie on the one before.

use tract_onnx::pb::NodeProto;

use crate::lower::onnx::word;
use crate::refusal::Refusal;
use edgeclip_kernels::interpolate::Between;

/// A side before and after, and by how much it grows.
pub(super) struct Side {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) scale: f32,
}

/// Where each place of a side lies on the input, in f32 like ONNX Runtime: ties decide.
pub(super) fn between(node: &NodeProto, side: &Side) -> Result<Vec<Between>, Refusal> {
    let refuse = |what: &str| Refusal::float(&node.name, what);
    let &Side { from, to, scale } = side;
    if to > 1 << 16 {
        return Err(refuse("a Resize to more than 65,536 rows or columns"));
    }
    // The first version knew nothing else.
    let old = node.input.len() == 2;
    let centres = |expected: &str| {
        let default = if old { "asymmetric" } else { "half_pixel" };
        word(node, "coordinate_transformation_mode", default, expected)
    };
    let place: Box<dyn Fn(f32) -> f32> = match () {
        () if centres("half_pixel") => Box::new(move |at| (at + 0.5) / scale - 0.5),
        () if centres("pytorch_half_pixel") => {
            Box::new(move |at| if to > 1 { (at + 0.5) / scale - 0.5 } else { 0.0 })
        }
        () if centres("asymmetric") => Box::new(move |at| at / scale),
        () if centres("align_corners") => {
            Box::new(move |at| if to > 1 { at * (from - 1) as f32 / (to - 1) as f32 } else { 0.0 })
        }
        () => return Err(refuse("a Resize of other coordinates")),
    };
    let last = (from - 1) as f32;
    if word(node, "mode", "nearest", "linear") {
        return Ok((0..to)
            .map(|at| {
                let at = place(at as f32).clamp(0.0, last);
                let first = at.floor();
                let neighbours = [first as usize, (first as usize + 1).min(from - 1)];
                Between { neighbours, share: at - first }
            })
            .collect());
    }
    if !word(node, "mode", "nearest", "nearest") {
        return Err(refuse("a Resize that is neither linear nor nearest"));
    }
    let rounding = |expected: &str| {
        word(node, "nearest_mode", if old { "floor" } else { "round_prefer_floor" }, expected)
    };
    let round: fn(f32) -> f32 = match () {
        () if rounding("round_prefer_floor") => |at| (at - 0.5).ceil(),
        () if rounding("round_prefer_ceil") => |at| (at + 0.5).floor(),
        () if rounding("floor") => f32::floor,
        () if rounding("ceil") => f32::ceil,
        () => return Err(refuse("a Resize that rounds otherwise")),
    };
    Ok((0..to)
        .map(|at| {
            let at = round(place(at as f32)).clamp(0.0, last) as usize;
            Between { neighbours: [at, at], share: 0.0 }
        })
        .collect())
}
