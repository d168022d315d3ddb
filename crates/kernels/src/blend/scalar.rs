//! The specification.

#[inline(always)]
pub(super) fn blend(pixels: &[(usize, f32)], picture: &[f32], output: &mut [f32]) {
    output.fill(0.0);
    let channels = output.len();
    for &(pixel, weight) in pixels {
        for (to, x) in output.iter_mut().zip(&picture[pixel * channels..][..channels]) {
            *to += weight * x;
        }
    }
}
