//! Arithmetic in float between int8 tensors: sums of convolutions, other tensors and constants, put together value by value before
//! they are quantised.

mod scalar;

use std::fmt;
use std::sync::Arc;

use super::Isa;
use super::isa::vectorised;

/// Two numbers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// `a + b`.
    Add,
    /// `a − b`.
    Sub,
    /// `a · b`.
    Mul,
    /// `a / b`.
    Div,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
}

/// A function of one number.
#[derive(Clone)]
pub enum Function {
    /// `1 / (1 + exp(−x))`, to some 10⁻⁷.
    Sigmoid,
    /// Any other.
    Other(Arc<dyn Fn(f32) -> f32 + Send + Sync>),
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if matches!(self, Self::Sigmoid) { "Sigmoid" } else { "Other" })
    }
}

/// One line of a [`Formula`]: a number for each value of the result. Lines are called by their index.
#[derive(Debug, Clone)]
pub enum Line {
    /// The sums of convolution `0`, times a multiplier a channel.
    Sums(usize, Vec<f32>),
    /// What the table says of the values of tensor `0`, from −128 on.
    Table(usize, Box<[f32; 256]>),
    /// A constant of each channel.
    Channel(Vec<f32>),
    /// A constant of each value, in the order of memory.
    Each(Vec<f32>),
    /// Of two lines before it.
    Pair(Pair, usize, usize),
    /// Of a line before it.
    Function(Function, usize),
}

/// Lines of which the last is quantised: `clamp(round_half_even(value / scale) + zero)`. Each line rounds to f32.
#[derive(Debug, Clone)]
pub struct Formula {
    /// At least one.
    pub lines: Vec<Line>,
    /// Channels of a pixel.
    pub channels: usize,
    /// `sy`.
    pub scale: f32,
    /// Zero point of the result.
    pub zero: i32,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
}

impl Formula {
    /// Computes whole pixels, of which the first is value `first` of the whole result. Sums begin there, tensors are whole; `scratch`
    /// holds the lines.
    ///
    /// # Panics
    /// If there are no lines, a line names what does not come before it, or a slice or a constant is too short.
    pub fn run(
        &self,
        isa: Isa,
        scratch: &mut Vec<f32>,
        sums: &[Vec<i32>],
        tensors: &[&[i8]],
        first: usize,
        output: &mut [i8],
    ) {
        assert!(self.channels > 0 && output.len().is_multiple_of(self.channels));
        assert!(first.is_multiple_of(self.channels) && !self.lines.is_empty());
        let end = first.checked_add(output.len());
        for (index, line) in self.lines.iter().enumerate() {
            let fits = match line {
                Line::Sums(of, multipliers) => {
                    multipliers.len() == self.channels
                        && sums.get(*of).is_some_and(|sums| sums.len() >= output.len())
                }
                Line::Table(of, _) => {
                    tensors.get(*of).zip(end).is_some_and(|(tensor, end)| end <= tensor.len())
                }
                Line::Channel(values) => values.len() == self.channels,
                Line::Each(values) => end.is_some_and(|end| end <= values.len()),
                Line::Pair(_, a, b) => *a.max(b) < index,
                Line::Function(_, a) => *a < index,
            };
            assert!(fits, "line {index}");
        }
        let formula = self;
        vectorised!(
            isa,
            scalar::run,
            (formula: &Formula, scratch: &mut Vec<f32>, sums: &[Vec<i32>], tensors: &[&[i8]], first: usize, output: &mut [i8])
        );
    }
}
