//! The specification.
#![forbid(unsafe_code)]

use crate::requantise::round;

/// Pixels whose channels are spread over the planes together, so that they stay in L1 cache.
const PIXELS: usize = 64;

#[inline(always)]
pub(super) fn interleaved(channels: usize, plane: usize, input: &[i8], output: &mut [i8]) {
    for channel in 0..channels {
        for (to, &from) in output.iter_mut().skip(channel).step_by(channels).zip(&input[channel * plane..]) {
            *to = from;
        }
    }
}

#[inline(always)]
pub(super) fn planes(channels: usize, stride: usize, input: &[i8], output: &mut [i8]) {
    spread(channels, stride, input, output, |q| q);
}

#[inline(always)]
pub(super) fn dequantised(
    channels: usize,
    stride: usize,
    (scale, zero): (f32, i32),
    input: &[i8],
    output: &mut [f32],
) {
    spread(channels, stride, input, output, |q| (i32::from(q) - zero) as f32 * scale);
}

#[inline(always)]
pub(super) fn values((scale, zero): (f32, i32), input: &[i8], output: &mut [f32]) {
    for (to, &q) in output.iter_mut().zip(input) {
        *to = (i32::from(q) - zero) as f32 * scale;
    }
}

#[inline(always)]
pub(super) fn quantised((scale, zero): (f32, i32), input: &[f32], output: &mut [i8]) {
    for (to, &from) in output.iter_mut().zip(input) {
        *to = round(from / scale, zero, -128, 127);
    }
}

#[inline(always)]
fn spread<T>(channels: usize, stride: usize, input: &[i8], output: &mut [T], value: impl Fn(i8) -> T) {
    let pixels = output.len() / channels;
    for start in (0..pixels).step_by(PIXELS) {
        let count = PIXELS.min(pixels - start);
        for channel in 0..channels {
            let output = &mut output[channel * pixels + start..][..count];
            for (to, &from) in output.iter_mut().zip(input[start * stride + channel..].iter().step_by(stride))
            {
                *to = value(from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Isa, layout};

    #[test]
    fn there_and_back() {
        let planes: Vec<i8> = (0..3 * 130).map(|i| (i * 31) as i8).collect();
        for isa in Isa::available() {
            let mut interleaved = vec![0; planes.len()];
            layout::interleaved(isa, 3, 130, &planes, &mut interleaved[..30]);
            layout::interleaved(isa, 3, 130, &planes[10..], &mut interleaved[30..]);
            assert_eq!(interleaved[..4], [planes[0], planes[130], planes[260], planes[1]]);
            let mut back = vec![0; planes.len()];
            layout::planes(isa, 3, 3, &interleaved, &mut back);
            assert_eq!(back, planes);
            let mut values = vec![0.0; 2];
            layout::dequantised(isa, 1, 2, (0.5, -3), &[1, 99, -5], &mut values);
            assert_eq!(values, [2.0, -1.0]);
            let mut values = vec![0.0; 3];
            layout::values(isa, (0.5, -3), &[1, 99, -5], &mut values);
            assert_eq!(values, [2.0, 51.0, -1.0]);
            let mut quantised = vec![0; 5];
            layout::quantised(isa, (0.5, -3), &[2.0, -1.0, 0.25, 1e9, f32::NEG_INFINITY], &mut quantised);
            assert_eq!(quantised, [1, -5, -3, 127, -128]);
        }
    }

    #[test]
    fn every_isa_gives_what_scalar_gives() {
        for channels in [1, 3, 8, 9, 15, 16, 17, 33, 40] {
            for pixels in [1, 7, 8, 15, 16, 17, 50] {
                let input: Vec<i8> =
                    (0..(channels + 2) * (pixels + 1)).map(|i| ((i * 7919) >> 3) as i8).collect();
                let run = |isa| {
                    let (mut pixelwise, mut values) =
                        (vec![0; channels * pixels], vec![0.0; channels * pixels]);
                    let mut planes = vec![0; channels * pixels];
                    layout::planes(isa, channels, channels + 2, &input, &mut planes);
                    layout::interleaved(isa, channels, pixels + 1, &input, &mut pixelwise);
                    layout::dequantised(isa, channels, channels + 2, (0.37, -9), &input, &mut values);
                    (pixelwise, planes, values)
                };
                let expected = run(Isa::SCALAR);
                for isa in Isa::available() {
                    assert!(run(isa) == expected, "{isa:?} {channels} channels, {pixels} pixels");
                }
            }
        }
    }
}
