//! NEON: transposes eight pixels × eight channels in registers.

use std::arch::aarch64::*;

use crate::neon::widen;

/// Pixels and channels per tile, and the minimum of either for these functions.
pub(super) const SIDE: usize = 8;

/// Three planes of at least 16 pixels.
pub(super) fn interleaved3(plane: usize, input: &[i8], output: &mut [i8]) {
    let pixels = output.len() / 3;
    assert!(pixels >= 16 && input.len() >= 2 * plane + pixels);
    let mut start = 0;
    while start < pixels {
        let at = start.min(pixels - 16);
        // SAFETY: 16 pixels of each plane.
        unsafe {
            let values = [0, 1, 2].map(|channel| vld1q_s8(input.as_ptr().add(channel * plane + at)));
            vst3q_s8(output.as_mut_ptr().add(3 * at), int8x16x3_t(values[0], values[1], values[2]));
        }
        start += 16;
    }
}

pub(super) fn planes(channels: usize, stride: usize, input: &[i8], output: &mut [i8]) {
    tiles(channels, stride, input, output, |to, q| {
        // SAFETY: eight values of a plane.
        unsafe { vst1_s8(to, q) }
    });
}

pub(super) fn dequantised(
    channels: usize,
    stride: usize,
    (scale, zero): (f32, i32),
    input: &[i8],
    output: &mut [f32],
) {
    tiles(channels, stride, input, output, |to, q| {
        // SAFETY: eight values of a plane.
        unsafe {
            let differences = vsubl_s8(q, vdup_n_s8(zero as i8));
            let [low, high, ..] = widen([differences; 2]);
            vst1q_f32(to, vmulq_n_f32(vcvtq_f32_s32(low), scale));
            vst1q_f32(to.add(4), vmulq_n_f32(vcvtq_f32_s32(high), scale));
        }
    });
}

/// Calls `write` with eight pixels of each channel and the place where they belong in the channel's plane.
#[inline(always)]
fn tiles<T>(
    channels: usize,
    stride: usize,
    input: &[i8],
    output: &mut [T],
    write: impl Fn(*mut T, int8x8_t),
) {
    let pixels = output.len() / channels;
    assert!(pixels >= SIDE && channels >= SIDE && input.len() >= (pixels - 1) * stride + channels);
    // The last tile overlaps the previous one if pixels or channels are not a multiple of the tile.
    for pixel in (0..pixels).step_by(SIDE).map(|pixel| pixel.min(pixels - SIDE)) {
        for channel in (0..channels).step_by(SIDE).map(|channel| channel.min(channels - SIDE)) {
            // SAFETY: eight channels of eight input pixels, and eight pixels of eight planes.
            unsafe {
                let from = input.as_ptr().add(pixel * stride + channel);
                let rows = turned(std::array::from_fn(|row| vld1_s8(from.add(row * stride))));
                let to = output.as_mut_ptr().add(channel * pixels + pixel);
                for (row, q) in rows.into_iter().enumerate() {
                    write(to.add(row * pixels), q);
                }
            }
        }
    }
}

/// Transposes.
#[inline(always)]
fn turned(rows: [int8x8_t; 8]) -> [int8x8_t; 8] {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let zip = |a, b| vcombine_s8(vzip1_s8(a, b), vzip2_s8(a, b));
        let fours: [int8x16_t; 4] = std::array::from_fn(|row| zip(rows[row], rows[row + 4]));
        let even = [vzip1q_s8(fours[0], fours[2]), vzip2q_s8(fours[0], fours[2])];
        let odd = [vzip1q_s8(fours[1], fours[3]), vzip2q_s8(fours[1], fours[3])];
        let pairs = [
            vzip1q_s8(even[0], odd[0]),
            vzip2q_s8(even[0], odd[0]),
            vzip1q_s8(even[1], odd[1]),
            vzip2q_s8(even[1], odd[1]),
        ];
        std::array::from_fn(|column| {
            let pair = pairs[column / 2];
            if column % 2 == 0 { vget_low_s8(pair) } else { vget_high_s8(pair) }
        })
    }
}
