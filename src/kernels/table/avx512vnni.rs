//! AVX-512 VBMI: a table lies in four registers, 64 look-ups take four instructions.

use std::arch::x86_64::*;

use super::Table;

/// A table in registers: entries of 0..64, 64..128, −128..−64, −64..0.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Registers([__m512i; 4]);

impl Registers {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(in crate::kernels) fn new(table: &Table) -> Self {
        let at = table.0.as_ptr();
        // SAFETY: four times 64 of the table's 256 bytes.
        unsafe {
            Self([
                _mm512_loadu_si512(at.cast()),
                _mm512_loadu_si512(at.add(64).cast()),
                _mm512_loadu_si512(at.add(128).cast()),
                _mm512_loadu_si512(at.add(192).cast()),
            ])
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(in crate::kernels) fn get(&self, q: __m512i) -> __m512i {
        let [a, b, c, d] = self.0;
        let positive = _mm512_permutex2var_epi8(a, q, b);
        let negative = _mm512_permutex2var_epi8(c, q, d);
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(q), positive, negative)
    }
}

/// A mask of the first `count` bytes, all for 64 and more.
#[inline(always)]
pub(in crate::kernels) fn first(count: usize) -> __mmask64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) fn apply(table: &Table, input: &[i8], output: &mut [i8]) {
    let table = Registers::new(table);
    for (to, from) in output.chunks_mut(64).zip(input.chunks(64)) {
        let mask = first(to.len().min(from.len()));
        // SAFETY: the mask ends where the shorter chunk does.
        unsafe {
            let q = _mm512_maskz_loadu_epi8(mask, from.as_ptr());
            _mm512_mask_storeu_epi8(to.as_mut_ptr(), mask, table.get(q));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) fn interleave(first_table: &Table, a: &[i8], second_table: &Table, b: &[i8], output: &mut [i8]) {
    let (first_table, second_table) = (Registers::new(first_table), Registers::new(second_table));
    // Bytes 0..32 of both in turn, then bytes 32..64.
    let low: [u8; 64] = std::array::from_fn(|i| (i / 2 + i % 2 * 64) as u8);
    let high: [u8; 64] = std::array::from_fn(|i| (32 + i / 2 + i % 2 * 64) as u8);
    // SAFETY: 64 bytes each.
    let (low, high) =
        unsafe { (_mm512_loadu_si512(low.as_ptr().cast()), _mm512_loadu_si512(high.as_ptr().cast())) };
    for (to, (a, b)) in output.chunks_mut(128).zip(a.chunks(64).zip(b.chunks(64))) {
        let count = a.len().min(b.len()).min(to.len() / 2);
        // SAFETY: the masks end where the shortest chunk does.
        unsafe {
            let a = first_table.get(_mm512_maskz_loadu_epi8(first(count), a.as_ptr()));
            let b = second_table.get(_mm512_maskz_loadu_epi8(first(count), b.as_ptr()));
            _mm512_mask_storeu_epi8(to.as_mut_ptr(), first(2 * count), _mm512_permutex2var_epi8(a, low, b));
            if count > 32 {
                let rest = first(2 * count - 64);
                _mm512_mask_storeu_epi8(to.as_mut_ptr().add(64), rest, _mm512_permutex2var_epi8(a, high, b));
            }
        }
    }
}
