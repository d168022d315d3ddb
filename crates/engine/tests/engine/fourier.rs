//! `crates/rustfft`, which tract transforms with, against the definition.

use std::f64::consts::TAU;

use rustfft::num_complex::Complex;
use rustfft::{FftDirection, FftNum, FftPlanner};

/// Values without symmetry.
fn values(length: usize) -> Vec<Complex<f64>> {
    (0..length).map(|i| Complex::new((i as f64 * 1.7).sin() + 0.3, (i * i % 11) as f64 / 11.0)).collect()
}

fn by_definition(values: &[Complex<f64>], sign: f64) -> Vec<Complex<f64>> {
    let n = values.len();
    let term = |j: usize, k: usize| Complex::cis(sign * TAU * (j * k % n) as f64 / n as f64);
    (0..n).map(|k| values.iter().enumerate().map(|(j, value)| value * term(j, k)).sum()).collect()
}

fn transformed<T: FftNum>(values: &[Complex<f64>], direction: FftDirection) -> Vec<Complex<T>> {
    let narrow =
        |value: &Complex<f64>| Complex::new(T::from_f64(value.re).unwrap(), T::from_f64(value.im).unwrap());
    let mut buffer: Vec<Complex<T>> = values.iter().map(narrow).collect();
    FftPlanner::new().plan_fft(values.len(), direction).process(&mut buffer);
    buffer
}

#[test]
fn every_length_gives_the_definitions_sums() {
    for n in (1..=64).chain([100, 127, 256, 400, 512, 1009]) {
        let values = values(n);
        for (direction, sign) in [(FftDirection::Forward, -1.0), (FftDirection::Inverse, 1.0)] {
            let expected = by_definition(&values, sign);
            let scale = n as f64;
            for (k, (found, expected)) in
                transformed::<f64>(&values, direction).iter().zip(&expected).enumerate()
            {
                assert!(
                    (found - expected).norm() < 1e-12 * scale,
                    "{n} {direction:?} {k}: {found} {expected}"
                );
            }
            for (k, (found, expected)) in
                transformed::<f32>(&values, direction).iter().zip(&expected).enumerate()
            {
                let found = Complex::new(f64::from(found.re), f64::from(found.im));
                assert!(
                    (found - expected).norm() < 1e-6 * scale,
                    "{n} {direction:?} {k}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn there_and_back_is_the_length_times_as_much() {
    let values = values(360);
    let back = transformed::<f64>(&transformed::<f64>(&values, FftDirection::Forward), FftDirection::Inverse);
    for (back, value) in back.iter().zip(&values) {
        assert!((back / 360.0 - value).norm() < 1e-12, "{back} {value}");
    }
}

#[test]
fn chunks_are_transformed_one_by_one() {
    let (first, second) = (values(12), values(24)[12..].to_vec());
    let mut buffer = [first.clone(), second.clone()].concat();
    FftPlanner::new().plan_fft_forward(12).process(&mut buffer);
    let expected = [first, second].map(|chunk| transformed::<f64>(&chunk, FftDirection::Forward)).concat();
    assert_eq!(buffer, expected);
    FftPlanner::<f64>::new().plan_fft_forward(0).process(&mut []);
}
