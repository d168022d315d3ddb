//! Functions of one int8 value as tables of 256 entries.

#[cfg(target_arch = "x86_64")]
mod avx512vnni;
mod scalar;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub(super) use avx512vnni::{Registers, first};
pub use scalar::Table;

use super::Isa;

/// `output[i] = table[input[i]]`.
///
/// # Panics
/// If the lengths differ.
pub fn apply(isa: Isa, table: &Table, input: &[i8], output: &mut [i8]) {
    assert_eq!(input.len(), output.len());
    match isa {
        // SAFETY: an `Isa` of this CPU.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni => unsafe { avx512vnni::apply(table, input, output) },
        _ => scalar::apply(table, input, output),
    }
}

/// Writes two tensors of `channels` channels channel by channel in turn, each through its table:
/// `output[2i] = first[a[i]]`, `output[2i + 1] = second[b[i]]`. Concatenation followed by a channel shuffle of two groups.
/// Pixels of `a` and `b` start every `stride` values; the result is dense.
///
/// # Panics
/// If a slice is too short.
pub fn interleave(
    isa: Isa,
    channels: usize,
    (first, a, a_stride): (&Table, &[i8], usize),
    (second, b, b_stride): (&Table, &[i8], usize),
    output: &mut [i8],
) {
    let pixels = output.chunks_exact_mut(2 * channels).zip(a.chunks(a_stride).zip(b.chunks(b_stride)));
    for (output, (a, b)) in pixels {
        let (a, b) = (&a[..channels], &b[..channels]);
        match isa {
            // SAFETY: an `Isa` of this CPU.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => unsafe { avx512vnni::interleave(first, a, second, b, output) },
            _ => scalar::interleave(first, a, second, b, output),
        }
    }
}
