//! Linear upsampling to twice the height and width (ONNX `Resize`, `half_pixel`).

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::Isa;
use super::isa::vectorised;

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
pub fn twice(isa: Isa, upsample: &Upsample, input: &[i8], first: usize, output: &mut [i8]) {
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::Scalar && upsample.channels >= neon::LANES {
        return neon::twice(upsample, input, first, output);
    }
    vectorised!(isa, scalar::twice, (upsample: &Upsample, input: &[i8], first: usize, output: &mut [i8]));
}
