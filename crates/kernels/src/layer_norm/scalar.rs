//! The specification.

use super::LayerNorm;
use crate::lanes::folded;

#[inline(always)]
pub(super) fn layer_norm(norm: &LayerNorm, values: &mut [f32]) {
    let channels = norm.scale.len();
    if channels == 0 {
        return;
    }
    for row in values.chunks_exact_mut(channels) {
        let mean = folded(row, 0.0, |x| x, |a, b| a + b) / channels as f32;
        let variance = folded(row, 0.0, |x| (x - mean) * (x - mean), |a, b| a + b) / channels as f32;
        let factor = 1.0 / (variance + norm.epsilon).sqrt();
        for ((x, scale), bias) in row.iter_mut().zip(&norm.scale).zip(&norm.bias) {
            *x = (*x - mean) * factor * scale + bias;
        }
    }
}
