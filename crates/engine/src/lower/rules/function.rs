//! Functions of one tensor, value by value: whatever elementwise nodes and constants lie between one
//! quantised tensor and the next become a table of all 256 values.
//!
//! Values are f32, each node rounds to f32. Functions beyond + − × ÷ are computed in f64 and rounded once.

use std::collections::HashMap;

use tract_onnx::pb::NodeProto;

use super::{affine, constant, functions};
use crate::lower::builder::Builder;
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Quantised, Target};
use edgeclip_kernels::table::Table;

/// What a float tensor is for each value of the quantised tensor, or a constant.
#[derive(Clone)]
enum Value {
    Constant(f32),
    Varies(Vec<f32>),
}

/// The nodes seen so far, and the tensor that they start from.
struct Chain<'b, 'a> {
    builder: &'b Builder<'a>,
    source: Option<Activation>,
    known: HashMap<String, Value>,
}

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
    let mut chain = Chain { builder, source: None, known: HashMap::new() };
    let value = chain.value(name)?;
    let (Value::Varies(values), Some(x)) = (value, chain.source) else {
        return Err(Refusal::float(name, "a constant that is quantised"));
    };
    let table = Table::new(|q| target.quantise(values[usize::from(q as u8)]));
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

impl Chain<'_, '_> {
    /// What the float tensor `name` is.
    fn value(&mut self, name: &str) -> Result<Value, Refusal> {
        if let Some(value) = self.known.get(name) {
            return Ok(value.clone());
        }
        let value = self.compute(name)?;
        self.known.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn compute(&mut self, name: &str) -> Result<Value, Refusal> {
        if constant::is_constant(self.builder, name) {
            return match constant::real(self.builder, name)?.values[..] {
                [value] => Ok(Value::Constant(value)),
                _ => Err(Refusal::float(name, "a constant of more than one number")),
            };
        }
        let Some(index) = self.builder.onnx.producer(name) else {
            return Err(Refusal::float(name, "a float input of the graph"));
        };
        let node = &self.builder.onnx.graph.node[index];
        if node.op_type == "DequantizeLinear" {
            let x = self.builder.any_activation(name)?;
            let values = (0..=255u8).map(|q| dequantised(&x, q as i8)).collect();
            match &self.source {
                Some(source)
                    if (source.tensor.view, source.scale, source.zero)
                        != (x.tensor.view, x.scale, x.zero) =>
                {
                    return Err(Refusal::float(&node.name, "a function of two tensors"));
                }
                _ => self.source = Some(x),
            }
            return Ok(Value::Varies(values));
        }
        if !functions::knows(&node.op_type) {
            return Err(Refusal::float(
                &node.name,
                format!("op {} in a chain that no rule knows", node.op_type),
            ));
        }
        // A clip's bounds are no operands.
        let operands = if node.op_type == "Clip" { 1 } else { node.input.len() };
        let inputs = node.input[..operands].iter().map(|input| self.value(input));
        let inputs: Vec<Value> = inputs.collect::<Result<_, _>>()?;
        let function = functions::function(self.builder, node)?;
        let varies = inputs.iter().any(|input| matches!(input, Value::Varies(_)));
        let at = |index: usize| {
            let arguments: Vec<f32> = inputs
                .iter()
                .map(|input| match input {
                    Value::Constant(value) => *value,
                    Value::Varies(values) => values[index],
                })
                .collect();
            function(&arguments)
        };
        Ok(if varies { Value::Varies((0..256).map(at).collect()) } else { Value::Constant(at(0)) })
    }
}
