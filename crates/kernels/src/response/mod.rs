//! Local response normalisation across channels (Krizhevsky et al. 2012).

mod scalar;

use super::Isa;
use super::isa::vectorised;

/// Which channels count, and the constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// Channels under the window that lie before the one in its middle.
    pub before: usize,
    /// Those after it.
    pub after: usize,
    /// The constant term.
    pub bias: f32,
    /// `alpha / size · sx²`.
    pub factor: f32,
    /// What power of the sum is divided by.
    pub power: Power,
    /// Zero points of the input and of the result.
    pub zeros: [i32; 2],
    /// `sx / sy`.
    pub multiplier: f32,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
}

/// Powers that square roots give: the same bits on every CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// The square root.
    Half,
    /// The usual one.
    ThreeQuarters,
    /// The sum itself.
    One,
}

/// `t = bias + factor · Σ (x − zx)²`, `y = clamp(round_half_even((x − zx)·m / t^power) + zy)`: the sum over the channels under the
/// window is exact, each further step is in f32. `scratch` holds the squares of a pixel.
///
/// # Panics
/// If the lengths differ or hold no whole pixels, or if the window has more than 2¹⁵ channels.
pub fn run(
    isa: Isa,
    response: &Response,
    channels: usize,
    scratch: &mut Vec<i32>,
    input: &[i8],
    output: &mut [i8],
) {
    assert!(input.len() == output.len() && output.len().is_multiple_of(channels));
    assert!(response.before < 1 << 14 && response.after < 1 << 14);
    scratch.clear();
    scratch.resize(response.before + 2 * channels + response.after, 0);
    let scratch = &mut scratch[..];
    vectorised!(
        isa,
        scalar::run,
        (response: &Response, channels: usize, scratch: &mut [i32], input: &[i8], output: &mut [i8])
    );
}
