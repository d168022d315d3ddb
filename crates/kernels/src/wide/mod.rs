//! Convolutions whose weights do not fit int8, or whose sums meet other numbers before they are quantised: what is multiplied is
//! widened to 16 bits, less its zero point, and the sums are given as they are.

mod scalar;

pub(crate) use scalar::dot;

use super::isa::vectorised;
use super::patches::Window;
use super::{Isa, bounds};

/// A convolution of 16-bit weights, in groups or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wide {
    window: Window,
    groups: usize,
    /// Inputs of a group.
    inputs: usize,
    /// The input's zero point.
    zero: i16,
    /// `[taps, channels]` if it is depthwise, else `[outputs, taps, inputs]`.
    weights: Vec<i16>,
    bias: Vec<i32>,
}

impl Wide {
    /// Packs `weights`, `[outputs, inputs of a group, kernel rows, kernel columns]` less their zero points, each from −255 to 255;
    /// `zero` is the input's zero point and `bias` in units of the products.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn new(window: Window, groups: usize, zero: i8, weights: &[i16], bias: Vec<i32>) -> Self {
        let (taps, outputs) = (window.kernel[0] * window.kernel[1], bias.len());
        assert!(groups > 0 && outputs > 0 && outputs.is_multiple_of(groups) && taps > 0);
        let inputs = weights.len() / outputs / taps;
        assert!(inputs > 0 && weights.len() == outputs * inputs * taps);
        assert!(inputs.checked_mul(groups).is_some_and(|all| window.is_sound(all, outputs)));
        let mut conv = Self { window, groups, inputs, zero: zero.into(), weights: Vec::new(), bias };
        conv.weights = if conv.is_depthwise() {
            (0..taps).flat_map(|tap| weights.iter().skip(tap).step_by(taps)).copied().collect()
        } else {
            let output = |row: &[i16]| -> Vec<i16> {
                (0..taps).flat_map(|tap| row.iter().skip(tap).step_by(taps)).copied().collect()
            };
            weights.chunks_exact(inputs * taps).flat_map(output).collect()
        };
        conv
    }

    fn is_depthwise(&self) -> bool {
        self.inputs == 1 && self.groups == self.bias.len()
    }

    /// Channels of the input.
    fn channels(&self) -> usize {
        self.inputs * self.groups
    }

    /// Where its windows lie.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Channels of the result.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Products of a whole picture.
    pub fn products(&self) -> usize {
        self.window.output[0].saturating_mul(self.window.output[1]).saturating_mul(self.weights.len())
    }

    /// `sums[x][o] = Σ w·(x − zx) + bias[o]` in wrapping i32, for row `y` of the result. Pixels of the input start every `stride`
    /// values; `patches` is scratch.
    ///
    /// # Panics
    /// If there is no such row, or a slice does not fit.
    pub fn row(
        &self,
        isa: Isa,
        patches: &mut Vec<i16>,
        input: &[i8],
        stride: usize,
        y: usize,
        sums: &mut [i32],
    ) {
        let ([height, width], channels) = (self.window.input, self.channels());
        assert!(stride >= channels && y < self.window.output[0]);
        assert!(bounds::holds(input.len(), bounds::span(height * width, stride, channels)));
        assert!(sums.len() == self.window.output[1] * self.outputs());
        let conv = self;
        if self.is_depthwise() {
            vectorised!(
                isa,
                scalar::depthwise,
                (conv: &Wide, input: &[i8], stride: usize, y: usize, sums: &mut [i32])
            );
        } else {
            vectorised!(
                isa,
                scalar::grouped,
                (conv: &Wide, patches: &mut Vec<i16>, input: &[i8], stride: usize, y: usize, sums: &mut [i32])
            );
        }
    }
}
