//! What AVX2 and AVX-VNNI have in common: 32-byte registers.

/// The functions of [`super::Vector`] that any CPU with AVX2 supports.
macro_rules! ymm {
    () => {
        const BYTES: usize = 32;
        type Ints = __m256i;
        type Floats = __m256;
        /// Differences between neighbouring rows of 16 entries, for the positive half and the negative half.
        type Table = [__m256i; 16];

        #[inline(always)]
        unsafe fn read<T>(from: *const T) -> __m256i {
            // SAFETY: upheld by the caller, here and below.
            unsafe { _mm256_loadu_si256(from.cast()) }
        }

        #[inline(always)]
        unsafe fn read_floats(from: *const f32) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn splat_float(value: f32) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_set1_ps(value) }
        }

        #[inline(always)]
        unsafe fn splat_word(value: i16) -> __m256i {
            // SAFETY: see above.
            unsafe { _mm256_set1_epi16(value) }
        }

        #[inline(always)]
        unsafe fn splat_byte(value: i8) -> __m256i {
            // SAFETY: see above.
            unsafe { _mm256_set1_epi8(value) }
        }

        #[inline(always)]
        unsafe fn broadcast(from: *const u8) -> __m256i {
            // SAFETY: see above.
            unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }
        }

        #[inline(always)]
        unsafe fn first(from: &[i8]) -> __m256i {
            let mut all = [0; 32];
            // SAFETY: reads 32 bytes, or as many as the slice has.
            unsafe {
                if from.len() >= 32 {
                    return Self::read(from.as_ptr());
                }
                all.as_mut_ptr().copy_from_nonoverlapping(from.as_ptr(), from.len());
                Self::read(all.as_ptr())
            }
        }

        #[inline(always)]
        unsafe fn xor(a: __m256i, b: __m256i) -> __m256i {
            // SAFETY: see above.
            unsafe { _mm256_xor_si256(a, b) }
        }

        #[inline(always)]
        unsafe fn max(a: __m256i, b: __m256i) -> __m256i {
            // SAFETY: see above.
            unsafe { _mm256_max_epi8(a, b) }
        }

        #[inline(always)]
        unsafe fn write(to: *mut i8, bytes: __m256i) {
            // SAFETY: see above.
            unsafe { _mm256_storeu_si256(to.cast(), bytes) }
        }

        #[inline(always)]
        unsafe fn write_first(to: &mut [i8], bytes: __m256i) {
            let at = to.as_mut_ptr();
            // SAFETY: no more bytes than the slice has.
            unsafe {
                match to.len() {
                    32 => Self::write(at, bytes),
                    16 => _mm_storeu_si128(at.cast(), _mm256_castsi256_si128(bytes)),
                    8 => _mm_storel_epi64(at.cast(), _mm256_castsi256_si128(bytes)),
                    count => {
                        let mut all = [0i8; 32];
                        Self::write(all.as_mut_ptr(), bytes);
                        at.copy_from_nonoverlapping(all.as_ptr(), count.min(32));
                    }
                }
            }
        }

        #[inline(always)]
        unsafe fn zip(a: __m256i, b: __m256i) -> [__m256i; 2] {
            // SAFETY: see above.
            unsafe {
                let (low, high) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
                [_mm256_permute2x128_si256::<0x20>(low, high), _mm256_permute2x128_si256::<0x31>(low, high)]
            }
        }

        #[inline(always)]
        unsafe fn round(sum: __m256i, multiplier: __m256, high: __m256) -> __m256i {
            // SAFETY: see above. With `high` as first operand a NaN stays NaN and becomes the lowest i32,
            // just as the specification makes it the lowest value.
            unsafe {
                _mm256_cvtps_epi32(_mm256_min_ps(high, _mm256_mul_ps(_mm256_cvtepi32_ps(sum), multiplier)))
            }
        }

        #[inline(always)]
        unsafe fn narrow([a, b, c, d]: [__m256i; 4], zero: __m256i) -> __m256i {
            // SAFETY: see above.
            unsafe {
                let ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero);
                let cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero);
                _mm256_packs_epi16(ab, cd)
            }
        }

        #[inline(always)]
        unsafe fn in_order(bytes: __m256i) -> __m256i {
            // SAFETY: see above.
            unsafe { _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)) }
        }

        #[inline(always)]
        unsafe fn table(table: &[i8; 256]) -> Self::Table {
            // SAFETY: 16 rows of 16 entries.
            unsafe {
                let mut rows = [_mm256_setzero_si256(); 16];
                for (at, row) in rows.iter_mut().enumerate() {
                    *row = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().add(16 * at).cast()));
                }
                for at in (1..16).rev().filter(|&at| at != 8) {
                    rows[at] = _mm256_xor_si256(rows[at], rows[at - 1]);
                }
                rows
            }
        }

        #[inline(always)]
        unsafe fn look_up(table: &Self::Table, bytes: __m256i) -> __m256i {
            // `vpshufb` gives 0 for a negative index, otherwise the entry selected by its four lowest bits.
            // With 16 subtracted per row, an index collects the differences of all rows up to its own and
            // then stays negative, because the subtraction saturates.
            // SAFETY: see above.
            unsafe {
                let step = _mm256_set1_epi8(16);
                let mut found = _mm256_setzero_si256();
                for half in 0..2 {
                    let mut index =
                        if half == 0 { bytes } else { _mm256_xor_si256(bytes, _mm256_set1_epi8(-128)) };
                    for row in 0..8 {
                        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(table[half * 8 + row], index));
                        index = _mm256_subs_epi8(index, step);
                    }
                }
                found
            }
        }
    };
}
pub(super) use ymm;
