//! Lengths of slices, computed without wrapping around: a product that wraps would let a slice pass that is too short.

/// The product of `factors`, if memory can hold as many values.
#[inline]
pub(crate) fn product<const N: usize>(factors: [usize; N]) -> Option<usize> {
    let product = factors.iter().try_fold(1usize, |product, &factor| product.checked_mul(factor));
    product.filter(|&product| isize::try_from(product).is_ok())
}

/// The values from the first of `pixels` pixels of `width` values to the last, where each pixel starts `stride` values after the one
/// before it.
#[inline]
pub(crate) fn span(pixels: usize, stride: usize, width: usize) -> Option<usize> {
    match pixels.checked_sub(1) {
        Some(steps) => steps.checked_mul(stride)?.checked_add(width),
        None => Some(0),
    }
}

/// Whether a slice of `length` values holds what [`product`] or [`span`] found.
#[inline]
pub(crate) fn holds(length: usize, needed: Option<usize>) -> bool {
    needed.is_some_and(|needed| length >= needed)
}
