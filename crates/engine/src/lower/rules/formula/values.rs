//! Ops of one tensor, of a choice, and of whole pixels as lines.

use std::sync::Arc;

use tract_onnx::pb::NodeProto;

use super::lines::{Lines, Value};
use crate::lower::onnx::{Constant, float, input, integer, word};
use crate::lower::rules::{constant, functions};
use crate::refusal::Refusal;
use edgeclip_kernels::formula::{Fold, Function, Line, Pair};

impl Lines<'_, '_> {
    /// The result of a node that is no sum, product or the like of its inputs.
    pub(super) fn operation(&mut self, node: &NodeProto, inputs: Vec<Value>) -> Result<Value, Refusal> {
        let lines: Vec<usize> = inputs.iter().map(|value| self.line(value.clone())).collect();
        let line = match (node.op_type.as_str(), &lines[..]) {
            ("Greater", &[a, b]) => self.pair(Pair::Less, b, a),
            ("Less", &[a, b]) => self.pair(Pair::Less, a, b),
            ("GreaterOrEqual", &[a, b]) => self.pair(Pair::LessOrEqual, b, a),
            ("LessOrEqual", &[a, b]) => self.pair(Pair::LessOrEqual, a, b),
            ("Equal", &[a, b]) => self.pair(Pair::Equal, a, b),
            ("Where", &[condition, a, b]) => self.push(Line::Choice(condition, a, b)),
            ("PRelu", &[x, slope]) => self.sloped(x, slope),
            ("Pow", &[x, _]) => match inputs[1] {
                Value::Number(exponent) => self.power(x, exponent),
                _ => return Err(Refusal::float(&node.name, "a power that is computed")),
            },
            (_, &[x]) => match self.folded(node, x)? {
                Some(line) => line,
                None => self.function(node, x)?,
            },
            (op, _) => return Err(Refusal::float(&node.name, format!("op {op} of two tensors"))),
        };
        Ok(Value::Line(line))
    }

    /// A function of one tensor, where it can be in steps that compilers vectorise.
    fn function(&mut self, node: &NodeProto, x: usize) -> Result<usize, Refusal> {
        if !functions::knows(&node.op_type) {
            return Err(Refusal::float(&node.name, format!("op {} of two tensors", node.op_type)));
        }
        let alpha = |default: f32| float(node, "alpha", default);
        Ok(match node.op_type.as_str() {
            "Sigmoid" => self.of(Function::Sigmoid, x),
            "Erf" => self.of(Function::Erf, x),
            "Tanh" => self.of(Function::Tanh, x),
            "Sqrt" => self.of(Function::Root, x),
            "Relu" | "Clip" => {
                let (low, high) = functions::bounds(self.builder, node)?;
                self.of(Function::Clip(low, high), x)
            }
            "LeakyRelu" => {
                let slope = self.number(alpha(0.01));
                self.sloped(x, slope)
            }
            "HardSigmoid" => self.hard(x, alpha(0.2), float(node, "beta", 0.5)),
            "HardSwish" => {
                let share = self.hard(x, 1.0 / 6.0, 0.5);
                self.pair(Pair::Mul, x, share)
            }
            "Swish" => {
                let scaled = self.scaled(x, alpha(1.0));
                let share = self.of(Function::Sigmoid, scaled);
                self.pair(Pair::Mul, x, share)
            }
            "Gelu" if !word(node, "approximate", "none", "tanh") => {
                let scaled = self.scaled(x, std::f32::consts::FRAC_1_SQRT_2);
                let (erf, one) = (self.of(Function::Erf, scaled), self.number(1.0));
                let (sum, half) = (self.pair(Pair::Add, erf, one), self.scaled(x, 0.5));
                self.pair(Pair::Mul, half, sum)
            }
            "Reciprocal" => {
                let one = self.number(1.0);
                self.pair(Pair::Div, one, x)
            }
            "Abs" => {
                let negative = self.scaled(x, -1.0);
                self.pair(Pair::Max, x, negative)
            }
            "Neg" => self.scaled(x, -1.0),
            "Not" => {
                let one = self.number(1.0);
                self.pair(Pair::Sub, one, x)
            }
            _ => {
                let function = functions::function(self.builder, node)?;
                self.of(Function::Other(Arc::new(move |value| function(&[value]))), x)
            }
        })
    }

