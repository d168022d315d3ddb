//! Quantises rows on the fly, with one scale per group.

use super::{GROUP, TINY};
use crate::Isa;
use crate::isa::vectorised;
use crate::requantise::round;

/// Quantised rows, each zero-padded to whole groups.
#[derive(Debug, Default, Clone)]
pub(super) struct Quantised {
    /// Groups per row.
    pub(super) groups: usize,
    /// `[rows][groups][GROUP]`.
    pub(super) values: Vec<i8>,
    /// `[rows][groups]`.
    pub(super) scales: Vec<f32>,
}

impl Quantised {
    /// Quantises `input`, rows of `inputs` values.
    pub(super) fn fill(&mut self, isa: Isa, inputs: usize, input: &[f32]) {
        self.groups = inputs.div_ceil(GROUP);
        let groups = input.len() / inputs * self.groups;
        self.values.resize(groups * GROUP, 0);
        self.scales.resize(groups, 0.0);
        let (values, scales) = (&mut self.values[..], &mut self.scales[..]);
        vectorised!(isa, rows, (inputs: usize, input: &[f32], values: &mut [i8], scales: &mut [f32]));
    }

    /// Takes rows of `inputs` int8 values as they are.
    pub(super) fn copy(&mut self, inputs: usize, input: &[i8]) {
        self.groups = inputs.div_ceil(GROUP);
        let rows = input.len() / inputs;
        self.values.clear();
        self.values.resize(rows * self.groups * GROUP, 0);
        self.scales.clear();
        self.scales.resize(rows * self.groups, 1.0);
        for (row, to) in input.chunks_exact(inputs).zip(self.values.chunks_exact_mut(self.groups * GROUP)) {
            to[..inputs].copy_from_slice(row);
        }
    }

    /// Number of rows.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub(super) fn rows(&self) -> usize {
        self.scales.len() / self.groups.max(1)
    }
}

#[inline(always)]
fn rows(inputs: usize, input: &[f32], values: &mut [i8], scales: &mut [f32]) {
    let groups = inputs.div_ceil(GROUP);
    let values = values.chunks_exact_mut(groups * GROUP).zip(scales.chunks_exact_mut(groups));
    for (row, (values, scales)) in input.chunks_exact(inputs).zip(values) {
        let parts = values.chunks_exact_mut(GROUP).zip(scales);
        for (group, (values, scale)) in row.chunks(GROUP).zip(parts) {
            let mut whole = [0.0; GROUP];
            whole[..group.len()].copy_from_slice(group);
            *scale = quantise(&whole, values);
        }
    }
}

/// Quantises one group and returns its scale.
#[inline(always)]
fn quantise(group: &[f32; GROUP], values: &mut [i8]) -> f32 {
    // As integers, the bits of magnitudes have the same order as the magnitudes, with NaN above all.
    let most = group.iter().fold(0, |most, x| x.abs().to_bits().max(most));
    let most = f32::from_bits(most);
    if most < TINY {
        values.fill(0);
        return 0.0;
    }
    let factor = 127.0 / most;
    for (q, x) in values.iter_mut().zip(group) {
        *q = round(x * factor, 0, -127, 127);
    }
    most / 127.0
}
