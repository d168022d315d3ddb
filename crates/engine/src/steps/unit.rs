//! How float values are quantised.

use edgeclip_kernels::{Isa, layout};

/// Scales and zero points (as of int8) of a tensor: one of each, or one for every place of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    pub(crate) scales: Vec<f32>,
    pub(crate) zeros: Vec<i32>,
    /// Neighbouring values that share a scale, where there are several.
    pub(crate) run: usize,
}

impl Unit {
    /// One scale for the whole tensor.
    pub(crate) fn whole((scale, zero): (f32, i32)) -> Self {
        Self { scales: vec![scale], zeros: vec![zero], run: 1 }
    }

    /// Quantises `values`, in the layout of the graph.
    pub(crate) fn quantise(&self, isa: Isa, values: &[f32], to: &mut [i8]) {
        let mut units = self.scales.iter().copied().zip(self.zeros.iter().copied());
        if self.scales.len() == 1
            && let Some(unit) = units.next()
        {
            return layout::quantised(isa, unit, values, to);
        }
        let run = self.run.max(1);
        let parts = values.chunks(run).zip(to.chunks_mut(run));
        for ((values, to), unit) in parts.zip(units.cycle()) {
            layout::quantised(isa, unit, values, to);
        }
    }
}
