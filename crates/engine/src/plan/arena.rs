//! The memory of a pass.

use edgeclip_kernels::{conv_pointwise, matmul};

/// What one pass writes to.
#[derive(Debug)]
pub(super) struct Arena {
    pub(super) slots: Vec<Vec<i8>>,
    /// One per thread.
    pub(super) scratch: Vec<Scratch>,
}

/// Memory of one thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) pointwise: conv_pointwise::Scratch,
    pub(super) patches: Vec<i8>,
    pub(super) sums: Vec<i32>,
    pub(super) matmul: matmul::Scratch,
    /// Patches of 16-bit numbers, sums of one row for each convolution, and lines of a formula.
    pub(super) wide: Vec<i16>,
    pub(super) rows: Vec<Vec<i32>>,
    pub(super) lines: Vec<f32>,
}

impl Arena {
    /// Slots of so many bytes, and scratch for so many threads.
    pub(super) fn new(slots: &[usize], threads: usize) -> Self {
        Self {
            slots: slots.iter().map(|&bytes| vec![0; bytes]).collect(),
            scratch: (0..threads).map(|_| Scratch::default()).collect(),
        }
    }
}
