//! AVX2: transposes planes and pixels in 16×16 blocks.

use std::arch::x86_64::*;

/// Pixels and channels per block.
const SIDE: usize = 16;

/// Same as the specification; needs at least 16 channels and 16 pixels.
#[target_feature(enable = "avx2")]
pub(super) fn dequantised(
    channels: usize,
    stride: usize,
    (scale, zero): (f32, i32),
    input: &[i8],
    output: &mut [f32],
) {
    let pixels = output.len() / channels;
    let (scale, zero) = (_mm256_set1_ps(scale), _mm256_set1_epi32(zero));
    for pixel in starts(pixels) {
        for channel in starts(channels) {
            let mut rows = [_mm_setzero_si128(); SIDE];
            for (row, at) in rows.iter_mut().zip(pixel..) {
                let from = &input[at * stride + channel..][..SIDE];
                // SAFETY: 16 bytes.
                *row = unsafe { _mm_loadu_si128(from.as_ptr().cast()) };
            }
            for (plane, at) in transposed(rows).into_iter().zip(channel..) {
                let to = &mut output[at * pixels + pixel..][..SIDE];
                for (half, to) in [plane, _mm_srli_si128::<8>(plane)].into_iter().zip(to.chunks_exact_mut(8))
                {
                    let value = _mm256_sub_epi32(_mm256_cvtepi8_epi32(half), zero);
                    let value = _mm256_mul_ps(_mm256_cvtepi32_ps(value), scale);
                    // SAFETY: eight values.
                    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), value) };
                }
            }
        }
    }
}

/// Same as the specification; needs at least 16 channels and 16 pixels.
#[target_feature(enable = "avx2")]
pub(super) fn planes(channels: usize, stride: usize, input: &[i8], output: &mut [i8]) {
    let pixels = output.len() / channels;
    for pixel in starts(pixels) {
        for channel in starts(channels) {
            let mut rows = [_mm_setzero_si128(); SIDE];
            for (row, at) in rows.iter_mut().zip(pixel..) {
                let from = &input[at * stride + channel..][..SIDE];
                // SAFETY: 16 bytes.
                *row = unsafe { _mm_loadu_si128(from.as_ptr().cast()) };
            }
            for (plane, at) in transposed(rows).into_iter().zip(channel..) {
                let to = &mut output[at * pixels + pixel..][..SIDE];
                // SAFETY: 16 bytes.
                unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), plane) };
            }
        }
    }
}

/// Starts of blocks that cover `count`. The last one overlaps the previous one.
fn starts(count: usize) -> impl Iterator<Item = usize> {
    (0..count.div_ceil(SIDE)).map(move |block| (block * SIDE).min(count - SIDE))
}

/// Transposes: byte j of row i becomes byte i of row j. Four times, rows i and i + 8 are
/// interleaved byte by byte.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn transposed(mut rows: [__m128i; SIDE]) -> [__m128i; SIDE] {
    for _ in 0..4 {
        let from = rows;
        for i in 0..SIDE / 2 {
            rows[2 * i] = _mm_unpacklo_epi8(from[i], from[i + SIDE / 2]);
            rows[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + SIDE / 2]);
        }
    }
    rows
}

/// Interleaves three planes into pixels of three channels.
#[target_feature(enable = "avx2")]
pub(super) fn three(plane: usize, input: &[i8], output: &mut [i8]) {
    // Source of byte i of 48: byte i / 3 of plane i % 3; negative (none) in the other planes.
    let mut places = [[[-1i8; SIDE]; 3]; 3];
    for i in 0..3 * SIDE {
        places[i / SIDE][i % 3][i % SIDE] = (i / 3) as i8;
    }
    let pixels = output.len() / 3;
    for pixel in starts(pixels) {
        // SAFETY: 16 bytes each.
        unsafe {
            let mut planes = [_mm_setzero_si128(); 3];
            for (channel, values) in planes.iter_mut().enumerate() {
                let from = &input[channel * plane + pixel..][..SIDE];
                *values = _mm_loadu_si128(from.as_ptr().cast());
            }
            let to = &mut output[3 * pixel..][..3 * SIDE];
            for (to, places) in to.chunks_exact_mut(SIDE).zip(&places) {
                let mut mixed = _mm_setzero_si128();
                for (&values, places) in planes.iter().zip(places) {
                    let places = _mm_loadu_si128(places.as_ptr().cast());
                    mixed = _mm_or_si128(mixed, _mm_shuffle_epi8(values, places));
                }
                _mm_storeu_si128(to.as_mut_ptr().cast(), mixed);
            }
        }
    }
}
