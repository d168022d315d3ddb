//! What goes into a [`Graph`](super::Graph): declared when it is loaded, and passed when it runs.

/// A dimension of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dim {
    /// Always this size.
    Fixed(usize),
    /// Any size from call to call, the same wherever the name is the same.
    Named(&'static str),
    /// The fixed size that the file declares.
    Declared,
}

/// Type and shape of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature<'a> {
    /// Of f32.
    Float(&'a [Dim]),
    /// Of i64.
    Int64(&'a [Dim]),
}

/// The shape of an input and its values, row-major.
#[derive(Debug, Clone, Copy)]
pub enum Tensor<'a> {
    /// Of f32.
    Float(&'a [usize], &'a [f32]),
    /// Of i64.
    Int64(&'a [usize], &'a [i64]),
}
