//! The specification.

use super::{Attention, Scratch, Tokens};
use crate::exp::exp;

/// Sums accumulated side by side. The number of tokens is padded to a multiple of it.
const LANES: usize = 16;

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
