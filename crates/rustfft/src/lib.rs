//! Discrete Fourier transforms with what tract uses of `rustfft`'s interface.
//!
//! Decimation in time over the prime factors of the length (J. W. Cooley and J. W. Tukey, "An algorithm for the machine calculation of complex
//! Fourier series", Mathematics of Computation 19, 1965): length times the sum of its prime factors multiplications.

pub use num_complex;
pub use num_traits;

use std::f64::consts::TAU;
use std::fmt::Debug;
use std::marker::PhantomData;

use num_complex::Complex;
use num_traits::{FromPrimitive, Signed, Zero};

/// A real number: `f32` or `f64`.
pub trait FftNum: Copy + FromPrimitive + Signed + Sync + Send + Debug + 'static {}

impl<T: Copy + FromPrimitive + Signed + Sync + Send + Debug + 'static> FftNum for T {}

/// Sign of the exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FftDirection {
    /// exp(−2πi·jk/n)
    Forward,
    /// exp(2πi·jk/n), without the division by n.
    Inverse,
}

/// Makes transforms.
#[derive(Debug, Default)]
pub struct FftPlanner<T>(PhantomData<T>);

impl<T: FftNum> FftPlanner<T> {
    /// A planner, which keeps nothing.
    pub fn new() -> Self {
        Self(PhantomData)
    }

    /// A transform of `len` values.
    pub fn plan_fft(&mut self, len: usize, direction: FftDirection) -> Fft<T> {
        let sign = if direction == FftDirection::Forward { -1.0 } else { 1.0 };
        let root = |j: usize| {
            let (sin, cos) = (sign * TAU * j as f64 / len as f64).sin_cos();
            let part = |value| T::from_f64(value).unwrap_or_else(T::zero);
            Complex::new(part(cos), part(sin))
        };
        Fft { roots: (0..len).map(root).collect() }
    }

    /// [`FftPlanner::plan_fft`] forward.
    pub fn plan_fft_forward(&mut self, len: usize) -> Fft<T> {
        self.plan_fft(len, FftDirection::Forward)
    }
}

/// A transform of so many values as there are roots of unity in it.
#[derive(Debug, Clone)]
pub struct Fft<T> {
    roots: Vec<Complex<T>>,
}

impl<T: FftNum> Fft<T> {
    /// Transforms each chunk of `buffer` in place, in natural order.
    ///
    /// # Panics
    /// If `buffer` is no whole number of chunks, as `rustfft` does.
    pub fn process(&self, buffer: &mut [Complex<T>]) {
        let length = self.roots.len();
        assert!(
            buffer.is_empty() || length > 0 && buffer.len().is_multiple_of(length),
            "found {} values, expected a multiple of {length}",
            buffer.len()
        );
        for chunk in buffer.chunks_exact_mut(length.max(1)) {
            let values = chunk.to_vec();
            self.transform(&values, 1, chunk);
        }
    }

    /// Transforms every `stride`th of `values` into `output`; `stride` is the whole transform's length over this one's.
    fn transform(&self, values: &[Complex<T>], stride: usize, output: &mut [Complex<T>]) {
        let length = output.len();
        let factor = (2..).find(|factor| factor * factor > length || length % factor == 0);
        let factor = factor.filter(|factor| length % factor == 0).unwrap_or(length);
        if length == 1 {
            output[0] = values[0];
            return;
        }
        let part = length / factor;
        for (i, output) in output.chunks_exact_mut(part).enumerate() {
            self.transform(&values[i * stride..], stride * factor, output);
        }
        let mut column = vec![Complex::zero(); factor];
        for k in 0..part {
            for (i, value) in column.iter_mut().enumerate() {
                *value = output[i * part + k];
            }
            for j in (k..length).step_by(part) {
                output[j] = column.iter().enumerate().fold(Complex::zero(), |sum, (i, value)| {
                    sum + *value * self.roots[i * j % length * stride]
                });
            }
        }
    }
}
