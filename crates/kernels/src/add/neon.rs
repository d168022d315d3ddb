//! NEON: 16 values at a time.

use std::arch::aarch64::*;

use super::Add;
use crate::neon::{pack, scale, widen};

pub(super) fn run(add: &Add, a: &[i8], b: &[i8], output: &mut [i8]) {
    let count = output.len().min(a.len()).min(b.len());
    let whole = count - count % 16;
    // SAFETY: `whole` is a multiple of 16, so each step has 16 values left.
    unsafe {
        let zeros = add.zeros.map(|zero| vdup_n_s8(zero as i8));
        let multipliers = add.multipliers.map(|m| vdupq_n_f32(m));
        let (zero, low, high) =
            (vdupq_n_s16(add.zero as i16), vdupq_n_s8(add.low as i8), vdupq_n_s8(add.high as i8));
        for at in (0..whole).step_by(16) {
            let term = |which: usize, values: &[i8]| {
                let x = vld1q_s8(values.as_ptr().add(at));
                let differences =
                    [vsubl_s8(vget_low_s8(x), zeros[which]), vsubl_s8(vget_high_s8(x), zeros[which])];
                widen(differences).map(|d| scale(d, multipliers[which]))
            };
            let (a, b) = (term(0, a), term(1, b));
            let sums =
                [vaddq_f32(a[0], b[0]), vaddq_f32(a[1], b[1]), vaddq_f32(a[2], b[2]), vaddq_f32(a[3], b[3])];
            let q = vminq_s8(vmaxq_s8(pack(sums, zero), low), high);
            vst1q_s8(output.as_mut_ptr().add(at), q);
        }
    }
    super::scalar::run(add, &a[whole..count], &b[whole..count], &mut output[whole..count]);
}
