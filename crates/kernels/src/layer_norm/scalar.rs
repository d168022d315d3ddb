//! The specification.

use super::{LANES, LayerNorm};

#[inline(always)]
pub(super) fn layer_norm(norm: &LayerNorm, values: &mut [f32]) {
    let channels = norm.scale.len();
    if channels == 0 {
        return;
    }
    for row in values.chunks_exact_mut(channels) {
        let mean = sum(row, |x| x) / channels as f32;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / channels as f32;
        let factor = 1.0 / (variance + norm.epsilon).sqrt();
        for ((x, scale), bias) in row.iter_mut().zip(&norm.scale).zip(&norm.bias) {
            *x = (*x - mean) * factor * scale + bias;
        }
    }
}

#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += term(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += term(x);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}
