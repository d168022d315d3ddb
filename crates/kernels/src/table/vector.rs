//! Look-ups in registers.

use super::Table;
use crate::vector::Vector;

/// # Safety
/// Same as [`Vector`], here and below.
#[inline(always)]
pub(super) unsafe fn apply<V: Vector>(table: &Table, input: &[i8], output: &mut [i8]) {
    // SAFETY: upheld by the caller.
    unsafe {
        let table = V::table(table.entries());
        for at in starts::<V>(output.len().min(input.len())) {
            let q = V::look_up(&table, V::first(&input[at..]));
            write::<V>(&mut output[at..], q);
        }
    }
}

/// Replaces each value by its table entry.
#[inline(always)]
pub(crate) unsafe fn replace<V: Vector>(table: &V::Table, values: &mut [i8]) {
    for values in values.chunks_mut(V::BYTES) {
        // SAFETY: upheld by the caller.
        unsafe { V::write_first(values, V::look_up(table, V::first(values))) };
    }
}

/// Same as [`super::interleave`], for pixels of `channels` values that start every `strides` values.
#[inline(always)]
pub(super) unsafe fn interleave<V: Vector>(
    channels: usize,
    tables: [&Table; 2],
    inputs: [&[i8]; 2],
    strides: [usize; 2],
    output: &mut [i8],
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let tables = [V::table(tables[0].entries()), V::table(tables[1].entries())];
        for (pixel, output) in output.chunks_exact_mut(2 * channels).enumerate() {
            for at in starts::<V>(channels) {
                let a = V::look_up(&tables[0], V::first(&inputs[0][pixel * strides[0] + at..]));
                let b = V::look_up(&tables[1], V::first(&inputs[1][pixel * strides[1] + at..]));
                let [low, high] = V::zip(a, b);
                write::<V>(&mut output[2 * at..], low);
                if output.len() > 2 * at + V::BYTES {
                    write::<V>(&mut output[2 * at + V::BYTES..], high);
                }
            }
        }
    }
}

/// Starts of registers that cover `count` values. The last one overlaps the previous one, unless
/// there is only one.
#[inline(always)]
fn starts<V: Vector>(count: usize) -> impl Iterator<Item = usize> {
    let last = count.saturating_sub(V::BYTES);
    (0..count.div_ceil(V::BYTES)).map(move |index| (index * V::BYTES).min(last))
}

/// Writes a register, or as much of it as fits.
#[inline(always)]
unsafe fn write<V: Vector>(to: &mut [i8], values: V::Ints) {
    let count = to.len().min(V::BYTES);
    // SAFETY: upheld by the caller.
    unsafe { V::write_first(&mut to[..count], values) }
}
