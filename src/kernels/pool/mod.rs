//! Pooling: maximum or mean of each window.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod vector;

use super::Isa;
use super::isa::vectorised;
use super::patches::Window;
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512Vnni, compiled};

/// How sums become a mean in the result's scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// Zero points of the input and of the result.
    pub zeros: [i32; 2],
    /// `sx / sy`.
    pub multiplier: f32,
    /// Whether padding, whose values are zero, counts towards the mean.
    pub padding_counts: bool,
}

/// The maximum of each window inside the input; padding never wins. `output` begins at row `first`.
pub fn max(isa: Isa, window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni if vector::fits(window, channels) => compiled!(
            "avx2",
            vector::max::<Avx2>,
            (window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8])
        ),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni if vector::fits(window, channels) => compiled!(
            "avx512f,avx512bw,avx512vnni,avx512vbmi",
            vector::max::<Avx512Vnni>,
            (window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8])
        ),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon | Isa::Dotprod | Isa::I8mm if channels >= neon::LANES => {
            neon::max(window, channels, input, first, output);
        }
        _ => scalar::max(window, channels, input, first, output),
    }
}

/// `round_half_even(Σ (x − zx) · (multiplier / n)) + zy`, saturated, over the n values of a window. `sums` is
/// scratch with one value per channel; `output` begins at row `first`.
#[allow(clippy::too_many_arguments, reason = "shapes, scratch, input and output")]
pub fn mean(
    isa: Isa,
    window: &Window,
    mean: Mean,
    channels: usize,
    sums: &mut [i32],
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::Scalar && channels >= neon::LANES {
        return neon::mean(window, mean, channels, input, first, output);
    }
    vectorised!(
        isa,
        scalar::mean,
        (
            window: &Window, mean: Mean, channels: usize, sums: &mut [i32], input: &[i8], first: usize,
            output: &mut [i8],
        )
    );
}
