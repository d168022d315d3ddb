//! Requantisation in registers, the end of every convolution.

use super::Vector;
use crate::requantise::Requantise;

/// Constants of the requantisation.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue<V: Vector> {
    /// Upper bound of the rounded product. Sums far above it would not be i32 after rounding; those far below saturate.
    high: V::Floats,
    zero: V::Ints,
    low: V::Ints,
    table: Option<V::Table>,
}

impl<V: Vector> Epilogue<V> {
    /// # Safety
    /// Same as [`Vector`], here and below.
    #[inline(always)]
    pub(crate) unsafe fn new(requantise: &Requantise) -> Self {
        let Requantise { zero, low, high, ref table, .. } = *requantise;
        // SAFETY: upheld by the caller.
        unsafe {
            Self {
                high: V::splat_float((high - zero) as f32),
                zero: V::splat_word(zero as i16),
                low: V::splat_byte(low as i8),
                table: table.as_ref().map(|table| V::table(table.entries())),
            }
        }
    }

    /// The rounded product of a sum and its multiplier.
    #[inline(always)]
    pub(crate) unsafe fn round(&self, sum: V::Ints, multiplier: V::Floats) -> V::Ints {
        // SAFETY: the caller's promise.
        unsafe { V::round(sum, multiplier, self.high) }
    }

    /// Takes the table, whose application [`Self::finish`] then leaves to the caller.
    #[inline(always)]
    pub(crate) fn take_table(&mut self) -> Option<V::Table> {
        self.table.take()
    }

    /// Four registers of rounded products to bytes, in the order of [`Vector::narrow`].
    #[inline(always)]
    pub(crate) unsafe fn finish(&self, rounded: [V::Ints; 4]) -> V::Ints {
        // SAFETY: the caller's promise.
        unsafe {
            let bytes = V::max(V::narrow(rounded, self.zero), self.low);
            match &self.table {
                Some(table) => V::look_up(table, bytes),
                None => bytes,
            }
        }
    }
}
