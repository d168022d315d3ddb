//! Windows over pictures in float, and pictures at other sizes.

use tract_onnx::pb::NodeProto;

use super::{made, picture};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, list};
use crate::lower::rules::coordinates::between;
use crate::lower::rules::resize::{plain, sides};
use crate::lower::rules::window::window;
use crate::refusal::Refusal;
use crate::steps::{Op, Order, Real};
use edgeclip_kernels::interpolate::Interpolate;
use edgeclip_kernels::pool::RealPool;

/// The largest or mean value of each window.
pub(super) fn pool(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    let refuse = |what: &str| Refusal::float(&node.name, what);
    let x = builder.real(input(node, 0)?)?;
    let (x, [channels, height, width]) = picture(builder, node, &x)?;
    let &[rows, columns] = &list(node, "kernel_shape", &[])[..] else {
        return Err(refuse("a pooling that is not of two axes"));
    };
    if rows < 1 || columns < 1 || node.output.len() > 1 {
        return Err(refuse("a pooling with indices or without a kernel"));
    }
    let windows = |ceil| window(node, [height, width], [rows as usize, columns as usize], ceil);
    let found = windows(integer(node, "ceil_mode", 0) != 0)?;
    let pool = if node.op_type == "MaxPool" {
        RealPool::Max
    } else {
        let padding_counts = integer(node, "count_include_pad", 0) != 0;
        if padding_counts && windows(false)? != found {
            return Err(refuse("a mean in float of windows beyond padding that counts"));
        }
        RealPool::Mean { padding_counts }
    };
    let made = made(builder, vec![1, channels, found.output[0], found.output[1]], Order::First);
    builder.within_budget(&node.name)?;
    builder.push(&node.name, Op::RealPool(found, pool), vec![x.view], made.view);
    Ok(made)
}

/// A picture at another size.
pub(super) fn resize(builder: &mut Builder, node: &NodeProto) -> Result<Real, Refusal> {
    plain(node)?;
    let x = builder.real(input(node, 0)?)?;
    let (x, [channels, height, width]) = picture(builder, node, &x)?;
    let sides = sides(builder, node, &x.shape)?;
    let [rows, columns] = [between(node, &sides[0])?, between(node, &sides[1])?];
    let made = made(builder, vec![1, channels, rows.len(), columns.len()], Order::First);
    builder.within_budget(&node.name)?;
    let interpolate =
        Interpolate { size: [height, width], channels, rows, columns, zeros: [0; 2], multiplier: 1.0 };
    builder.push(&node.name, Op::RealInterpolate(interpolate), vec![x.view], made.view);
    Ok(made)
}
