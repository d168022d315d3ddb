//! AVX2: 32 pixels at a time from Y, U, V; 16 where bytes are only moved.

use std::arch::x86_64::*;

use super::matrix::{Matrix, Split};
use super::{Row, Yuv, scalar};

/// Same as the specification, which handles the last pixels.
#[target_feature(enable = "avx2")]
pub(super) fn planes(row: Row<'_>, mut out: [&mut [u8]; 3]) {
    let done = blocks(row, out.each_mut().map(|plane| &mut **plane));
    scalar::planes(row.skip(done), out.map(|plane| &mut plane[done..]));
}

/// Returns the number of pixels done, which is even.
#[inline]
#[target_feature(enable = "avx2")]
fn blocks(row: Row<'_>, [red, green, blue]: [&mut [u8]; 3]) -> usize {
    match row {
        Row::Rgb(row) => spread(row, [red, green, blue]),
        Row::Bgr(row) => spread(row, [blue, green, red]),
        Row::Grey(_) => 0,
        Row::Yuv(row, matrix) => yuv(row, &Factors::of(matrix), [red, green, blue]),
    }
}

/// Source of byte i of a plane's 16: byte (3i + c) % 16 of register (3i + c) / 16; negative (none) in
/// the other registers.
const PLACES: [[[i8; 16]; 3]; 3] = {
    let mut places = [[[-1; 16]; 3]; 3];
    let mut at = 0;
    while at < 48 {
        places[at % 3][at / 16][at / 3] = (at % 16) as i8;
        at += 1;
    }
    places
};

#[inline]
#[target_feature(enable = "avx2")]
fn spread(row: &[u8], out: [&mut [u8]; 3]) -> usize {
    let done = out[0].len() / 16 * 16;
    for x in (0..done).step_by(16) {
        let from = [0, 16, 32].map(|part| load(&row[3 * x + part..]));
        for (plane, places) in [0, 1, 2].into_iter().zip(&PLACES) {
            let mut mixed = _mm_setzero_si128();
            for (&bytes, places) in from.iter().zip(places) {
                // SAFETY: 16 bytes.
                let places = unsafe { _mm_loadu_si128(places.as_ptr().cast()) };
                mixed = _mm_or_si128(mixed, _mm_shuffle_epi8(bytes, places));
            }
            let to = &mut out[plane][x..][..16];
            // SAFETY: 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), mixed) };
        }
    }
    done
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8]) -> __m128i {
    // SAFETY: 16 bytes.
    unsafe { _mm_loadu_si128(bytes[..16].as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn yuv(row: Yuv<'_>, factors: &Factors, out: [&mut [u8]; 3]) -> usize {
    let done = out[0].len() / 32 * 32;
    for x in (0..done).step_by(32) {
        let first = factors.rgb(read(row, x));
        let second = factors.rgb(read(row, x + 16));
        for (channel, (first, second)) in first.into_iter().zip(second).enumerate() {
            // Packing works on each half of the registers separately.
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(first, second));
            let to = &mut out[channel][x..][..32];
            // SAFETY: 32 bytes.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes) };
        }
    }
    done
}

/// 16 pixels from `x` on as words: Y, and U and V alternating.
#[inline]
#[target_feature(enable = "avx2")]
fn read(row: Yuv<'_>, x: usize) -> [__m256i; 2] {
    let packed = |row: &[u8]| {
        let bytes = &row[2 * x..][..32];
        // SAFETY: 32 bytes.
        let words: __m256i = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        [_mm256_and_si256(words, _mm256_set1_epi16(255)), _mm256_srli_epi16::<8>(words)]
    };
    match row {
        Yuv::Yuyv(row) => packed(row),
        Yuv::Uyvy(row) => {
            let [chroma, y] = packed(row);
            [y, chroma]
        }
        Yuv::Nv12(planes) => planes.map(|plane| _mm256_cvtepu8_epi16(load(&plane[x..]))),
        Yuv::Yu12([y, u, v]) => {
            let [u, v] = [u, v].map(|plane| {
                let bytes = &plane[x / 2..][..8];
                // SAFETY: 8 bytes.
                unsafe { _mm_loadl_epi64(bytes.as_ptr().cast()) }
            });
            [load(&y[x..]), _mm_unpacklo_epi8(u, v)].map(|bytes| _mm256_cvtepu8_epi16(bytes))
        }
    }
}

/// A matrix as words for `vpmaddwd`, whose sums of two products are exact. The parts of [`Split`] are paired
/// with 0 where the other word of a pair does not count; products of the wholes with a word in the upper half
/// come out already shifted by 16 bits.
struct Factors {
    black: __m256i,
    /// For the first and for the second pixel of a pair.
    y: [__m256i; 2],
    /// For U and V, per red, green and blue.
    parts: [__m256i; 3],
    /// V for red, V for green, U for blue.
    wholes: [__m256i; 3],
}

impl Factors {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn of(matrix: &Matrix) -> Self {
        let [y, r_v, g_u, g_v, b_u] =
            [matrix.y, matrix.r_v, matrix.g_u, matrix.g_v, matrix.b_u].map(Split::of);
        let words = |low: i16, high: i16| _mm256_set1_epi32(i32::from(low as u16) | i32::from(high) << 16);
        Self {
            black: _mm256_set1_epi16(matrix.black as i16),
            y: [words(y.part, 0), words(0, y.part)],
            parts: [words(0, r_v.part), words(g_u.part, g_v.part), words(b_u.part, 0)],
            wholes: [words(0, r_v.whole), words(0, g_v.whole), words(0, b_u.whole)],
        }
    }

    /// Words of red, green and blue, not yet clamped. The chroma of a pair of pixels is computed once, in
    /// 32-bit lanes; first and second pixels are computed separately.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn rgb(&self, [y, chroma]: [__m256i; 2]) -> [__m256i; 3] {
        let y = _mm256_sub_epi16(y, self.black);
        let v = _mm256_sub_epi16(chroma, _mm256_set1_epi16(128));
        let u = _mm256_slli_epi32::<16>(v);
        let half = _mm256_set1_epi32(1 << 15);
        // The whole part of luma's factor is 1.
        let first = _mm256_add_epi32(_mm256_slli_epi32::<16>(y), half);
        let second = _mm256_or_si256(_mm256_and_si256(y, _mm256_set1_epi32(-1 << 16)), half);
        let first = _mm256_add_epi32(first, _mm256_madd_epi16(y, self.y[0]));
        let second = _mm256_add_epi32(second, _mm256_madd_epi16(y, self.y[1]));
        let mut out = [half; 3];
        for (channel, upper) in [v, v, u].into_iter().enumerate() {
            let part = _mm256_madd_epi16(v, self.parts[channel]);
            let chroma = _mm256_add_epi32(part, _mm256_mullo_epi16(upper, self.wholes[channel]));
            let first = _mm256_srli_epi32::<16>(_mm256_add_epi32(first, chroma));
            out[channel] = _mm256_blend_epi16::<0b1010_1010>(first, _mm256_add_epi32(second, chroma));
        }
        out
    }
}
