//! Between planes (NCHW), as the graph's inputs and outputs have them, and interleaved channels (NHWC).

mod scalar;

use super::Isa;

/// `output[pixel][channel] = input[channel][pixel]`.
pub fn interleaved(isa: Isa, channels: usize, input: &[i8], output: &mut [i8]) {
    isa.vectorise(|| scalar::interleaved(channels, input, output));
}

/// `output[channel][pixel] = input[pixel][channel]`, where pixels start every `stride` values.
pub fn planes(isa: Isa, channels: usize, stride: usize, input: &[i8], output: &mut [i8]) {
    isa.vectorise(|| scalar::planes(channels, stride, input, output, |q| q));
}

/// `output[channel][pixel] = (input[pixel][channel] − zero) · scale`, where pixels start every `stride` values.
pub fn dequantised(
    isa: Isa,
    channels: usize,
    stride: usize,
    (scale, zero): (f32, i32),
    input: &[i8],
    output: &mut [f32],
) {
    let value = |q: i8| (i32::from(q) - zero) as f32 * scale;
    isa.vectorise(|| scalar::planes(channels, stride, input, output, value));
}
