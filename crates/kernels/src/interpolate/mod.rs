//! Pictures at any other size: each value between four neighbours.

mod scalar;

use super::isa::vectorised;
use super::{Isa, bounds};

/// What a row or column of the result lies between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Between {
    /// The two rows or columns of the input.
    pub neighbours: [usize; 2],
    /// Share of the second one, 0 to 1.
    pub share: f32,
}

/// Where the pixels of the result lie on the input, and the scales.
#[derive(Debug, Clone, PartialEq)]
pub struct Interpolate {
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Channels of both.
    pub channels: usize,
    /// For each row of the result.
    pub rows: Vec<Between>,
    /// For each column.
    pub columns: Vec<Between>,
    /// Zero points of the input and of the result.
    pub zeros: [i32; 2],
    /// `sx / sy`.
    pub multiplier: f32,
}

/// `v = (1 − fy)·((1 − fx)·a + fx·b) + fy·((1 − fx)·c + fx·d)` of the four neighbours less the input's zero point, each step in f32,
/// never fused; `y = clamp(round_half_even(v · m) + zy)`. Whole rows from row `first` on; the input is dense.
///
/// # Panics
/// If a neighbour lies outside the input, or a slice does not fit.
pub fn run(isa: Isa, interpolate: &Interpolate, input: &[i8], first: usize, output: &mut [i8]) {
    check(interpolate, input.len(), first, output.len());
    vectorised!(
        isa,
        scalar::run,
        (interpolate: &Interpolate, input: &[i8], first: usize, output: &mut [i8])
    );
}

/// `v` of pictures whose values are the four bytes of an f32 each, in the machine's order; zero points and multiplier are not
/// used.
///
/// # Panics
/// As [`run`].
pub fn real(isa: Isa, interpolate: &Interpolate, input: &[i8], first: usize, output: &mut [i8]) {
    check(interpolate, input.len() / 4, first, output.len() / 4);
    assert!(output.len().is_multiple_of(4));
    vectorised!(
        isa,
        scalar::real,
        (interpolate: &Interpolate, input: &[i8], first: usize, output: &mut [i8])
    );
}

fn check(interpolate: &Interpolate, input: usize, first: usize, output: usize) {
    let Interpolate { size: [height, width], channels, rows, columns, .. } = interpolate;
    let within =
        |all: &[Between], size: usize| all.iter().all(|at| at.neighbours.iter().all(|&at| at < size));
    assert!(within(rows, *height) && within(columns, *width) && !columns.is_empty() && *channels > 0);
    assert!(bounds::holds(input, bounds::product([*height, *width, *channels])));
    let line = columns.len() * channels;
    assert!(output.is_multiple_of(line) && first <= rows.len() && output / line <= rows.len() - first);
}
