//! Products of two vectors, for tables of vectors that are read once: packing them, as [`crate::product`] does with
//! weights, would take longer than the product.

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

/// `Σ a[k] · b[k]`, as many as the shorter one has, in f32: eight running sums, added up in their order, then what is left
/// over after the last eight. The order is fixed, so that every CPU gives the same bits.
///
/// ```
/// assert_eq!(edgeclip_kernels::dot::of_floats(&[0.5, -2.0], &[4.0, 1.0]), 0.0);
/// ```
pub fn of_floats(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_tail) = a.as_chunks::<8>();
    let (b_lanes, b_tail) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::{of_bytes, of_floats};

    #[test]
    fn products_of_floats_cover_lanes_and_tail() {
        for length in [0, 1, 7, 8, 9, 16, 19] {
            let a: Vec<f32> = (0..length).map(|i| i as f32 - 3.0).collect();
            let b: Vec<f32> = (0..length).map(|i| 2.0 * i as f32 + 1.0).collect();
            let expected: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert_eq!(of_floats(&a, &b), expected, "length {length}");
        }
    }

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
