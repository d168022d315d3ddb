//! The lines of a formula: from its nodes to numbers.

use std::collections::HashMap;

use tract_onnx::pb::NodeProto;

use super::parts::{Leaf, Parts, operands};
use crate::lower::builder::Builder;
use crate::lower::onnx::Constant;
use crate::lower::rules::normalisation::{Normalisation, constants};
use crate::lower::rules::{constant, functions};
use crate::refusal::Refusal;
use crate::steps::Activation;
use edgeclip_kernels::formula::{Line, Pair};

/// Most lines of a formula.
const LINES: usize = 256;

/// What a float tensor is.
#[derive(Clone)]
pub(super) enum Value {
    Number(f32),
    /// What each value of tensor `0` becomes, from −128 on.
    Table(usize, Box<[f32; 256]>),
    Line(usize),
}

/// The lines so far.
pub(super) struct Lines<'b, 'a> {
    pub(super) builder: &'b Builder<'a>,
    pub(super) parts: &'b Parts,
    lines: Vec<Line>,
    known: HashMap<String, Value>,
}

impl<'b, 'a> Lines<'b, 'a> {
    pub(super) fn new(builder: &'b Builder<'a>, parts: &'b Parts) -> Self {
        Self { builder, parts, lines: Vec::new(), known: HashMap::new() }
    }

    /// Those that compute the float tensor `name`, which is the last one.
    pub(super) fn all(mut self, name: &str) -> Result<Vec<Line>, Refusal> {
        let value = self.value(name)?;
        let last = self.line(value);
        self.lines.truncate(last + 1);
        if self.lines.len() > LINES {
            return Err(Refusal::float("formula", "too many nodes between quantised tensors"));
        }
        Ok(self.lines)
    }

    /// What the float tensor `name` is.
    pub(super) fn value(&mut self, name: &str) -> Result<Value, Refusal> {
        if let Some(value) = self.known.get(name) {
            return Ok(value.clone());
        }
        let value = self.compute(name)?;
        self.known.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn compute(&mut self, name: &str) -> Result<Value, Refusal> {
        if constant::is_constant(self.builder, name) {
            let Constant { dims, values } = constant::real(self.builder, name)?;
            return self.constant(name, &dims, &values);
        }
        if let Some(index) = self.parts.sums.iter().position(|(known, _)| known == name) {
            let multipliers = self.parts.sums[index].1.multipliers.clone();
            return Ok(Value::Line(self.push(Line::Sums(index, multipliers))));
        }
        let known = |(names, _): &(Vec<String>, Leaf)| names.iter().any(|known| known == name);
        if let Some(index) = self.parts.tensors.iter().position(known) {
            return Ok(match &self.parts.tensors[index].1 {
                Leaf::Quantised(Activation { scale, zero, .. }) => {
                    let value = |at: usize| (at as i32 - 128 - zero) as f32 * scale;
                    Value::Table(index, Box::new(std::array::from_fn(value)))
                }
                Leaf::Real(_) => Value::Line(self.push(Line::Real(index))),
            });
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
            "Add" | "Sum" | "Or" => Pair::Add,
            "Sub" => Pair::Sub,
            "Mul" | "And" => Pair::Mul,
            "Div" => Pair::Div,
            "Min" => Pair::Min,
            "Max" => Pair::Max,
            "BatchNormalization" => return self.normalised(node, &inputs),
            _ => return self.operation(node, inputs),
        };
        let mut values = inputs.into_iter();
        let first = values.next().ok_or_else(|| Refusal::broken(&node.name, "no input"))?;
        let mut line = self.line(first);
        for value in values {
            let other = self.line(value);
            line = self.pair(if node.op_type == "Or" { Pair::Max } else { pair }, line, other);
        }
        Ok(Value::Line(line))
    }

    /// A constant of shape `dims`, as a number, one of each channel, or one of each value.
    pub(super) fn constant(&mut self, name: &str, dims: &[usize], values: &[f32]) -> Result<Value, Refusal> {
        if let [value] = values[..] {
            return Ok(Value::Number(value));
        }
        let layout = &self.parts.layout;
        let rank = layout.shape.len();
        let behind = rank.checked_sub(dims.len());
        let behind = behind.ok_or_else(|| Refusal::float(name, "a constant of more axes than its tensor"))?;
        // How far apart neighbours along each axis lie in the constant.
        let (mut strides, mut distance) = (vec![0; rank], 1);
        for (axis, &size) in dims.iter().enumerate().rev() {
            strides[behind + axis] = if size == 1 { 0 } else { distance };
            distance *= size;
        }
        let pixel = layout.pixel();
        let single = (0..rank).all(|axis| pixel.contains(&axis) || strides[axis] == 0);
        let axes = if single { pixel } else { &layout.axes };
        let count = axes.iter().map(|&axis| layout.shape[axis]).product();
        let mut spread = Vec::with_capacity(count);
        let mut places = vec![0; axes.len()];
        for _ in 0..count {
            let at: usize = axes.iter().zip(&places).map(|(&axis, place)| place * strides[axis]).sum();
            spread.push(values[at]);
            for (place, &axis) in places.iter_mut().zip(axes).rev() {
                *place += 1;
                if *place < layout.shape[axis] {
                    break;
                }
                *place = 0;
            }
        }
        Ok(Value::Line(self.push(if single { Line::Channel(spread) } else { Line::Each(spread) })))
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

    /// A factor and a term for each channel.
    fn normalised(&mut self, node: &NodeProto, inputs: &[Value]) -> Result<Value, Refusal> {
        let shape = &self.parts.layout.shape;
        let channels = shape.get(1).copied().unwrap_or(0);
        let Normalisation { mean, factor, shift } = constants(self.builder, node, channels)?;
        let [x] = inputs else { return Err(Refusal::float(&node.name, "other than one tensor")) };
        let mut dims = vec![1; shape.len().saturating_sub(1)];
        if let Some(first) = dims.first_mut() {
            *first = channels;
        }
        let x = self.line(x.clone());
        let terms = factor.iter().zip(&mean).zip(&shift);
        let terms: Vec<f32> = terms.map(|((factor, mean), shift)| (shift - mean * factor) as f32).collect();
        let factors: Vec<f32> = factor.iter().map(|&factor| factor as f32).collect();
        let factors = self.constant(&node.name, &dims, &factors)?;
        let terms = self.constant(&node.name, &dims, &terms)?;
        let (factors, terms) = (self.line(factors), self.line(terms));
        let x = self.pair(Pair::Mul, x, factors);
        Ok(Value::Line(self.pair(Pair::Add, x, terms)))
    }

    /// The line of a value.
    pub(super) fn line(&mut self, value: Value) -> usize {
        let line = match value {
            Value::Line(line) => return line,
            Value::Number(value) => Line::Channel(vec![value; self.parts.layout.channels()]),
            Value::Table(tensor, table) => Line::Table(tensor, table),
        };
        self.push(line)
    }

    pub(super) fn pair(&mut self, pair: Pair, a: usize, b: usize) -> usize {
        self.push(Line::Pair(pair, a, b))
    }

    pub(super) fn push(&mut self, line: Line) -> usize {
        self.lines.push(line);
        self.lines.len() - 1
    }
}
