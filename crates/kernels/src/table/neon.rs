//! NEON: the table is held in 16 registers; 16 values take four look-ups of 64 entries.

use std::arch::aarch64::*;

use super::Table;

/// A table in registers.
#[derive(Clone, Copy)]
struct Registers([int8x16x4_t; 4]);

impl Registers {
    #[inline(always)]
    fn new(table: &Table) -> Self {
        // SAFETY: four times 64 of the table's 256 bytes.
        Self(std::array::from_fn(|i| unsafe { vld1q_s8_x4(table.0[i * 64..][..64].as_ptr()) }))
    }

    /// An index outside a quarter keeps what the previous quarter gave.
    #[inline(always)]
    fn get(&self, q: int8x16_t) -> int8x16_t {
        // SAFETY: NEON is part of every aarch64 target.
        unsafe {
            let (q, quarter) = (vreinterpretq_u8_s8(q), vdupq_n_u8(64));
            let mut found = vqtbl4q_s8(self.0[0], q);
            let mut index = q;
            for table in &self.0[1..] {
                index = vsubq_u8(index, quarter);
                found = vqtbx4q_s8(found, *table, index);
            }
            found
        }
    }
}

pub(super) fn apply(table: &Table, input: &[i8], output: &mut [i8]) {
    let registers = Registers::new(table);
    let count = input.len().min(output.len());
    let whole = count - count % 16;
    for at in (0..whole).step_by(16) {
        let (from, to) = (&input[at..][..16], &mut output[at..][..16]);
        // SAFETY: 16 bytes each.
        unsafe { vst1q_s8(to.as_mut_ptr(), registers.get(vld1q_s8(from.as_ptr()))) };
    }
    super::scalar::apply(table, &input[whole..count], &mut output[whole..count]);
}

/// `values[i] = table[values[i]]`.
pub(crate) fn in_place(table: &Table, values: &mut [i8]) {
    let registers = Registers::new(table);
    let mut chunks = values.chunks_exact_mut(16);
    for chunk in &mut chunks {
        // SAFETY: 16 bytes.
        unsafe { vst1q_s8(chunk.as_mut_ptr(), registers.get(vld1q_s8(chunk.as_ptr()))) };
    }
    chunks.into_remainder().iter_mut().for_each(|q| *q = table.get(*q));
}

/// Same as the scalar body; the last 16 channels of a pixel overlap the previous ones if the channels are
/// not a multiple of 16.
pub(super) fn interleave(
    channels: usize,
    tables: [&Table; 2],
    inputs: [&[i8]; 2],
    strides: [usize; 2],
    output: &mut [i8],
) {
    if channels < 16 {
        return super::scalar::interleave(channels, tables, inputs, strides, output);
    }
    let registers = tables.map(|table| (!table.is_identity()).then(|| Registers::new(table)));
    let get = |which: usize, from: &[i8]| {
        // SAFETY: 16 bytes.
        let q = unsafe { vld1q_s8(from[..16].as_ptr()) };
        registers[which].as_ref().map_or(q, |table| table.get(q))
    };
    let pixels = inputs[0].chunks(strides[0]).zip(inputs[1].chunks(strides[1]));
    for (output, (a, b)) in output.chunks_exact_mut(2 * channels).zip(pixels) {
        for at in (0..channels).step_by(16).map(|at| at.min(channels - 16)) {
            let both = int8x16x2_t(get(0, &a[at..]), get(1, &b[at..]));
            let to = &mut output[2 * at..][..32];
            // SAFETY: 32 bytes.
            unsafe { vst2q_s8(to.as_mut_ptr(), both) };
        }
    }
}
