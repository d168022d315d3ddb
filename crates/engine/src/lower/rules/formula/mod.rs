//! What no other rule knows: convolutions, products, tensors and constants that meet in float, value by value, between quantised tensors.

mod lines;
mod parts;

use crate::lower::arrange::{repeated, whole};
use crate::lower::builder::Builder;
use crate::refusal::Refusal;
use crate::steps::{Meeting, Op, Quantised, Target, View};
use edgeclip_kernels::formula::Formula;
use lines::lines;
use parts::parts;

/// Nodes → Q, each value by value of the others and of what is given above.
pub(super) fn chain(builder: &mut Builder, name: &str, target: Target) -> Result<Quantised, Refusal> {
    let parts = parts(builder, name)?;
    let made = whole(0, parts.shape.clone(), parts.order, false);
    let to = builder.buffer(made.view.channels, made.view.height, made.view.width);
    let title = builder.onnx.title(name).to_owned();
    builder.within_budget(&title)?;
    let mut from: Vec<View> = parts.sums.iter().map(|(_, sums)| sums.from).collect();
    for (_, x) in &parts.tensors {
        from.push(repeated(builder, &title, &x.tensor, &parts.shape, parts.order).view);
    }
    builder.within_budget(&title)?;
    let lines = lines(builder, &parts, name)?;
    let Target { scale, zero, low, high } = target;
    let formula = Formula { lines, channels: made.view.channels, scale, zero, low, high };
    let convolutions = parts.sums.into_iter().map(|(_, sums)| sums.wide).collect();
    builder.push(&title, Op::Meeting(Box::new(Meeting { convolutions, formula })), from, to);
    Ok(made.at(to))
}
