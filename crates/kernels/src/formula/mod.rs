//! Arithmetic in float between int8 tensors: sums of convolutions and products, other tensors and constants, put together value by
//! value and pixel by pixel before they are quantised.

mod scalar;

use std::fmt;
use std::sync::Arc;

use super::isa::vectorised;
use super::{Isa, bounds};

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
    /// 1 if `a < b`, else 0.
    Less,
    /// 1 if `a ≤ b`, else 0.
    LessOrEqual,
    /// 1 if both are the same number, else 0.
    Equal,
}

/// A function of one number.
#[derive(Clone)]
pub enum Function {
    /// `1 / (1 + exp(−x))`, to some 10⁻⁷.
    Sigmoid,
    /// `exp(x)` of numbers that are not above 0, to some 10⁻⁷ of it.
    Exp,
    /// The error function, to some 10⁻⁷.
    Erf,
    /// The hyperbolic tangent, to some 10⁻⁷.
    Tanh,
    /// The square root.
    Root,
    /// The nearest number between two bounds.
    Clip(f32, f32),
    /// Any other.
    Other(Arc<dyn Fn(f32) -> f32 + Send + Sync>),
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sigmoid => formatter.write_str("Sigmoid"),
            Self::Exp => formatter.write_str("Exp"),
            Self::Erf => formatter.write_str("Erf"),
            Self::Tanh => formatter.write_str("Tanh"),
            Self::Root => formatter.write_str("Root"),
            Self::Clip(low, high) => write!(formatter, "Clip({low}, {high})"),
            Self::Other(_) => formatter.write_str("Other"),
        }
    }
}

/// The numbers of a pixel become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest, at least the smallest finite number.
    Max,
}

/// One line of a [`Formula`]: a number for each value of the result. Lines are called by their index.
#[derive(Debug, Clone)]
pub enum Line {
    /// The sums of convolution or product `0`, times a multiplier a channel.
    Sums(usize, Vec<f32>),
    /// What the table says of the values of tensor `0`, from −128 on.
    Table(usize, Box<[f32; 256]>),
    /// The values of tensor `0`, each the four bytes of an f32 in the machine's order.
    Real(usize),
    /// A constant of each channel.
    Channel(Vec<f32>),
    /// A constant of each value, in the order of memory.
    Each(Vec<f32>),
    /// Of two lines before it.
    Pair(Pair, usize, usize),
    /// The second of three lines before it where the first is not 0, else the third.
    Choice(usize, usize, usize),
    /// Of a line before it.
    Function(Function, usize),
    /// Of the numbers that a line before it has for a pixel, the same for all its channels. They are joined in 16 lanes, channel `c`
    /// in lane `c mod 16`, then lanes `i` and `i + 8`, `i + 4`, ….
    Fold(Fold, usize),
}

/// What becomes of the last line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// `clamp(round_half_even(value / scale) + zero)`.
    Quantised {
        /// `sy`.
        scale: f32,
        /// Zero point of the result.
        zero: i32,
        /// Smallest result, at least −128.
        low: i32,
        /// Largest result, at most 127.
        high: i32,
    },
    /// The four bytes of each f32, in the machine's order.
    Real,
}

impl End {
    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        if self == Self::Real { size_of::<f32>() } else { 1 }
    }
}

/// Lines of which the last is the result. Each line rounds to f32.
#[derive(Debug, Clone)]
pub struct Formula {
    /// At least one.
    pub lines: Vec<Line>,
    /// Channels of a pixel.
    pub channels: usize,
    /// What is written of it.
    pub end: End,
    /// Whether only the first number of each pixel is written: where the last line is a fold, or made of them.
    pub folded: bool,
}

impl Formula {
    /// Numbers that are computed for each that is written.
    pub fn values(&self) -> usize {
        if self.folded { self.channels } else { 1 }
    }

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
        assert!(output.len().is_multiple_of(self.end.bytes()));
        let count = bounds::product([output.len() / self.end.bytes(), self.values()]);
        let count = count.unwrap_or(usize::MAX);
        assert!(self.channels > 0 && count.is_multiple_of(self.channels));
        assert!(first.is_multiple_of(self.channels) && !self.lines.is_empty());
        let end = first.checked_add(count);
        for (index, line) in self.lines.iter().enumerate() {
            let fits = match line {
                Line::Sums(of, multipliers) => {
                    multipliers.len() == self.channels
                        && sums.get(*of).is_some_and(|sums| sums.len() >= count)
                }
                Line::Table(of, _) => {
                    tensors.get(*of).zip(end).is_some_and(|(tensor, end)| end <= tensor.len())
                }
                Line::Real(of) => {
                    tensors.get(*of).zip(end).is_some_and(|(tensor, end)| end <= tensor.len() / 4)
                }
                Line::Channel(values) => values.len() == self.channels,
                Line::Each(values) => end.is_some_and(|end| end <= values.len()),
                Line::Pair(_, a, b) => *a.max(b) < index,
                Line::Choice(a, b, c) => *a.max(b).max(c) < index,
                Line::Function(_, a) | Line::Fold(_, a) => *a < index,
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
