//! AVX2: bytes are widened to i16 for `vpmaddwd`, so that nothing saturates.

use std::arch::x86_64::*;

use super::Vector;
use super::ymm::ymm;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2;

impl Vector for Avx2 {
    ymm!();

    const GROUP: usize = 2;
    type Weight = i16;

    #[inline(always)]
    unsafe fn write_activations(to: *mut u8, bytes: __m256i) {
        // SAFETY: upheld by the caller: 64 bytes are writable.
        unsafe {
            let low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(bytes));
            let high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256::<1>(bytes));
            Self::write(to.cast(), low);
            Self::write(to.cast::<i8>().add(32), high);
        }
    }

    #[inline(always)]
    unsafe fn dot(sum: __m256i, x: __m256i, w: __m256i) -> __m256i {
        // SAFETY: upheld by the caller.
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(x, w)) }
    }

    #[inline(always)]
    unsafe fn interleave([a, b, ..]: [__m256i; 4]) -> [__m256i; 4] {
        // SAFETY: upheld by the caller.
        unsafe {
            let zero = _mm256_setzero_si256();
            let (low, high) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
            [
                _mm256_unpacklo_epi8(low, zero),
                _mm256_unpackhi_epi8(low, zero),
                _mm256_unpacklo_epi8(high, zero),
                _mm256_unpackhi_epi8(high, zero),
            ]
        }
    }
}
