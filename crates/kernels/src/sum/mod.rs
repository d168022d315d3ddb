//! Sums along one axis, in order: unlike partial sums, they give the same bits on every CPU.
#![forbid(unsafe_code)]

use super::bounds;

/// `y[o, i] = Σ_k x[o, k, i]` over f32 `[outer, length, inner]`, k in order from +0.
///
/// # Panics
/// If `x` or `y` do not have the lengths of these shapes.
pub fn sum(x: &[f32], [outer, length, inner]: [usize; 3], y: &mut [f32]) {
    assert_eq!(
        (Some(x.len()), Some(y.len())),
        (bounds::product([outer, length, inner]), bounds::product([outer, inner])),
        "lengths of [{outer}, {length}, {inner}]"
    );
    y.fill(0.0);
    if x.is_empty() {
        return;
    }
    for (x, y) in x.chunks_exact(length * inner).zip(y.chunks_exact_mut(inner)) {
        for x in x.chunks_exact(inner) {
            for (total, value) in y.iter_mut().zip(x) {
                *total += value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn each_axis_is_summed_in_order() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0];
        let mut y = [9.0; 4];
        sum(&x, [2, 3, 2], &mut y);
        assert_eq!(y, [9.0, 12.0, 90.0, 120.0]);
        // In any other order the 1 would survive.
        let mut y = [0.0];
        sum(&[1e8, 1.0, -1e8], [1, 3, 1], &mut y);
        assert_eq!(y, [0.0]);
    }

    #[test]
    fn of_nothing_the_sum_is_zero() {
        let mut y = [7.0; 3];
        sum(&[], [1, 0, 3], &mut y);
        assert_eq!(y, [0.0; 3]);
        sum(&[], [0, 2, 3], &mut []);
    }
}
