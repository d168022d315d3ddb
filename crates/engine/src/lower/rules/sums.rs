//! Sums of products that are not quantised by themselves.

use crate::steps::{Order, View};
use edgeclip_kernels::wide::Wide;

/// A convolution, or a product by constant weights.
pub(super) struct Sums {
    pub(super) wide: Wide,
    pub(super) from: View,
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
    /// From sums to real numbers.
    pub(super) multipliers: Vec<f32>,
}
