//! NEON: 16 channels at a time. A weighted sum of bytes is at most 16 · 128 in magnitude, and 16 · 256 after
//! subtracting the zero point, which fits i16.

use std::arch::aarch64::*;

use super::Upsample;
use super::scalar::neighbours;
use crate::neon::{pack, scale, widen};

/// Minimum number of channels for this function.
pub(super) const LANES: usize = 16;

pub(super) fn twice(upsample: &Upsample, input: &[i8], first: usize, output: &mut [i8]) {
    let Upsample { size: [height, width], channels, zeros, multiplier } = *upsample;
    assert!(input.len() >= height * width * channels && channels >= LANES);
    // SAFETY: NEON is part of every aarch64 target.
    let (three, nine, before, multiplier, zero) = unsafe {
        (
            vdupq_n_s16(3),
            vdup_n_s8(9),
            vdupq_n_s16(-16 * zeros[0] as i16),
            vdupq_n_f32(multiplier),
            vdupq_n_s16(zeros[1] as i16),
        )
    };
    for (y, output) in output.chunks_exact_mut(2 * width * channels).enumerate() {
        let rows =
            neighbours(first + y, height).map(|row| &input[row * width * channels..][..width * channels]);
        for (x, output) in output.chunks_exact_mut(channels).enumerate() {
            let columns = neighbours(x, width);
            let pixels = rows.map(|row| columns.map(|column| row[column * channels..][..channels].as_ptr()));
            let mut start = 0;
            while start < channels {
                // The last block overlaps the previous one if the channels are not a multiple of 16.
                let from = start.min(channels - LANES);
                // SAFETY: a pixel has `channels` values, of which at least 16 follow `from`.
                unsafe {
                    let [[a, b], [c, d]] = pixels.map(|row| row.map(|pixel| vld1q_s8(pixel.add(from))));
                    let low = vmlal_s8(before, vget_low_s8(a), nine);
                    let low = vmlaq_s16(low, vaddl_s8(vget_low_s8(b), vget_low_s8(c)), three);
                    let low = vaddw_s8(low, vget_low_s8(d));
                    let high = vmlal_high_s8(before, a, vcombine_s8(nine, nine));
                    let high = vmlaq_s16(high, vaddl_high_s8(b, c), three);
                    let high = vaddw_high_s8(high, d);
                    let values = widen([low, high]).map(|sum| scale(sum, multiplier));
                    vst1q_s8(output.as_mut_ptr().add(from), pack(values, zero));
                }
                start += LANES;
            }
        }
    }
}
