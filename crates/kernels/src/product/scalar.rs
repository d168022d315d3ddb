//! The specification.

use super::quantise::Quantised;
use super::{Columns, GROUP};

#[derive(Debug)]
pub(super) struct Product {
    /// `[outputs][groups][GROUP]`, zero-padded.
    weights: Vec<i8>,
    columns: Columns,
}

impl Product {
    pub(super) fn new(inputs: usize, columns: Columns, weight: impl Fn(usize, usize) -> i8) -> Self {
        let row = inputs.next_multiple_of(GROUP);
        let mut weights = vec![0; columns.scale.len() * row];
        for (output, weights) in weights.chunks_exact_mut(row).enumerate() {
            for (input, to) in weights[..inputs].iter_mut().enumerate() {
                *to = weight(input, output);
            }
        }
        Self { weights, columns }
    }

    pub(super) fn run(&self, rows: &Quantised, output: &mut [f32]) {
        let row = rows.groups * GROUP;
        let quantised = rows.values.chunks_exact(row).zip(rows.scales.chunks_exact(rows.groups));
        for ((values, scales), output) in quantised.zip(output.chunks_exact_mut(self.columns.scale.len())) {
            let columns = self.columns.scale.iter().zip(&self.columns.bias);
            for ((to, (scale, bias)), weights) in
                output.iter_mut().zip(columns).zip(self.weights.chunks_exact(row))
            {
                let groups = weights.chunks_exact(GROUP).zip(values.chunks_exact(GROUP)).zip(scales);
                let total = groups.fold(0.0, |total, ((w, q), s)| total + dot(w, q) as f32 * s);
                *to = total * scale + bias;
            }
        }
    }
}

fn dot(weights: &[i8], values: &[i8]) -> i32 {
    weights.iter().zip(values).map(|(&w, &q)| i32::from(w) * i32::from(q)).sum()
}
