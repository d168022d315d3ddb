//! Where the windows of a convolution or pooling lie.

use tract_onnx::pb::NodeProto;

use crate::lower::onnx::{list, word};
use crate::refusal::Refusal;
use edgeclip_kernels::patches::Window;

/// Most that a side, a step or a gap of windows may be: products of three are numbers.
const MOST: usize = 1 << 16;

/// The windows of a node with its `strides`, `dilations`, and `pads` or `auto_pad`. With `ceil` the last windows may reach beyond
/// the padding but must begin before its end.
pub(super) fn window(
    node: &NodeProto,
    size: [usize; 2],
    kernel: [usize; 2],
    ceil: bool,
) -> Result<Window, Refusal> {
    let refuse = || Refusal::float(&node.name, "strides, pads or a kernel that do not fit the picture");
    let pair = |name: &str| match numbers(node, name, 2, 1).as_deref() {
        Some(&[down, right]) if (1..=MOST).contains(&down) && (1..=MOST).contains(&right) => {
            Ok([down, right])
        }
        _ => Err(refuse()),
    };
    let (stride, dilation) = (pair("strides")?, pair("dilations")?);
    let pads = numbers(node, "pads", 4, 0).filter(|pads| pads.len() == 4).ok_or_else(refuse)?;
    let (mut pad, mut output) = ([0; 2], [0; 2]);
    for axis in 0..2 {
        if !(1..=MOST).contains(&kernel[axis]) || size[axis] > MOST * MOST {
            return Err(refuse());
        }
        let side = (kernel[axis] - 1) * dilation[axis] + 1;
        let around = match () {
            () if word(node, "auto_pad", "NOTSET", "SAME_UPPER") => {
                same(size[axis], side, stride[axis], false)
            }
            () if word(node, "auto_pad", "NOTSET", "SAME_LOWER") => {
                same(size[axis], side, stride[axis], true)
            }
            () if word(node, "auto_pad", "NOTSET", "VALID") => (0, 0),
            () => (pads[axis], pads[axis + 2]),
        };
        let count = count(size[axis], side, stride[axis], around, ceil).ok_or_else(refuse)?;
        (pad[axis], output[axis]) = (around.0, count);
    }
    Ok(Window { input: size, output, kernel, stride, pad, dilation })
}

/// An attribute of `count` numbers.
fn numbers(node: &NodeProto, name: &str, count: usize, default: i64) -> Option<Vec<usize>> {
    list(node, name, &vec![default; count]).iter().map(|&value| usize::try_from(value).ok()).collect()
}

/// The padding before and after a side of `size` with which one window begins every `stride` values; an odd one more comes
/// after, or before.
fn same(size: usize, side: usize, stride: usize, odd_before: bool) -> (usize, usize) {
    let total = ((size.div_ceil(stride).max(1) - 1) * stride + side).saturating_sub(size);
    let before = if odd_before { total.div_ceil(2) } else { total / 2 };
    (before, total - before)
}

/// Number of windows.
fn count(
    size: usize,
    side: usize,
    stride: usize,
    (before, after): (usize, usize),
    ceil: bool,
) -> Option<usize> {
    let room = size.checked_add(before)?.checked_add(after)?.checked_sub(side)?;
    if before.max(after) >= side {
        return None;
    }
    let steps = if ceil { room.checked_add(stride)?.checked_sub(1)? } else { room } / stride;
    Some(steps + usize::from(!ceil || steps * stride < size + before))
}
