//! Weighted sums of the pixels of a float picture: bilinear samples and their means.

mod scalar;

use super::Isa;
use super::isa::vectorised;

/// `output[c] = Σ weight · picture[pixel][c]` over `pixels` (index, weight), in order, starting from 0; each
/// product is rounded before it is added. `picture` is `[pixels, output.len()]`.
///
/// # Panics
/// If a pixel index is out of bounds.
pub fn blend(isa: Isa, pixels: &[(usize, f32)], picture: &[f32], output: &mut [f32]) {
    let there = picture.len() / output.len().max(1);
    assert!(pixels.iter().all(|&(pixel, _)| pixel < there));
    vectorised!(isa, scalar::blend, (pixels: &[(usize, f32)], picture: &[f32], output: &mut [f32]));
}

#[cfg(test)]
mod tests {
    use super::{Isa, blend};

    #[test]
    fn it_is_the_formula_and_the_same_everywhere() {
        for channels in [1, 7, 16, 33] {
            let picture: Vec<f32> = (0..channels * 4).map(|i| (i * i % 17) as f32 / 3.0).collect();
            let pixels = [(3, 0.1), (0, 0.7), (2, 0.3)];
            let sum = |c: usize| pixels.iter().fold(0.0, |sum, &(p, w)| sum + w * picture[p * channels + c]);
            let expected: Vec<f32> = (0..channels).map(sum).collect();
            for isa in Isa::available() {
                let mut output = vec![f32::NAN; channels];
                blend(isa, &pixels, &picture, &mut output);
                assert_eq!(output, expected, "{isa:?}");
            }
        }
    }
}
