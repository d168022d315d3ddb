//! Pooling: maximum or mean of each window.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod vector;

use super::Isa;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::isa::Level;
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

/// What becomes of the floats of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealPool {
    /// The largest one inside the picture.
    Max,
    /// Their sum, row by row, divided by their number.
    Mean {
        /// Whether padding, whose values are zero, counts.
        padding_counts: bool,
    },
}

/// One float of each window; both pictures hold the four bytes of each f32 in the machine's order. `output` begins at row `first`.
///
/// # Panics
/// If a slice does not fit the window.
pub fn real(
    isa: Isa,
    window: &Window,
    pool: RealPool,
    channels: usize,
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    assert!(channels.checked_mul(4).is_some_and(|bytes| window.is_sound(bytes, bytes)));
    check(window, 4 * channels, input, first, output);
    vectorised!(
        isa,
        scalar::real,
        (window: &Window, pool: RealPool, channels: usize, input: &[i8], first: usize, output: &mut [i8])
    );
}

/// The maximum of each window inside the input; padding never wins. `output` begins at row `first`.
///
/// # Panics
/// If a slice does not fit the window.
pub fn max(isa: Isa, window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8]) {
    check(window, channels, input, first, output);
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::AvxVnni if vector::fits(window, channels) => compiled!(
            "avx2",
            vector::max::<Avx2>,
            (window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8])
        ),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni if vector::fits(window, channels) => compiled!(
            "avx512f,avx512bw,avx512vnni,avx512vbmi",
            vector::max::<Avx512Vnni>,
            (window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8])
        ),
        #[cfg(target_arch = "aarch64")]
        Level::Neon | Level::Dotprod | Level::I8mm if window.is_plain() && channels >= neon::LANES => {
            neon::max(window, channels, input, first, output);
        }
        _ => scalar::max(window, channels, input, first, output),
    }
}

/// `round_half_even(Σ (x − zx) · (multiplier / n)) + zy`, saturated, over the n values of a window. `sums` is
/// scratch with one value per channel; `output` begins at row `first`.
///
/// # Panics
/// If a slice does not fit the window.
#[allow(clippy::too_many_arguments, reason = "shapes, scratch, both pictures")]
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
    check(window, channels, input, first, output);
    assert_eq!(sums.len(), channels);
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::SCALAR && window.is_plain() && channels >= neon::LANES {
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

/// Whole rows of the output from row `first` on, and a dense picture of the window's size.
fn check(window: &Window, channels: usize, input: &[i8], first: usize, output: &[i8]) {
    assert!(window.is_sound(channels, channels));
    assert!(input.len() >= window.input[0] * window.input[1] * channels);
    let line = window.output[1] * channels;
    let rows = output.len() / line;
    assert!(output.len() == rows * line);
    assert!(first.checked_add(rows).is_some_and(|end| end <= window.output[0]));
}
