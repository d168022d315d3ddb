//! What the x86-64 kernels need from an instruction set: each kernel body is written once over [`Vector`] and
//! compiled for every set by [`compiled`].

mod avx2;
mod avx512vnni;
mod avxvnni;
mod epilogue;
mod ymm;

pub(super) use avx2::Avx2;
pub(super) use avx512vnni::Avx512Vnni;
pub(super) use avxvnni::AvxVnni;
pub(super) use epilogue::Epilogue;

/// Registers of one instruction set. They hold activations unsigned, as `x + 128`, because `vpdpbusd` takes
/// them so; biases compensate for it (`−128 · Σ w`).
///
/// # Safety
/// For all functions: the CPU has the instruction set, and the caller is compiled for it.
pub(super) trait Vector: Copy + std::fmt::Debug {
    /// Bytes per register.
    const BYTES: usize;
    /// i32 lanes per register.
    const LANES: usize = Self::BYTES / 4;
    /// Activations that [`Self::dot`] sums up per lane; they occupy four bytes.
    const GROUP: usize;
    /// A weight as [`Self::dot`] takes it, `4 / GROUP` bytes: a register holds `LANES · GROUP` of them.
    type Weight: Copy + Default + From<i8> + std::fmt::Debug;
    /// A register of integers of any width.
    type Ints: Copy;
    /// A register of f32.
    type Floats: Copy;
    /// A table of 256 entries.
    type Table: Copy;

    /// Loads a register; `BYTES` must be readable.
    unsafe fn read<T>(from: *const T) -> Self::Ints;
    /// Same for floats.
    unsafe fn read_floats(from: *const f32) -> Self::Floats;
    /// The same f32 in all lanes.
    unsafe fn splat_float(value: f32) -> Self::Floats;
    /// The same i16 in all words.
    unsafe fn splat_word(value: i16) -> Self::Ints;
    /// The same byte everywhere.
    unsafe fn splat_byte(value: i8) -> Self::Ints;
    /// Four bytes from memory in all lanes.
    unsafe fn broadcast(from: *const u8) -> Self::Ints;
    /// The first `BYTES` bytes of a slice, zeros past its end.
    unsafe fn first(from: &[i8]) -> Self::Ints;
    /// Bitwise exclusive or.
    unsafe fn xor(a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// The maximum of signed bytes.
    unsafe fn max(a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// Stores `BYTES` bytes.
    unsafe fn write(to: *mut i8, bytes: Self::Ints);
    /// Stores `to.len()` bytes, at most `BYTES`.
    unsafe fn write_first(to: &mut [i8], bytes: Self::Ints);
    /// Stores `BYTES` unsigned activations as [`Self::dot`] takes them: `BYTES · 4 / GROUP` bytes.
    unsafe fn write_activations(to: *mut u8, bytes: Self::Ints);

    /// Interleaves the bytes of both.
    unsafe fn zip(a: Self::Ints, b: Self::Ints) -> [Self::Ints; 2];
    /// `sum + Σ x·w` in every lane, over `GROUP` products, wrapping.
    unsafe fn dot(sum: Self::Ints, x: Self::Ints, w: Self::Ints) -> Self::Ints;
    /// Interleaves the first `GROUP` rows byte by byte: lane `4l + e` of register v holds the activations of
    /// channel `16l + 4v + e`.
    unsafe fn interleave(rows: [Self::Ints; 4]) -> [Self::Ints; 4];
    /// `round_half_even(min(sum · multiplier, high))`; far below all of int8 where that does not fit i32.
    unsafe fn round(sum: Self::Ints, multiplier: Self::Floats, high: Self::Floats) -> Self::Ints;
    /// Adds the i16 zero point to i32 values and saturates to bytes. Dword `4l + v` holds lanes `4l..4l
    /// + 4` of register v.
    unsafe fn narrow(values: [Self::Ints; 4], zero: Self::Ints) -> Self::Ints;
    /// Brings the result of `narrow` into the order of registers, then lanes.
    unsafe fn in_order(bytes: Self::Ints) -> Self::Ints;
    /// Prepares a table for [`Self::look_up`].
    unsafe fn table(table: &[i8; 256]) -> Self::Table;
    /// Maps each byte through the table.
    unsafe fn look_up(table: &Self::Table, bytes: Self::Ints) -> Self::Ints;
}

/// Calls a kernel body that is generic over [`Vector`] and `#[inline(always)]`, compiled with
/// the given features.
macro_rules! compiled {
    ($features:literal, $body:path, ($($argument:ident: $kind:ty),* $(,)?)) => {{
        #[target_feature(enable = $features)]
        #[allow(clippy::too_many_arguments, reason = "as many as the kernel takes")]
        fn compiled($($argument: $kind),*) {
            // SAFETY: this function is compiled with the features.
            unsafe { $body($($argument),*) }
        }
        // SAFETY: `Isa::available` yields an `Isa` only after detecting its features.
        unsafe { compiled($($argument),*) }
    }};
}
pub(super) use compiled;
