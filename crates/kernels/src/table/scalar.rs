//! The specification.
#![forbid(unsafe_code)]

/// A function of one int8 value.
#[derive(Clone, PartialEq, Eq)]
pub struct Table(pub(super) [i8; 256]);

impl std::fmt::Debug for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Table")
    }
}

impl Table {
    /// The table of `function`.
    pub fn new(function: impl Fn(i8) -> i8) -> Self {
        Self(std::array::from_fn(|index| function(index as u8 as i8)))
    }

    /// `function(q)`.
    #[inline(always)]
    pub fn get(&self, q: i8) -> i8 {
        self.0[usize::from(q as u8)]
    }

    /// The entries of 0..=127, then those of −128..=−1.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn entries(&self) -> &[i8; 256] {
        &self.0
    }

    /// Whether the function is the identity.
    pub fn is_identity(&self) -> bool {
        *self == Self::new(|q| q)
    }

    /// `next(self(q))`.
    pub fn then(&self, next: &Self) -> Self {
        Self::new(|q| next.get(self.get(q)))
    }
}

pub(super) fn apply(table: &Table, input: &[i8], output: &mut [i8]) {
    for (to, &from) in output.iter_mut().zip(input) {
        *to = table.get(from);
    }
}

pub(super) fn interleave(
    channels: usize,
    tables: [&Table; 2],
    [a, b]: [&[i8]; 2],
    strides: [usize; 2],
    output: &mut [i8],
) {
    let pixels = a.chunks(strides[0]).zip(b.chunks(strides[1]));
    for (output, (a, b)) in output.chunks_exact_mut(2 * channels).zip(pixels) {
        for (to, (&a, &b)) in output.chunks_exact_mut(2).zip(a.iter().zip(b)) {
            to[0] = tables[0].get(a);
            to[1] = tables[1].get(b);
        }
    }
}
