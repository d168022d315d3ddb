//! The specification.

use super::{Attention, Scratch, Tokens};

/// Sums accumulated side by side. The number of tokens is padded to a multiple of it.
const LANES: usize = 16;
/// Adding and then subtracting this rounds a float below 2²² to an integer; after the addition the integer
/// is in the low bits.
const ROUND: f32 = 12_582_912.0;
/// `ln 2` in two parts, the first with few significant bits, so that its product with a
/// small integer is exact.
const LN_2: [f32; 2] = [0.693_359_4, -0.000_212_194_44];
/// Coefficients of the power series of `exp` for `x²` to `x⁶`.
const SERIES: [f32; 5] = [0.5, 0.166_666_67, 0.041_666_668, 0.008_333_334, 0.001_388_888_9];

#[inline(always)]
pub(super) fn attention(attention: Attention, scratch: &mut Scratch, tokens: Tokens<'_>, output: &mut [f32]) {
    let Attention { heads, width, scale } = attention;
    let (count, channels) = (tokens.mask.len(), heads * width);
    let padded = count.next_multiple_of(LANES);
    scratch.keys.clear();
    scratch.keys.resize(width * padded, 0.0);
    scratch.logits.resize(padded, 0.0);
    for first in (0..channels).step_by(width.max(1)) {
        for (token, key) in tokens.key.chunks_exact(channels).enumerate() {
            for (row, &k) in scratch.keys.chunks_exact_mut(padded).zip(&key[first..first + width]) {
                row[token] = k;
            }
        }
        let queries = tokens.query.chunks_exact(channels).zip(output.chunks_exact_mut(channels));
        for (query, output) in queries {
            let logits = &mut scratch.logits[..padded];
            for (block, logits) in logits.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let mut sums = [0.0; LANES];
                for (row, q) in scratch.keys.chunks_exact(padded).zip(&query[first..first + width]) {
                    for (sum, k) in sums.iter_mut().zip(&row[block * LANES..][..LANES]) {
                        *sum += q * k;
                    }
                }
                *logits = sums;
            }
            for (logit, mask) in logits.iter_mut().zip(tokens.mask) {
                *logit = *logit * scale + mask;
            }
            softmax(&mut logits[..count]);
            let output = &mut output[first..first + width];
            for (block, output) in output.chunks_mut(LANES).enumerate() {
                let mut sums = [0.0; LANES];
                for (value, share) in tokens.value.chunks_exact(channels).zip(&logits[..count]) {
                    let value = &value[first + block * LANES..][..output.len()];
                    for (sum, v) in sums.iter_mut().zip(value) {
                        *sum += share * v;
                    }
                }
                output.copy_from_slice(&sums[..output.len()]);
            }
        }
    }
}

#[inline(always)]
fn softmax(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for logit in logits.iter_mut() {
        *logit = exp(*logit - most);
    }
    let total: f32 = logits.iter().sum();
    for share in logits {
        *share /= total;
    }
}

/// `exp(x)` for `x ≤ 0`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let [a, b, c, d, e] = SERIES;
    let series = 1.0 + r + r * r * (a + r * (b + r * (c + r * (d + r * e))));
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    let power = f32::from_bits(exponent << 23);
    series * power
}
