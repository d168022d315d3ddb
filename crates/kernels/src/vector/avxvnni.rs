//! AVX-VNNI: `vpdpbusd` on 32-byte registers.

use std::arch::x86_64::*;

use super::Vector;
use super::ymm::ymm;

#[derive(Debug, Clone, Copy)]
pub(crate) struct AvxVnni;

impl Vector for AvxVnni {
    ymm!();

    const GROUP: usize = 4;
    type Weight = i8;

    #[inline(always)]
    unsafe fn write_activations(to: *mut u8, bytes: __m256i) {
        // SAFETY: upheld by the caller.
        unsafe { Self::write(to.cast(), bytes) }
    }

    #[inline(always)]
    unsafe fn dot(sum: __m256i, x: __m256i, w: __m256i) -> __m256i {
        // SAFETY: upheld by the caller.
        unsafe { _mm256_dpbusd_avx_epi32(sum, x, w) }
    }

    #[inline(always)]
    unsafe fn interleave([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
        // SAFETY: upheld by the caller.
        unsafe {
            let (ab, cd) = (_mm256_unpacklo_epi8(a, b), _mm256_unpacklo_epi8(c, d));
            let (ab_high, cd_high) = (_mm256_unpackhi_epi8(a, b), _mm256_unpackhi_epi8(c, d));
            [
                _mm256_unpacklo_epi16(ab, cd),
                _mm256_unpackhi_epi16(ab, cd),
                _mm256_unpacklo_epi16(ab_high, cd_high),
                _mm256_unpackhi_epi16(ab_high, cd_high),
            ]
        }
    }
}
