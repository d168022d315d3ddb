//! The lines of a formula: from its nodes to numbers.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::pb::NodeProto;

use super::parts::{LINES, Parts, operands};
use crate::lower::arrange::memory;
use crate::lower::builder::Builder;
use crate::lower::rules::normalisation::{Normalisation, constants};
use crate::lower::rules::{constant, functions};
use crate::refusal::Refusal;
use crate::steps::{Activation, Order};
use edgeclip_kernels::formula::{Function, Line, Pair};

/// Those that compute the float tensor `name` of `parts`.
pub(super) fn lines(builder: &Builder, parts: &Parts, name: &str) -> Result<Vec<Line>, Refusal> {
    let mut lines = Lines { builder, parts, lines: Vec::new(), known: HashMap::new() };
    let value = lines.value(name)?;
    let last = lines.line(value)?;
    lines.lines.truncate(last + 1);
    Ok(lines.lines)
}

/// What a float tensor is.
#[derive(Clone)]
enum Value {
    Number(f32),
    /// What each value of tensor `0` becomes, from −128 on.
    Table(usize, Box<[f32; 256]>),
    Line(usize),
}

/// The lines so far.
struct Lines<'b, 'a> {
    builder: &'b Builder<'a>,
    parts: &'b Parts,
    lines: Vec<Line>,
    known: HashMap<String, Value>,
}

