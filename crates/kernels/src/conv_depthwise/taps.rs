//! Kernels of any size and with gaps, tap by tap over blocks of channels: loops that compilers vectorise.
#![forbid(unsafe_code)]

use crate::patches::Window;
use crate::requantise::{Requantise, round};

/// Channels whose sums stay in registers, and those of what is left.
const BLOCK: usize = 64;
const SMALL: usize = 16;

#[derive(Debug)]
pub(super) struct Depthwise {
    window: Window,
    padding: i8,
    /// `[taps, channels]`.
    weights: Vec<i8>,
    requantise: Requantise,
}

impl Depthwise {
    pub(super) fn new(window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        let taps = window.kernel[0] * window.kernel[1];
        let weights = (0..taps).flat_map(|tap| weights.iter().skip(tap).step_by(taps)).copied().collect();
        Self { window, padding, weights, requantise }
    }
}

#[inline(always)]
pub(super) fn run(conv: &Depthwise, input: &[i8], first: usize, output: &mut [i8]) {
    let channels = conv.requantise.bias.len();
    for (at, pixel) in output.chunks_exact_mut(channels).enumerate() {
        let place = [first + at / conv.window.output[1], at % conv.window.output[1]];
        let mut channel = 0;
        let (blocks, rest) = pixel.as_chunks_mut();
        for to in blocks {
            block::<BLOCK>(conv, input, place, channel, to);
            channel += BLOCK;
        }
        let (blocks, rest) = rest.as_chunks_mut();
        for to in blocks {
            block::<SMALL>(conv, input, place, channel, to);
            channel += SMALL;
        }
        for to in rest.as_chunks_mut().0 {
            block::<1>(conv, input, place, channel, to);
            channel += 1;
        }
        if let Some(table) = &conv.requantise.table {
            pixel.iter_mut().for_each(|q| *q = table.get(*q));
        }
    }
}

/// `N` channels from `channel` on of one output pixel.
#[inline(always)]
fn block<const N: usize>(
    conv: &Depthwise,
    input: &[i8],
    [y, x]: [usize; 2],
    channel: usize,
    to: &mut [i8; N],
) {
    let Depthwise { window, padding, weights, requantise } = conv;
    let Requantise { bias, multiplier, zero, low, high, .. } = requantise;
    let channels = bias.len();
    let mut sums = [0i32; N];
    let margin = [*padding; N];
    for row_tap in 0..window.kernel[0] {
        let row = window.source(0, y, row_tap);
        for column_tap in 0..window.kernel[1] {
            let place = row.zip(window.source(1, x, column_tap));
            let values = place.and_then(|(row, column)| {
                input[(row * window.input[1] + column) * channels + channel..].first_chunk::<N>()
            });
            let tap = row_tap * window.kernel[1] + column_tap;
            let Some(weights) = weights[tap * channels + channel..].first_chunk::<N>() else { continue };
            for ((sum, &x), &w) in sums.iter_mut().zip(values.unwrap_or(&margin)).zip(weights) {
                // At most 2¹⁴.
                *sum = sum.wrapping_add(i32::from(i16::from(w) * i16::from(x)));
            }
        }
    }
    let constants = bias[channel..][..N].iter().zip(&multiplier[channel..][..N]);
    for ((to, sum), (&bias, &multiplier)) in to.iter_mut().zip(sums).zip(constants) {
        *to = round(sum.wrapping_add(bias) as f32 * multiplier, *zero, *low, *high);
    }
}
