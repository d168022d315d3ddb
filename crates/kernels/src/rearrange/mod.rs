//! Values in another order: transposed, cut out, shuffled, repeated.

mod scalar;

use super::isa::vectorised;
use super::{Isa, bounds, layout};

/// An array of any number of axes as it lies in another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rearrange {
    /// Sizes of the result's axes, of which neighbours that lie alike are one.
    shape: Vec<usize>,
    /// How far apart neighbours along each axis lie in the input: 0 where one is repeated.
    strides: Vec<usize>,
}

impl Rearrange {
    /// The result is dense, with axes of the sizes `shape`, whose neighbours lie `strides` apart in the input.
    ///
    /// # Panics
    /// If there are not as many of either, or a size is zero.
    pub fn new(shape: &[usize], strides: &[usize]) -> Self {
        assert!(shape.len() == strides.len() && !shape.contains(&0));
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (&size, &stride) in shape.iter().zip(strides).filter(|&(&size, _)| size > 1) {
            match merged.last_mut() {
                Some((sizes, outer)) if Some(*outer) == stride.checked_mul(size) => {
                    (*sizes, *outer) = (*sizes * size, stride);
                }
                _ => merged.push((size, stride)),
            }
        }
        if merged.is_empty() {
            merged.push((1, 1));
        }
        let (shape, strides) = merged.into_iter().unzip();
        Self { shape, strides }
    }

    /// Number of parts along the first axis, which may be written apart.
    pub fn parts(&self) -> usize {
        self.shape[0]
    }

    /// Writes the parts from `first` on.
    ///
    /// # Panics
    /// If `output` holds no whole parts or more than there are, or if `input` is too short.
    pub fn run(&self, isa: Isa, input: &[i8], first: usize, output: &mut [i8]) {
        let part = self.shape[1..].iter().try_fold(1usize, |part, &size| part.checked_mul(size));
        let part = part.unwrap_or(usize::MAX);
        let count = output.len() / part;
        assert!(
            count * part == output.len() && first.checked_add(count).is_some_and(|end| end <= self.shape[0])
        );
        if count == 0 {
            return;
        }
        let last = self.shape.iter().zip(&self.strides).try_fold(1usize, |last, (&size, &stride)| {
            bounds::product([size - 1, stride])?.checked_add(last)
        });
        assert!(bounds::holds(input.len(), last));
        let (shape, strides) = (&self.shape[..], &self.strides[..]);
        if let (&[.., rows, columns], &[.., 1, right]) = (shape, strides)
            && right >= rows
        {
            // Blocks of which the two axes change places.
            if shape.len() == 2 {
                return layout::planes(isa, count, right, &input[first..], output);
            }
            for (index, output) in output.chunks_exact_mut(rows * columns).enumerate() {
                let start = scalar::start(shape, strides, first, index);
                layout::planes(isa, rows, right, &input[start..], output);
            }
            return;
        }
        vectorised!(
            isa,
            scalar::run,
            (shape: &[usize], strides: &[usize], input: &[i8], first: usize, output: &mut [i8])
        );
    }
}