impl Lines<'_, '_> {
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
            return self.constant(name);
        }
        if let Some(index) = self.parts.sums.iter().position(|(known, _)| known == name) {
            let multipliers = self.parts.sums[index].1.multipliers.clone();
            return Ok(Value::Line(self.push(Line::Sums(index, multipliers))));
        }
        if let Some(index) = self.parts.tensors.iter().position(|(known, _)| known == name) {
            let Activation { scale, zero, .. } = self.parts.tensors[index].1;
            let value = |at: usize| (at as i32 - 128 - zero) as f32 * scale;
            return Ok(Value::Table(index, Box::new(std::array::from_fn(value))));
        }
        let index = self.builder.onnx.producer(name);
        let node = index.map(|index| &self.builder.onnx.graph.node[index]);
        let node = node.ok_or_else(|| Refusal::float(name, "a float input of the graph"))?;
        let inputs = node.input[..operands(node)].iter().map(|input| self.value(input));
        let inputs: Vec<Value> = inputs.collect::<Result<_, _>>()?;
        if let Some(value) = self.table(node, &inputs)? {
            return Ok(value);
        }
        let pair = match node.op_type.as_str() {
            "Add" | "Sum" => Pair::Add,
            "Sub" => Pair::Sub,
            "Mul" => Pair::Mul,
            "Div" => Pair::Div,
            "Min" => Pair::Min,
            "Max" => Pair::Max,
            "PRelu" => return self.slope(&inputs),
            "BatchNormalization" => return self.normalised(node, &inputs),
            _ => return self.function(node, &inputs),
        };
        let mut values = inputs.into_iter();
        let first = values.next().ok_or_else(|| Refusal::broken(&node.name, "no input"))?;
        let mut line = self.line(first)?;
        for value in values {
            let other = self.line(value)?;
            line = self.push(Line::Pair(pair, line, other));
        }
        Ok(Value::Line(line))
    }

    /// A constant, as a number, one of each channel, or one of each value.
    fn constant(&mut self, name: &str) -> Result<Value, Refusal> {
        let found = constant::real(self.builder, name)?;
        if let [value] = found.values[..] {
            return Ok(Value::Number(value));
        }
        let Parts { shape, order, .. } = self.parts;
        let rank = shape.len();
        let behind = rank.checked_sub(found.dims.len());
        let behind = behind.ok_or_else(|| Refusal::float(name, "a constant of more axes than its tensor"))?;
        // How far apart neighbours along each axis lie in the constant.
        let (mut strides, mut distance) = (vec![0; rank], 1);
        for (axis, &size) in found.dims.iter().enumerate().rev() {
            strides[behind + axis] = if size == 1 { 0 } else { distance };
            distance *= size;
        }
        let axes = memory(*order, rank);
        let channels = axes.last().copied().unwrap_or(0);
        let single = (0..rank).all(|axis| axis == channels || strides[axis] == 0);
        let axes: Vec<usize> = if single { vec![channels] } else { axes };
        let count = axes.iter().map(|&axis| shape[axis]).product();
        let mut values = Vec::with_capacity(count);
        let mut places = vec![0; axes.len()];
        for _ in 0..count {
            let at: usize = axes.iter().zip(&places).map(|(&axis, place)| place * strides[axis]).sum();
            values.push(found.values[at]);
            for (place, &axis) in places.iter_mut().zip(&axes).rev() {
                *place += 1;
                if *place < shape[axis] {
                    break;
                }
                *place = 0;
            }
        }
        Ok(Value::Line(self.push(if single { Line::Channel(values) } else { Line::Each(values) })))
    }

    /// The function of a node as a table, where it is one of numbers and one tensor.
    fn table(&self, node: &NodeProto, inputs: &[Value]) -> Result<Option<Value>, Refusal> {
        let mut tensor = None;
        for input in inputs {
            match input {
                Value::Number(_) => {}
                Value::Table(index, _) if tensor.is_none_or(|found| found == *index) => tensor = Some(*index),
                _ => return Ok(None),
            }
        }
        if !functions::knows(&node.op_type) {
            return Ok(None);
        }
        let function = functions::function(self.builder, node)?;
        let at = |place: usize| {
            let argument = |input: &Value| match input {
                Value::Number(value) => *value,
                Value::Table(_, table) => table[place],
                Value::Line(_) => f32::NAN,
            };
            function(&inputs.iter().map(argument).collect::<Vec<_>>())
        };
        Ok(Some(match tensor {
            Some(index) => Value::Table(index, Box::new(std::array::from_fn(at))),
            None => Value::Number(at(0)),
        }))
    }

    /// A function of one tensor.
    fn function(&mut self, node: &NodeProto, inputs: &[Value]) -> Result<Value, Refusal> {
        let ([value], true) = (inputs, functions::knows(&node.op_type)) else {
            return Err(Refusal::float(&node.name, format!("op {} of two tensors", node.op_type)));
        };
        let function = match node.op_type.as_str() {
            "Sigmoid" => Function::Sigmoid,
            _ => {
                let function = functions::function(self.builder, node)?;
                Function::Other(Arc::new(move |value| function(&[value])))
            }
        };
        let line = self.line(value.clone())?;
        Ok(Value::Line(self.push(Line::Function(function, line))))
    }

    /// `max(x, 0) + slope · min(x, 0)`.
    fn slope(&mut self, inputs: &[Value]) -> Result<Value, Refusal> {
        let [x, slope] = inputs else { return Err(Refusal::float("PRelu", "other than two inputs")) };
        let (x, slope, zero) =
            (self.line(x.clone())?, self.line(slope.clone())?, self.line(Value::Number(0.0))?);
        let above = self.push(Line::Pair(Pair::Max, x, zero));
        let below = self.push(Line::Pair(Pair::Min, x, zero));
        let below = self.push(Line::Pair(Pair::Mul, below, slope));
        Ok(Value::Line(self.push(Line::Pair(Pair::Add, above, below))))
    }

    /// A factor and a term for each channel.
    fn normalised(&mut self, node: &NodeProto, inputs: &[Value]) -> Result<Value, Refusal> {
        let channels = self.parts.shape.get(1).copied().unwrap_or(0);
        let Normalisation { mean, factor, shift } = constants(self.builder, node, channels)?;
        let [x] = inputs else { return Err(Refusal::float(&node.name, "other than one tensor")) };
        if self.parts.order != Order::First {
            return Err(Refusal::float(&node.name, "a normalisation of another axis than the first"));
        }
        let x = self.line(x.clone())?;
        let terms = factor
            .iter()
            .zip(&mean)
            .zip(&shift)
            .map(|((factor, mean), shift)| (shift - mean * factor) as f32);
        let terms = self.push(Line::Channel(terms.collect()));
        let factors = self.push(Line::Channel(factor.iter().map(|&factor| factor as f32).collect()));
        let x = self.push(Line::Pair(Pair::Mul, x, factors));
        Ok(Value::Line(self.push(Line::Pair(Pair::Add, x, terms))))
    }

    fn line(&mut self, value: Value) -> Result<usize, Refusal> {
        let line = match value {
            Value::Line(line) => return Ok(line),
            Value::Number(value) => Line::Channel(vec![value; self.channels()]),
            Value::Table(tensor, table) => Line::Table(tensor, table),
        };
        if self.lines.len() >= LINES {
            return Err(Refusal::float("formula", "too many nodes between quantised tensors"));
        }
        Ok(self.push(line))
    }

    fn channels(&self) -> usize {
        let Parts { shape, order, .. } = self.parts;
        memory(*order, shape.len()).last().map_or(1, |&axis| shape[axis])
    }

    fn push(&mut self, line: Line) -> usize {
        self.lines.push(line);
        self.lines.len() - 1
    }
}
