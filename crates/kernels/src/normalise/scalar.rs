//! The specification.
#![forbid(unsafe_code)]

/// Scales `vector` to unit Euclidean length: `v / sqrt(Σ v²)`, the sum in f64. A vector whose length is zero
/// or not finite is left unchanged.
pub fn l2(vector: &mut [f32]) {
    let norm = vector.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    if norm > 0.0 && norm.is_finite() {
        for v in vector {
            *v = (f64::from(*v) / norm) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::l2;

    #[test]
    fn length_becomes_one_and_direction_stays() {
        let mut v = [3.0, -4.0];
        l2(&mut v);
        assert_eq!(v, [0.6, -0.8]);
        let mut tiny = [3e-30, 4e-30];
        l2(&mut tiny);
        assert_eq!(tiny, [0.6, 0.8]);
    }

    #[test]
    fn zero_stays_zero() {
        let mut v = [0.0; 3];
        l2(&mut v);
        assert_eq!(v, [0.0; 3]);
    }
}
