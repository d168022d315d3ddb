//! Depthwise convolution: each channel has its own kernel.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod scalar;
mod taps;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vector;

use super::Isa;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::isa::Level;
use super::isa::vectorised;
use super::patches::Window;
use super::requantise::Requantise;
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512Vnni, AvxVnni, compiled};

/// A depthwise convolution with its weights packed for one instruction set.
#[derive(Debug)]
pub struct Depthwise {
    window: Window,
    channels: usize,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Scalar(scalar::Depthwise),
    Taps(Isa, taps::Depthwise),
    #[cfg(target_arch = "x86_64")]
    Avx2(vector::Depthwise<Avx2>),
    #[cfg(target_arch = "x86_64")]
    AvxVnni(vector::Depthwise<AvxVnni>),
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(vector::Depthwise<Avx512Vnni>),
    #[cfg(target_arch = "aarch64")]
    Aarch64(aarch64::Depthwise),
}

impl Depthwise {
    /// Packs `weights`, `[channels, kernel rows, kernel columns]`; `padding` is the input's zero point. A body
    /// that goes tap by tap runs where the instruction set has none of its own for the window: kernels
    /// with gaps; on x86-64, kernels other than 3×3 and 5×5 and strides above eight; on aarch64, more than 49 taps
    /// or fewer than eight channels.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn new(isa: Isa, window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        let channels = requantise.bias.len();
        assert!(window.is_sound(channels, channels));
        assert_eq!(weights.len(), channels * window.kernel[0] * window.kernel[1]);
        assert_eq!(requantise.multiplier.len(), channels);
        let body = match isa.level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if vector::fits(&window) => {
                Body::Avx2(vector::Depthwise::new(window, padding, weights, requantise))
            }
            #[cfg(target_arch = "x86_64")]
            Level::AvxVnni if vector::fits(&window) => {
                Body::AvxVnni(vector::Depthwise::new(window, padding, weights, requantise))
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni if vector::fits(&window) => {
                Body::Avx512Vnni(vector::Depthwise::new(window, padding, weights, requantise))
            }
            #[cfg(target_arch = "aarch64")]
            Level::Neon | Level::Dotprod | Level::I8mm if aarch64::fits(&window, channels) => {
                Body::Aarch64(aarch64::Depthwise::new(isa, window, padding, weights, &requantise))
            }
            _ if isa == Isa::SCALAR => {
                Body::Scalar(scalar::Depthwise::new(window, padding, weights, requantise))
            }
            _ => Body::Taps(isa, taps::Depthwise::new(window, padding, weights, requantise)),
        };
        Self { window, channels, body }
    }

    /// Convolves a dense input into whole rows of a dense output; `output` begins at row `first`.
    ///
    /// # Panics
    /// If a slice does not fit the window.
    pub fn run(&self, input: &[i8], first: usize, output: &mut [i8]) {
        let [height, width] = self.window.input;
        assert_eq!(input.len(), height * width * self.channels);
        let [height, width] = self.window.output;
        let rows = output.len() / (width * self.channels);
        assert!(output.len() == rows * width * self.channels);
        assert!(first.checked_add(rows).is_some_and(|end| end <= height));
        match &self.body {
            Body::Scalar(body) => body.run(input, first, output),
            Body::Taps(isa, body) => vectorised!(
                isa,
                taps::run,
                (body: &taps::Depthwise, input: &[i8], first: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "x86_64")]
            Body::Avx2(body) => compiled!(
                "avx2",
                vector::run,
                (body: &vector::Depthwise<Avx2>, input: &[i8], first: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "x86_64")]
            Body::AvxVnni(body) => compiled!(
                "avx2,avxvnni",
                vector::run,
                (body: &vector::Depthwise<AvxVnni>, input: &[i8], first: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "x86_64")]
            Body::Avx512Vnni(body) => compiled!(
                "avx512f,avx512bw,avx512vnni,avx512vbmi",
                vector::run,
                (body: &vector::Depthwise<Avx512Vnni>, input: &[i8], first: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "aarch64")]
            Body::Aarch64(body) => body.run(input, first, output),
        }
    }
}
