//! What tells examples from everyday things: ridge regression of their mean against the bank.
//!
//! For the mean example `x` it is the vector `w = u / (1 + x·u)` with `u = (G + ridge · I)⁻¹ x` and `G` the mean outer
//! product of the bank's rows: the one whose product is nearest to 1 with `x` and to 0 with what is seen every day, where `x`
//! weighs as much as the whole bank. The bank has fewer rows than values, so the inverse is taken there:
//! `u = (x − Bᵀ y) / ridge` with `(B Bᵀ + ridge · M · I) y = B x`.

use super::FeatureVector;

/// The system of equations for a bank, solved as far as it can be without examples.
pub(super) struct Regression {
    ridge: f64,
    /// Rows of the lower triangle `L` with `L Lᵀ = B Bᵀ + ridge · M · I` (Cholesky).
    factor: Vec<Vec<f64>>,
}

impl Regression {
    /// For the rows of a bank; `ridge` is positive.
    pub(super) fn new(bank: &[FeatureVector], ridge: f64) -> Self {
        let mut factor: Vec<Vec<f64>> = Vec::with_capacity(bank.len());
        for (index, row) in bank.iter().enumerate() {
            let mut own: Vec<f64> = Vec::with_capacity(index + 1);
            for (other, before) in bank.iter().zip(&factor) {
                let rest = product(row, other) - dot(&own, before);
                own.push(rest / before.last().copied().unwrap_or(1.0));
            }
            let rest = product(row, row) + ridge * bank.len() as f64 - dot(&own, &own);
            own.push(rest.max(f64::MIN_POSITIVE).sqrt());
            factor.push(own);
        }
        Self { ridge, factor }
    }

    /// `w` of a mean example.
    pub(super) fn of(&self, bank: &[FeatureVector], mean: &[f64]) -> Vec<f64> {
        let mut solved: Vec<f64> = Vec::with_capacity(bank.len());
        for (row, factor) in bank.iter().zip(&self.factor) {
            let likeness = row.values.iter().zip(mean).map(|(q, x)| f64::from(*q) * x).sum::<f64>();
            let rest = likeness * f64::from(row.scale) - dot(&solved, factor);
            solved.push(rest / factor.last().copied().unwrap_or(1.0));
        }
        // Upwards, row by row of the factor, since its columns are far apart.
        for (index, factor) in self.factor.iter().enumerate().rev() {
            let (above, own) = solved.split_at_mut(index);
            let Some((own, last)) = own.first_mut().zip(factor.last()) else { continue };
            *own /= last;
            above.iter_mut().zip(factor).for_each(|(above, weight)| *above -= weight * *own);
        }
        let mut u = mean.to_vec();
        for (row, y) in bank.iter().zip(&solved) {
            let y = y * f64::from(row.scale);
            u.iter_mut().zip(&row.values).for_each(|(u, q)| *u -= y * f64::from(*q));
        }
        u.iter_mut().for_each(|u| *u /= self.ridge);
        let length = 1.0 + dot(mean, &u);
        u.iter_mut().for_each(|u| *u /= length);
        u
    }
}

fn product(a: &FeatureVector, b: &FeatureVector) -> f64 {
    let sum: i32 = a.values.iter().zip(&b.values).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    f64::from(sum) * f64::from(a.scale) * f64::from(b.scale)
}

/// Of the values that both have, in lanes.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let (a, b) = (a.get(..length).unwrap_or_default(), b.get(..length).unwrap_or_default());
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(values: [i8; 3], scale: f32) -> FeatureVector {
        FeatureVector { values: values.to_vec(), scale }
    }

    #[test]
    fn a_prototype_is_near_one_on_its_examples_and_near_nothing_on_everyday_things() {
        let bank = [vector([100, 0, 0], 0.01), vector([100, 100, 0], 0.005)];
        // G is [5/8 1/8; 1/8 1/8] over the first two values, 0 over the third; with ridge ½ the system
        // (9/8 1/8; 1/8 5/8) u = (.6, .8) has the solution (.275, .825) / .6875 in these, and .5 / ½ in the third.
        let found = Regression::new(&bank, 0.5).of(&bank, &[0.6, 0.8, 0.5]);
        let u = [0.275 / 0.6875, 0.825 / 0.6875, 1.0];
        let length = 1.0 + 0.6 * u[0] + 0.8 * u[1] + 0.5 * u[2];
        for (found, u) in found.iter().zip(u) {
            assert!((found - u / length).abs() < 1e-7, "{found} is not {}", u / length);
        }
        assert_eq!(Regression::new(&[], 0.5).of(&[], &[1.0]), [2.0 / 3.0]);
    }

    #[test]
    fn any_number_of_rows_is_solved() {
        let row =
            |i: usize| vector([(i * 37 % 127) as i8, (i * 91 % 127) as i8 - 50, (i * 53 % 127) as i8], 0.005);
        let bank: Vec<FeatureVector> = (0..9).map(row).collect();
        let (x, ridge) = ([0.3, -0.2, 0.9], 0.01);
        let w = Regression::new(&bank, ridge).of(&bank, &x);
        // (G + ridge · I) w = x · (1 − x·w), which is the same equation without the inverse.
        let rest = 1.0 - dot(&x, &w);
        for (k, x) in x.iter().enumerate() {
            let value = |row: &FeatureVector, k: usize| f64::from(row.values[k]) * f64::from(row.scale);
            let seen =
                |row: &FeatureVector| (0..3).map(|j| value(row, j) * w[j]).sum::<f64>() * value(row, k);
            let left = bank.iter().map(seen).sum::<f64>() / 9.0 + ridge * w[k];
            assert!((left - x * rest).abs() < 1e-9, "{left} is not {}", x * rest);
        }
    }
}
