//! A picture inside a larger one, its rows and columns side by side or apart.

mod scalar;

use super::bounds;

/// Where the picture lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    /// Rows, columns and channels of the input.
    pub input: [usize; 3],
    /// Those of the output.
    pub output: [usize; 3],
    /// Rows above it, columns and channels before it.
    pub before: [usize; 3],
    /// How far apart neighbouring rows and columns of the input lie on the output: 1 where they stay side by side.
    pub apart: [usize; 2],
    /// What is around and between.
    pub fill: i8,
}

/// Writes whole rows of the output from row `first` on. Pixels of the input start every `stride` values.
///
/// # Panics
/// If the picture does not fit or a slice is too short.
pub fn run(pad: &Pad, input: &[i8], stride: usize, first: usize, output: &mut [i8]) {
    let reaches = |axis: usize| {
        let apart = pad.apart.get(axis).copied().unwrap_or(1);
        let side =
            pad.input[axis].saturating_sub(1).checked_mul(apart)?.checked_add(pad.input[axis].min(1))?;
        pad.before[axis].checked_add(side)
    };
    let fits = |axis: usize| reaches(axis).is_some_and(|end| end <= pad.output[axis]);
    assert!((0..3).all(fits) && pad.apart.iter().all(|&apart| apart > 0));
    assert!(stride >= pad.input[2] && bounds::product(pad.output).is_some());
    let line = pad.output[1] * pad.output[2];
    assert!(line > 0 && output.len().is_multiple_of(line) && first <= pad.output[0]);
    assert!(output.len() / line <= pad.output[0] - first);
    assert!(bounds::holds(input.len(), bounds::span(pad.input[0] * pad.input[1], stride, pad.input[2])));
    scalar::run(pad, input, stride, first, output);
}
