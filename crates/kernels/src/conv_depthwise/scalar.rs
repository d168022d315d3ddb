//! The specification.
#![forbid(unsafe_code)]

use crate::patches::Window;
use crate::requantise::Requantise;

#[derive(Debug)]
pub(super) struct Depthwise {
    window: Window,
    padding: i8,
    weights: Vec<i8>,
    requantise: Requantise,
}

impl Depthwise {
    pub(super) fn new(window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        Self { window, padding, weights: weights.to_vec(), requantise }
    }

    /// `output[y][x][c] = requantise(Σ_taps weights[c][tap] · input[under tap][c])`.
    pub(super) fn run(&self, input: &[i8], first: usize, output: &mut [i8]) {
        let (window, channels) = (&self.window, self.requantise.bias.len());
        let [rows, columns] = window.kernel;
        for (at, pixel) in output.chunks_exact_mut(channels).enumerate() {
            let (y, x) = (first + at / window.output[1], at % window.output[1]);
            for (channel, to) in pixel.iter_mut().enumerate() {
                let mut sum = 0i32;
                for tap in 0..rows * columns {
                    let row = window.source(0, y, tap / columns);
                    let value =
                        row.zip(window.source(1, x, tap % columns)).map_or(self.padding, |(row, column)| {
                            input[(row * window.input[1] + column) * channels + channel]
                        });
                    let weight = self.weights[channel * rows * columns + tap];
                    sum = sum.wrapping_add(i32::from(weight) * i32::from(value));
                }
                *to = self.requantise.apply(channel, sum);
            }
        }
    }
}
