//! AVX2: 16 values at a time; in the horizontal pass, one from each of 16 rows.

use std::arch::x86_64::*;

use super::coefficients::{Axis, FRACTION_BITS, LOW_BITS, Pair};
use super::{BLOCK, Rows};
use crate::layout::transposed;

/// Rows are transposed and transposed back, because all values of a column have the same weights.
#[target_feature(enable = "avx2")]
pub(super) fn horizontal(axis: &Axis, from: Rows<&[u8]>, to: Rows<&mut [u8]>, turned: &mut [u8]) {
    assert!(from.bytes.len() >= BLOCK * 3 * from.width && turned.len() >= BLOCK * from.width);
    assert!(
        to.bytes.len() >= BLOCK * 3 * to.width && to.width.is_multiple_of(BLOCK) && axis.len() <= to.width
    );
    for channel in 0..3 {
        for start in (0..from.width).step_by(BLOCK) {
            let mut tile = [_mm_setzero_si128(); BLOCK];
            for (y, row) in tile.iter_mut().enumerate() {
                // SAFETY: 16 bytes of each row, as asserted.
                *row = unsafe {
                    _mm_loadu_si128(from.bytes.as_ptr().add((3 * y + channel) * from.width + start).cast())
                };
            }
            for (column, x) in transposed(tile).into_iter().zip(start..) {
                // SAFETY: 16 bytes of each column, as asserted.
                unsafe { _mm_storeu_si128(turned.as_mut_ptr().add(BLOCK * x).cast(), column) };
            }
        }
        for start in (0..axis.len()).step_by(BLOCK) {
            let mut tile = [_mm_setzero_si128(); BLOCK];
            for (column, x) in tile.iter_mut().zip(start..axis.len()) {
                *column = weighed(axis.pairs(x), &turned[axis.first(x) * BLOCK..], BLOCK);
            }
            for (y, row) in transposed(tile).into_iter().enumerate() {
                // SAFETY: 16 bytes of each row, as asserted.
                unsafe {
                    _mm_storeu_si128(
                        to.bytes.as_mut_ptr().add((3 * y + channel) * to.width + start).cast(),
                        row,
                    )
                };
            }
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn vertical(weights: &[Pair], from: Rows<&[u8]>, to: &mut [i8]) {
    for (x, to) in (0..).step_by(BLOCK).zip(to.chunks_mut(BLOCK)) {
        // Flipping the top bit subtracts 128 in two's complement.
        let values = _mm_xor_si128(weighed(weights, &from.bytes[x..], 3 * from.width), _mm_set1_epi8(-128));
        let mut all = [0; BLOCK];
        // SAFETY: 16 bytes.
        unsafe {
            if to.len() == BLOCK {
                _mm_storeu_si128(to.as_mut_ptr().cast(), values);
            } else {
                _mm_storeu_si128(all.as_mut_ptr().cast(), values);
                to.copy_from_slice(&all[..to.len()]);
            }
        }
    }
}

/// For each of 16 bytes, the weighted sum of the bytes `step` apart from there on, rounded and
/// clamped to a byte.
#[inline]
#[target_feature(enable = "avx2")]
fn weighed(weights: &[Pair], from: &[u8], step: usize) -> __m128i {
    assert!(from.len() >= (2 * weights.len() - 1) * step + BLOCK);
    let mut upper = [_mm256_setzero_si256(); 2];
    let mut lower = [_mm256_set1_epi32(1 << (FRACTION_BITS - 1)); 2];
    let mut at = from.as_ptr();
    for &[upper_a, upper_b, lower_a, lower_b] in weights {
        // SAFETY: asserted above.
        let (a, b) = unsafe { (_mm_loadu_si128(at.cast()), _mm_loadu_si128(at.add(step).cast())) };
        at = at.wrapping_add(2 * step);
        let words = |a: i16, b: i16| _mm256_set1_epi32(i32::from(a as u16) | i32::from(b) << 16);
        let (upper_weights, lower_weights) = (words(upper_a, upper_b), words(lower_a, lower_b));
        let bytes = [_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b)];
        for half in 0..2 {
            let pixels = _mm256_cvtepu8_epi16(bytes[half]);
            upper[half] = _mm256_add_epi32(upper[half], _mm256_madd_epi16(pixels, upper_weights));
            lower[half] = _mm256_add_epi32(lower[half], _mm256_madd_epi16(pixels, lower_weights));
        }
    }
    let mut sums = [_mm256_setzero_si256(); 2];
    for half in 0..2 {
        let sum = _mm256_add_epi32(_mm256_slli_epi32::<{ LOW_BITS as i32 }>(upper[half]), lower[half]);
        sums[half] = _mm256_srai_epi32::<{ FRACTION_BITS as i32 }>(sum);
    }
    // Packing works on each half of the registers separately.
    let words = _mm256_packs_epi32(sums[0], sums[1]);
    let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
    _mm_shuffle_epi32::<0b11_01_10_00>(bytes)
}
