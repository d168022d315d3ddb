//! Functions of one tensor, value by value: whatever elementwise nodes and constants lie between one
//! quantised tensor and the next become a table of all 256 values.
//!
//! Values are f32, each node rounds to f32. Functions beyond + − × ÷ are computed in f64 and rounded once.

use tract_onnx::pb::NodeProto;

use super::{affine, formula};
use crate::lower::builder::Builder;
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Quantised, Target};
use edgeclip_kernels::table::Table;

/// DQ → … → Q, elementwise: a table, or where constants differ from channel to channel, a line for each.
pub(super) fn chain(builder: &mut Builder, name: &str, target: Target) -> Result<Quantised, Refusal> {
    match table(builder, name, target) {
        Err(Refusal::Float(reason)) => match affine::chain(builder, name, target) {
            Err(Refusal::Float(_)) => Err(Refusal::Float(reason)),
            lowered => lowered,
        },
        lowered => lowered,
    }
}

/// Nothing is left of it where no value changes.
fn table(builder: &mut Builder, name: &str, target: Target) -> Result<Quantised, Refusal> {
    let (x, values) = formula::table(builder, name)?;
    let table = Table::new(|q| target.quantise(values[usize::from(q as u8 ^ 128)]));
    Ok(apply(builder, name, &x.tensor, table))
}

/// `x` in the scale of `target`, for ops that move values only.
pub(super) fn moved(builder: &mut Builder, node: &NodeProto, x: &Activation, target: Target) -> Quantised {
    let table = rescaled(x, target);
    apply(builder, &node.name, &x.tensor, table)
}

/// The table that brings `x` to the scale of `target`.
pub(super) fn rescaled(x: &Activation, target: Target) -> Table {
    Table::new(|q| target.quantise(dequantised(x, q)))
}

fn apply(builder: &mut Builder, name: &str, x: &Quantised, table: Table) -> Quantised {
    if table.is_identity() {
        return x.clone();
    }
    let to = builder.buffer(x.view.channels, x.view.height, x.view.width);
    builder.push(name, Op::Table(table), vec![x.view], to);
    x.at(to)
}

fn dequantised(x: &Activation, q: i8) -> f32 {
    (i32::from(q) - x.zero) as f32 * x.scale
}
