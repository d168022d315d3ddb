//! Functions of one int8 value as tables of 256 entries.

#[cfg(target_arch = "aarch64")]
pub(super) mod neon;
mod scalar;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
pub(super) mod vector;

pub use scalar::Table;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::isa::Level;
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512Vnni, AvxVnni, compiled};
use super::{Isa, bounds};

/// `output[i] = table[input[i]]`.
///
/// # Panics
/// If the lengths differ.
pub fn apply(isa: Isa, table: &Table, input: &[i8], output: &mut [i8]) {
    assert_eq!(input.len(), output.len());
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => {
            compiled!("avx2", vector::apply::<Avx2>, (table: &Table, input: &[i8], output: &mut [i8]));
        }
        #[cfg(target_arch = "x86_64")]
        Level::AvxVnni => {
            compiled!("avx2", vector::apply::<AvxVnni>, (table: &Table, input: &[i8], output: &mut [i8]));
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => compiled!(
            "avx512f,avx512bw,avx512vnni,avx512vbmi",
            vector::apply::<Avx512Vnni>,
            (table: &Table, input: &[i8], output: &mut [i8])
        ),
        #[cfg(target_arch = "aarch64")]
        Level::Neon | Level::Dotprod | Level::I8mm => neon::apply(table, input, output),
        _ => scalar::apply(table, input, output),
    }
}

/// Interleaves two tensors of `channels` channels, each mapped through its table: `output[2i] = first[a[i]]`,
/// `output[2i + 1] = second[b[i]]`, i.e. concatenation followed by a channel shuffle with two groups. Pixels
/// of `a` start every `a_stride` values, those of `b` every `b_stride`; the result is dense.
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
    let pixels = output.len() / 2 / channels;
    assert!(bounds::product([pixels, channels, 2]) == Some(output.len()));
    assert!(a_stride >= channels && bounds::holds(a.len(), bounds::span(pixels, a_stride, channels)));
    assert!(b_stride >= channels && bounds::holds(b.len(), bounds::span(pixels, b_stride, channels)));
    let (tables, inputs, strides) = ([first, second], [a, b], [a_stride, b_stride]);
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => compiled!(
            "avx2",
            vector::interleave::<Avx2>,
            (channels: usize, tables: [&Table; 2], inputs: [&[i8]; 2], strides: [usize; 2], output: &mut [i8])
        ),
        #[cfg(target_arch = "x86_64")]
        Level::AvxVnni => compiled!(
            "avx2",
            vector::interleave::<AvxVnni>,
            (channels: usize, tables: [&Table; 2], inputs: [&[i8]; 2], strides: [usize; 2], output: &mut [i8])
        ),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => compiled!(
            "avx512f,avx512bw,avx512vnni,avx512vbmi",
            vector::interleave::<Avx512Vnni>,
            (channels: usize, tables: [&Table; 2], inputs: [&[i8]; 2], strides: [usize; 2], output: &mut [i8])
        ),
        #[cfg(target_arch = "aarch64")]
        Level::Neon | Level::Dotprod | Level::I8mm => {
            neon::interleave(channels, tables, inputs, strides, output);
        }
        _ => scalar::interleave(channels, tables, inputs, strides, output),
    }
}
