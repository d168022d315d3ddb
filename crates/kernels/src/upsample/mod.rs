//! Linear upsampling to twice the height and width (ONNX `Resize`, `half_pixel`).

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::isa::vectorised;
use super::{Isa, bounds};

/// Scales and zero points of an upsampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Upsample {
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Number of channels.
    pub channels: usize,
    /// Zero points of the input and of the result.
    pub zeros: [i32; 2],
    /// `(sx / sy) / 16`.
    pub multiplier: f32,
}

/// Each output mixes the four nearest inputs 9 : 3 : 3 : 1, with the border repeated: `round_half_even(Σ
/// weight · (x − zx) · multiplier) + zy`, saturated. `output` begins at row `first`.
///
/// # Panics
/// If a slice does not fit.
pub fn twice(isa: Isa, upsample: &Upsample, input: &[i8], first: usize, output: &mut [i8]) {
    let Upsample { size: [height, width], channels, .. } = *upsample;
    let whole = bounds::product([4, height, width, channels]);
    assert!(whole.is_some() && input.len() >= height * width * channels);
    let line = 2 * width * channels;
    let rows = output.len() / line;
    assert!(output.len() == rows * line);
    assert!(first.checked_add(rows).is_some_and(|end| end <= 2 * height));
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::SCALAR && upsample.channels >= neon::LANES {
        return neon::twice(upsample, input, first, output);
    }
    vectorised!(isa, scalar::twice, (upsample: &Upsample, input: &[i8], first: usize, output: &mut [i8]));
}