    /// What is computed of all numbers of a pixel; `None` for any other op.
    fn folded(&mut self, node: &NodeProto, x: usize) -> Result<Option<usize>, Refusal> {
        let fold = |fold: Fold, line: usize| Line::Fold(fold, line);
        Ok(Some(match node.op_type.as_str() {
            "ReduceSum" => self.push(fold(Fold::Sum, x)),
            "ReduceMean" | "GlobalAveragePool" => self.push(fold(Fold::Mean, x)),
            "ReduceMax" | "GlobalMaxPool" => self.push(fold(Fold::Max, x)),
            "ReduceMin" => {
                let negative = self.scaled(x, -1.0);
                let most = self.push(fold(Fold::Max, negative));
                self.scaled(most, -1.0)
            }
            "ReduceL1" => {
                let negative = self.scaled(x, -1.0);
                let above = self.pair(Pair::Max, x, negative);
                self.push(fold(Fold::Sum, above))
            }
            "ReduceSumSquare" => self.squares(Fold::Sum, x),
            "ReduceL2" => {
                let squares = self.squares(Fold::Sum, x);
                self.of(Function::Root, squares)
            }
            "LpNormalization" => {
                let norm = if integer(node, "p", 2) == 1 {
                    let negative = self.scaled(x, -1.0);
                    let above = self.pair(Pair::Max, x, negative);
                    self.push(fold(Fold::Sum, above))
                } else {
                    let squares = self.squares(Fold::Sum, x);
                    self.of(Function::Root, squares)
                };
                // A row of zeros stays one.
                let one = self.number(1.0);
                let norm = self.push(Line::Choice(norm, norm, one));
                self.pair(Pair::Div, x, norm)
            }
            "Softmax" | "LogSoftmax" => {
                let most = self.push(fold(Fold::Max, x));
                let below = self.pair(Pair::Sub, x, most);
                let shares = self.of(Function::Exp, below);
                let sum = self.push(fold(Fold::Sum, shares));
                if node.op_type == "Softmax" {
                    self.pair(Pair::Div, shares, sum)
                } else {
                    let logarithm = |value: f32| libm::log(f64::from(value)) as f32;
                    let sum = self.of(Function::Other(Arc::new(logarithm)), sum);
                    self.pair(Pair::Sub, below, sum)
                }
            }
            "LayerNormalization" | "InstanceNormalization" => self.centred(node, x)?,
            _ => return Ok(None),
        }))
    }

    /// `(x − mean) / √(variance + epsilon) · scale + bias`.
    fn centred(&mut self, node: &NodeProto, x: usize) -> Result<usize, Refusal> {
        if node.output.iter().filter(|name| !name.is_empty()).count() > 1 {
            return Err(Refusal::float(&node.name, "a normalisation that gives its mean"));
        }
        let mean = self.push(Line::Fold(Fold::Mean, x));
        let centred = self.pair(Pair::Sub, x, mean);
        let (variance, epsilon) =
            (self.squares(Fold::Mean, centred), self.number(float(node, "epsilon", 1e-5)));
        let variance = self.pair(Pair::Add, variance, epsilon);
        let deviation = self.of(Function::Root, variance);
        let mut line = self.pair(Pair::Div, centred, deviation);
        for (index, pair) in [(1, Pair::Mul), (2, Pair::Add)] {
            let Ok(name) = input(node, index) else { continue };
            let Constant { mut dims, values } = constant::real(self.builder, name)?;
            if node.op_type == "InstanceNormalization" {
                // One of each channel, which is axis 1.
                dims.resize(self.parts.layout.shape.len().saturating_sub(1), 1);
            }
            let constant = self.constant(name, &dims, &values)?;
            let constant = self.line(constant);
            line = self.pair(pair, line, constant);
        }
        Ok(line)
    }

    /// `max(x, 0) + slope · min(x, 0)`.
    fn sloped(&mut self, x: usize, slope: usize) -> usize {
        let above = self.of(Function::Clip(0.0, f32::INFINITY), x);
        let below = self.of(Function::Clip(f32::NEG_INFINITY, 0.0), x);
        let below = self.pair(Pair::Mul, below, slope);
        self.pair(Pair::Add, above, below)
    }

    fn power(&mut self, x: usize, exponent: f32) -> usize {
        match exponent {
            1.0 => x,
            2.0 => self.pair(Pair::Mul, x, x),
            3.0 => {
                let square = self.pair(Pair::Mul, x, x);
                self.pair(Pair::Mul, square, x)
            }
            0.5 => self.of(Function::Root, x),
            _ => {
                let power = move |value: f32| libm::pow(f64::from(value), f64::from(exponent)) as f32;
                self.of(Function::Other(Arc::new(power)), x)
            }
        }
    }

    /// `clip(alpha · x + beta, 0, 1)`.
    fn hard(&mut self, x: usize, alpha: f32, beta: f32) -> usize {
        let (scaled, beta) = (self.scaled(x, alpha), self.number(beta));
        let sum = self.pair(Pair::Add, scaled, beta);
        self.of(Function::Clip(0.0, 1.0), sum)
    }

    fn squares(&mut self, fold: Fold, x: usize) -> usize {
        let squares = self.pair(Pair::Mul, x, x);
        self.push(Line::Fold(fold, squares))
    }

    fn scaled(&mut self, x: usize, factor: f32) -> usize {
        let factor = self.number(factor);
        self.pair(Pair::Mul, x, factor)
    }

    fn number(&mut self, value: f32) -> usize {
        self.line(Value::Number(value))
    }

    fn of(&mut self, function: Function, x: usize) -> usize {
        self.push(Line::Function(function, x))
    }
}
