//! Layer normalisation of float rows (Ba, Kiros and Hinton, *Layer Normalization*, 2016).

mod scalar;

use super::Isa;
use super::isa::vectorised;

/// Scale and bias of a layer normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// One per channel.
    pub scale: Vec<f32>,
    /// One per channel.
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNorm {
    /// `y[c] = (x[c] − mean) · (1 / √(variance + epsilon)) · scale[c] + bias[c]` for each row of `values`, in
    /// place; every step in f32. Sums run over 16 lanes: channel `c` is added to lane `c mod 16`, then lanes
    /// `i` and `i + 8`, `i + 4`, … are added.
    ///
    /// # Panics
    /// If scale and bias differ in length.
    pub fn run(&self, isa: Isa, values: &mut [f32]) {
        assert_eq!(self.scale.len(), self.bias.len());
        let norm = self;
        vectorised!(isa, scalar::layer_norm, (norm: &LayerNorm, values: &mut [f32]));
    }
}

#[cfg(test)]
mod tests {
    use super::{Isa, LayerNorm};

    fn run(isa: Isa, channels: usize) -> Vec<f32> {
        let norm = LayerNorm {
            scale: (0..channels).map(|c| 1.0 + c as f32 / 10.0).collect(),
            bias: (0..channels).map(|c| c as f32).collect(),
            epsilon: 1e-12,
        };
        let value = |i: usize| ((i * 7919) % 1013) as f32 / 300.0 - 1.0;
        let mut values: Vec<f32> = (0..3 * channels).map(value).collect();
        let rows = values.clone();
        norm.run(isa, &mut values);
        for (row, found) in rows.chunks(channels).zip(values.chunks(channels)) {
            let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / channels as f64;
            let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / channels as f64;
            for (c, (&x, &y)) in row.iter().zip(found).enumerate() {
                let expected =
                    (f64::from(x) - mean) / (variance + 1e-12).sqrt() * f64::from(norm.scale[c]) + c as f64;
                assert!(
                    (f64::from(y) - expected).abs() < 1e-3,
                    "{isa:?} channel {c}: {y}, expected {expected}"
                );
            }
        }
        values
    }

    #[test]
    fn it_is_the_formula_and_the_same_everywhere() {
        for channels in [2, 15, 16, 17, 100, 384] {
            let expected = run(Isa::SCALAR, channels);
            for isa in Isa::available() {
                assert_eq!(run(isa, channels), expected, "{isa:?} {channels}");
            }
        }
    }
}
