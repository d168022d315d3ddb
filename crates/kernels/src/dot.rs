//! Products of two int8 vectors, for tables of vectors that are read once: packing them, as [`crate::product`] does
//! with weights, would take longer than the product.

/// `Σ a[k] · b[k]`, where `b` holds int8 numbers as they lie in a file; as many as the shorter one has. Exact for up
/// to 131,072 numbers, wrapping beyond.
///
/// ```
/// assert_eq!(edgeclip_kernels::dot::of_bytes(&[1, -2, 3], &[4, 255, 0]), 6);
/// ```
pub fn of_bytes(a: &[i8], b: &[u8]) -> i32 {
    // Wrapping, so that a compiler may take several at once.
    let products = a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(b.cast_signed()));
    products.fold(0, i32::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::of_bytes;

    #[test]
    fn sums_are_exact_at_every_length() {
        for length in 0..200usize {
            let a: Vec<i8> = (0..length).map(|k| (k * 37 % 256) as u8 as i8).collect();
            let b: Vec<u8> = (0..length).map(|k| (k * 91 % 256) as u8).collect();
            let expected: i64 = a.iter().zip(&b).map(|(a, b)| i64::from(*a) * i64::from(*b as i8)).sum();
            assert_eq!(i64::from(of_bytes(&a, &b)), expected, "{length}");
        }
        assert_eq!(of_bytes(&[-128; 131_071], &[128; 131_071]), 131_071 * 128 * 128);
        assert_eq!(of_bytes(&[1, 2], &[1]), 1);
    }
}
