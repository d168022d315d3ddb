//! Dense convolution (one group) with any window and stride.

mod scalar;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vector;

use super::Isa;
use super::conv_pointwise::Scratch;
#[cfg(target_arch = "x86_64")]
use super::isa::Level;
use super::patches::Window;
use super::requantise::Requantise;
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512Vnni, AvxVnni, compiled};

/// A convolution with its weights packed for one instruction set.
#[derive(Debug)]
pub struct Direct {
    window: Window,
    inputs: usize,
    outputs: usize,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Patches(scalar::Direct),
    #[cfg(target_arch = "x86_64")]
    Avx2(vector::Direct<Avx2>),
    #[cfg(target_arch = "x86_64")]
    AvxVnni(vector::Direct<AvxVnni>),
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(vector::Direct<Avx512Vnni>),
}

impl Direct {
    /// Packs `weights`, `[outputs, kernel rows, kernel columns, inputs]`; `padding` is the
    /// input's zero point.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn new(isa: Isa, window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        let outputs = requantise.bias.len();
        let inputs = weights.len() / outputs / window.kernel[0] / window.kernel[1];
        assert!(window.is_sound(inputs, outputs));
        assert_eq!(weights.len(), outputs * window.kernel[0] * window.kernel[1] * inputs);
        assert_eq!(requantise.multiplier.len(), outputs);
        // Where the kernel has gaps, activations under one row of it do not lie side by side.
        #[cfg(target_arch = "x86_64")]
        let plain = window.is_plain();
        let body = match isa.level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 if plain => Body::Avx2(vector::Direct::new(window, padding, weights, requantise)),
            #[cfg(target_arch = "x86_64")]
            Level::AvxVnni if plain => {
                Body::AvxVnni(vector::Direct::new(window, padding, weights, requantise))
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni if plain => {
                Body::Avx512Vnni(vector::Direct::new(window, padding, weights, requantise))
            }
            _ => Body::Patches(scalar::Direct::new(isa, window, padding, weights, requantise)),
        };
        Self { window, inputs, outputs, body }
    }

    /// Convolves a dense input into whole rows of a dense output; `output` begins at row `first`.
    ///
    /// # Panics
    /// If a slice does not fit the window.
    pub fn run(&self, scratch: &mut Scratch, input: &[i8], first: usize, output: &mut [i8]) {
        let [height, width] = self.window.input;
        assert_eq!(input.len(), height * width * self.inputs);
        let [height, width] = self.window.output;
        let rows = output.len() / (width * self.outputs);
        assert!(output.len() == rows * width * self.outputs);
        assert!(first.checked_add(rows).is_some_and(|end| end <= height));
        match &self.body {
            Body::Patches(body) => body.run(scratch, input, first, output),
            #[cfg(target_arch = "x86_64")]
            Body::Avx2(body) => compiled!(
                "avx2",
                vector::run,
                (body: &vector::Direct<Avx2>, scratch: &mut Scratch, input: &[i8], first: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "x86_64")]
            Body::AvxVnni(body) => compiled!(
                "avx2,avxvnni",
                vector::run,
                (body: &vector::Direct<AvxVnni>, scratch: &mut Scratch, input: &[i8], first: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "x86_64")]
            Body::Avx512Vnni(body) => compiled!(
                "avx512f,avx512bw,avx512vnni,avx512vbmi",
                vector::run,
                (body: &vector::Direct<Avx512Vnni>, scratch: &mut Scratch, input: &[i8], first: usize, output: &mut [i8])
            ),
        }
    }
}
