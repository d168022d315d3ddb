//! AVX-512 VNNI and VBMI: `vpdpbusd` on 64-byte registers, table look-ups by `vpermi2b`,
//! masked loads and stores.

use std::arch::x86_64::*;

use super::Vector;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512Vnni;

/// A mask of the first `count` bytes; all ones from 64 on.
#[inline(always)]
fn mask(count: usize) -> __mmask64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// Indices that interleave 32 bytes of two registers, from `start` on.
const fn in_turn(start: u8) -> [u8; 64] {
    let mut indices = [0; 64];
    let mut i = 0;
    while i < 64 {
        indices[i] = start + i as u8 / 2 + i as u8 % 2 * 64;
        i += 1;
    }
    indices
}

impl Vector for Avx512Vnni {
    const BYTES: usize = 64;
    const GROUP: usize = 4;
    type Weight = i8;
    type Ints = __m512i;
    type Floats = __m512;
    /// Entries of 0..64, 64..128, −128..−64, −64..0.
    type Table = [__m512i; 4];

    #[inline(always)]
    unsafe fn read<T>(from: *const T) -> __m512i {
        // SAFETY: upheld by the caller, here and below.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn read_floats(from: *const f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn splat_float(value: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn splat_word(value: i16) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi16(value) }
    }

    #[inline(always)]
    unsafe fn splat_byte(value: i8) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi8(value) }
    }

    #[inline(always)]
    unsafe fn broadcast(from: *const u8) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn first(from: &[i8]) -> __m512i {
        // SAFETY: the mask ends where the slice does.
        unsafe { _mm512_maskz_loadu_epi8(mask(from.len()), from.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn xor(a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    unsafe fn max(a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_max_epi8(a, b) }
    }

    #[inline(always)]
    unsafe fn write(to: *mut i8, bytes: __m512i) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_si512(to.cast(), bytes) }
    }

    #[inline(always)]
    unsafe fn write_first(to: &mut [i8], bytes: __m512i) {
        // SAFETY: the mask ends where the slice does.
        unsafe { _mm512_mask_storeu_epi8(to.as_mut_ptr(), mask(to.len()), bytes) }
    }

    #[inline(always)]
    unsafe fn write_activations(to: *mut u8, bytes: __m512i) {
        // SAFETY: see above.
        unsafe { Self::write(to.cast(), bytes) }
    }

    #[inline(always)]
    unsafe fn zip(a: __m512i, b: __m512i) -> [__m512i; 2] {
        const LOW: [u8; 64] = in_turn(0);
        const HIGH: [u8; 64] = in_turn(32);
        // SAFETY: see above.
        unsafe {
            [
                _mm512_permutex2var_epi8(a, Self::read(LOW.as_ptr()), b),
                _mm512_permutex2var_epi8(a, Self::read(HIGH.as_ptr()), b),
            ]
        }
    }

    #[inline(always)]
    unsafe fn dot(sum: __m512i, x: __m512i, w: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe { _mm512_dpbusd_epi32(sum, x, w) }
    }

    #[inline(always)]
    unsafe fn interleave([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
        // SAFETY: see above.
        unsafe {
            let (ab, cd) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d));
            let (ab_high, cd_high) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d));
            [
                _mm512_unpacklo_epi16(ab, cd),
                _mm512_unpackhi_epi16(ab, cd),
                _mm512_unpacklo_epi16(ab_high, cd_high),
                _mm512_unpackhi_epi16(ab_high, cd_high),
            ]
        }
    }

    #[inline(always)]
    unsafe fn round(sum: __m512i, multiplier: __m512, high: __m512) -> __m512i {
        // SAFETY: see above. With `high` as first operand a NaN stays NaN and becomes the lowest i32, just as
        // the specification makes it the lowest value.
        unsafe { _mm512_cvtps_epi32(_mm512_min_ps(high, _mm512_mul_ps(_mm512_cvtepi32_ps(sum), multiplier))) }
    }

    #[inline(always)]
    unsafe fn narrow([a, b, c, d]: [__m512i; 4], zero: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe {
            let ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero);
            let cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero);
            _mm512_packs_epi16(ab, cd)
        }
    }

    #[inline(always)]
    unsafe fn in_order(bytes: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe {
            let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            _mm512_permutexvar_epi32(order, bytes)
        }
    }

    #[inline(always)]
    unsafe fn table(table: &[i8; 256]) -> Self::Table {
        // SAFETY: four times 64 entries.
        unsafe {
            let at = table.as_ptr();
            [Self::read(at), Self::read(at.add(64)), Self::read(at.add(128)), Self::read(at.add(192))]
        }
    }

    #[inline(always)]
    unsafe fn look_up(&[a, b, c, d]: &Self::Table, bytes: __m512i) -> __m512i {
        // SAFETY: see above.
        unsafe {
            let positive = _mm512_permutex2var_epi8(a, bytes, b);
            let negative = _mm512_permutex2var_epi8(c, bytes, d);
            _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), positive, negative)
        }
    }
}
