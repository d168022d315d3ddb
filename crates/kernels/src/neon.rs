//! Shared by the aarch64 kernels: requantisation and products. NEON is part of every aarch64 target, so these
//! functions need no feature.

use std::arch::aarch64::*;
use std::arch::asm;

use super::requantise::Requantise;
use super::table::{self, Table};

/// `round_half_even(values) + zero` of 16 values, saturated. Rounding saturates to i32; narrowing to
/// i16, adding the zero point and narrowing to i8 saturate too: no step changes the order of values or
/// moves those within i8.
#[inline(always)]
pub(super) fn pack(values: [float32x4_t; 4], zero: int16x8_t) -> int8x16_t {
    let [a, b, c, d] = values;
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let (low, high) = (narrow([a, b], zero), narrow([c, d], zero));
        vqmovn_high_s16(vqmovn_s16(low), high)
    }
}

/// Same for 8 values.
#[inline(always)]
pub(super) fn pack_half(values: [float32x4_t; 2], zero: int16x8_t) -> int8x8_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe { vqmovn_s16(narrow(values, zero)) }
}

#[inline(always)]
fn narrow(values: [float32x4_t; 2], zero: int16x8_t) -> int16x8_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let [a, b] = values.map(|v| vcvtnq_s32_f32(v));
        vqaddq_s16(vqmovn_high_s32(vqmovn_s32(a), b), zero)
    }
}

/// What happens to results that are only saturated so far. Clamping after rounding gives the same as
/// clamping before it.
#[derive(Debug)]
pub(super) enum After {
    Nothing,
    Clamp(i8, i8),
    /// A table lookup, which includes the clamping.
    Table(Box<Table>),
}

impl After {
    pub(super) fn of(requantise: &Requantise) -> Self {
        let (low, high) = (requantise.low as i8, requantise.high as i8);
        match &requantise.table {
            Some(table) => Self::Table(Box::new(Table::new(|q| table.get(q.max(low).min(high))))),
            None if (low, high) == (i8::MIN, i8::MAX) => Self::Nothing,
            None => Self::Clamp(low, high),
        }
    }

    pub(super) fn apply(&self, values: &mut [i8]) {
        match self {
            Self::Nothing => {}
            Self::Clamp(low, high) => values.iter_mut().for_each(|q| *q = (*q).max(*low).min(*high)),
            Self::Table(table) => table::neon::in_place(table, values),
        }
    }
}

/// `sums · multiplier`, rounded to f32 twice, as specified.
#[inline(always)]
pub(super) fn scale(sums: int32x4_t, multiplier: float32x4_t) -> float32x4_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe { vmulq_f32(vcvtq_f32_s32(sums), multiplier) }
}

/// Loads two registers with one instruction, each time anew: copying them from other
/// registers would take two.
///
/// # Safety
/// Eight values must be readable at `at`.
#[inline(always)]
pub(super) unsafe fn load_pair(at: *const i32) -> [int32x4_t; 2] {
    let (a, b);
    // SAFETY: upheld by the caller.
    unsafe {
        asm!(
            "ldp {a:q}, {b:q}, [{at}]",
            a = out(vreg) a, b = out(vreg) b, at = in(reg) at,
            options(readonly, nostack, preserves_flags)
        );
    }
    [a, b]
}

/// Returns the same pointer but hides from the compiler how it relates to others, which then keeps it in a
/// register of its own instead of recomputing it again and again.
#[inline(always)]
pub(super) fn apart(mut at: *const i8) -> *const i8 {
    // SAFETY: the assembly is a comment.
    unsafe { asm!("/* {at} */", at = inout(reg) at, options(pure, nomem, nostack, preserves_flags)) };
    at
}

/// 16 values as i32.
#[inline(always)]
pub(super) fn widen([low, high]: [int16x8_t; 2]) -> [int32x4_t; 4] {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        [
            vmovl_s16(vget_low_s16(low)),
            vmovl_high_s16(low),
            vmovl_s16(vget_low_s16(high)),
            vmovl_high_s16(high),
        ]
    }
}

/// Position of the weight of input `i` (of four) for `sdot`: the four inputs of an output are contiguous.
pub(super) fn at_dot(channel: usize, i: usize) -> usize {
    channel * 4 + i
}

/// `sum[l] + Σ_i w[4l + i] · x[4 · GROUP + i]`. The intrinsic is not stable yet.
///
/// # Safety
/// The CPU must have `dotprod`, and the function this is inlined into must enable it.
#[inline(always)]
pub(super) unsafe fn dot<const GROUP: u8>(mut sum: int32x4_t, w: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: upheld by the caller; touches registers only.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {w:v}.16b, {x:v}.4b[{group}]",
            sum = inout(vreg) sum, w = in(vreg) w, x = in(vreg) x, group = const GROUP,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// Position of the weight of input `i` (of four) for `smull`: a register holds inputs 0 and 1 of four
/// outputs, then inputs 2 and 3.
pub(super) fn at_pairs(channel: usize, i: usize) -> usize {
    channel / 4 * 16 + i / 2 * 8 + channel % 4 * 2 + i % 2
}

/// Index vector that picks inputs 0 and 1 of group `group` (of four) of a register four times,
/// then inputs 2 and 3.
#[inline(always)]
pub(super) fn pairs(group: u8) -> uint8x16_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let first = vcombine_u64(vcreate_u64(0x0100_0100_0100_0100), vcreate_u64(0x0302_0302_0302_0302));
        vaddq_u8(vreinterpretq_u8_u64(first), vdupq_n_u8(4 * group))
    }
}

/// Adds products of the four inputs that `pick` ([`pairs`]) selects from `x` with four registers of weights.
/// One assembly block: scheduled by the compiler, the products of many rows would be live at once and spill.
#[inline(always)]
pub(super) fn add_four(
    [a, b, c, d]: &mut [int32x4_t; 4],
    w: &[int8x16_t; 4],
    x: int8x16_t,
    pick: uint8x16_t,
) {
    // SAFETY: touches registers only.
    unsafe {
        asm!(
            "tbl {x:v}.16b, {{{from:v}.16b}}, {pick:v}.16b",
            "smull {p:v}.8h, {w0:v}.8b, {x:v}.8b",
            "smull {q:v}.8h, {w1:v}.8b, {x:v}.8b",
            "smull {r:v}.8h, {w2:v}.8b, {x:v}.8b",
            "smull {s:v}.8h, {w3:v}.8b, {x:v}.8b",
            "smlal2 {p:v}.8h, {w0:v}.16b, {x:v}.16b",
            "smlal2 {q:v}.8h, {w1:v}.16b, {x:v}.16b",
            "smlal2 {r:v}.8h, {w2:v}.16b, {x:v}.16b",
            "smlal2 {s:v}.8h, {w3:v}.16b, {x:v}.16b",
            "sadalp {a:v}.4s, {p:v}.8h",
            "sadalp {b:v}.4s, {q:v}.8h",
            "sadalp {c:v}.4s, {r:v}.8h",
            "sadalp {d:v}.4s, {s:v}.8h",
            x = out(vreg) _, p = out(vreg) _, q = out(vreg) _, r = out(vreg) _, s = out(vreg) _,
            a = inout(vreg) *a, b = inout(vreg) *b, c = inout(vreg) *c, d = inout(vreg) *d,
            w0 = in(vreg) w[0], w1 = in(vreg) w[1], w2 = in(vreg) w[2], w3 = in(vreg) w[3],
            from = in(vreg) x, pick = in(vreg) pick,
            options(nomem, nostack, preserves_flags)
        );
    }
}
