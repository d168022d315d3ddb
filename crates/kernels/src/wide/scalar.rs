//! The specification.
#![forbid(unsafe_code)]

use super::Wide;

/// Pixels that share a look at the weights.
const PIXELS: usize = 4;

/// `Σ a[k]·b[k]`, wrapping.
#[inline(always)]
pub(crate) fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).fold(0, i32::wrapping_add)
}

#[inline(always)]
pub(super) fn depthwise(conv: &Wide, input: &[i8], stride: usize, y: usize, sums: &mut [i32]) {
    let (window, channels) = (&conv.window, conv.bias.len());
    for (x, sums) in sums.chunks_exact_mut(channels).enumerate() {
        sums.copy_from_slice(&conv.bias);
        for (tap, weights) in conv.weights.chunks_exact(channels).enumerate() {
            let row = window.source(0, y, tap / window.kernel[1]);
            let Some((row, column)) = row.zip(window.source(1, x, tap % window.kernel[1])) else { continue };
            let pixel = &input[(row * window.input[1] + column) * stride..][..channels];
            for ((sum, &w), &x) in sums.iter_mut().zip(weights).zip(pixel) {
                *sum = sum.wrapping_add(i32::from(w) * i32::from(i16::from(x) - conv.zero));
            }
        }
    }
}

#[inline(always)]
pub(super) fn grouped(
    conv: &Wide,
    patches: &mut Vec<i16>,
    input: &[i8],
    stride: usize,
    y: usize,
    sums: &mut [i32],
) {
    let Wide { window, groups, inputs, zero, weights, bias } = conv;
    let taps = window.kernel[0] * window.kernel[1];
    let (patch, outputs) = (taps * inputs, bias.len());
    for (block, sums) in sums.chunks_mut(PIXELS * outputs).enumerate() {
        let first = block * PIXELS;
        let pixels = sums.len() / outputs;
        // [pixel, group, tap, input], 0 in the padding.
        patches.clear();
        patches.resize(pixels * groups * patch, 0);
        for (at, patches) in patches.chunks_exact_mut(groups * patch).enumerate() {
            for tap in 0..taps {
                let row = window.source(0, y, tap / window.kernel[1]);
                let column = window.source(1, first + at, tap % window.kernel[1]);
                let Some((row, column)) = row.zip(column) else { continue };
                let pixel = &input[(row * window.input[1] + column) * stride..];
                for group in 0..*groups {
                    let to = &mut patches[group * patch + tap * inputs..][..*inputs];
                    for (to, &x) in to.iter_mut().zip(&pixel[group * inputs..]) {
                        *to = i16::from(x) - zero;
                    }
                }
            }
        }
        for (output, (weights, &bias)) in weights.chunks_exact(patch).zip(bias).enumerate() {
            let group = output / (outputs / groups);
            for at in 0..pixels {
                let own = &patches[(at * groups + group) * patch..][..patch];
                sums[at * outputs + output] = dot(own, weights).wrapping_add(bias);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wide;
    use crate::Isa;
    use crate::patches::Window;

    /// By the formula, pixel by pixel.
    fn expected(
        window: &Window,
        groups: usize,
        zero: i8,
        weights: &[i16],
        bias: &[i32],
        input: &[i8],
        stride: usize,
    ) -> Vec<i32> {
        let [rows, columns] = window.kernel;
        let inputs = weights.len() / bias.len() / rows / columns;
        let mut sums = Vec::new();
        for y in 0..window.output[0] {
            for x in 0..window.output[1] {
                for (output, &start) in bias.iter().enumerate() {
                    let mut sum = start;
                    for at in 0..inputs * rows * columns {
                        let (i, tap) = (at / (rows * columns), at % (rows * columns));
                        let source =
                            window.source(0, y, tap / columns).zip(window.source(1, x, tap % columns));
                        let Some((row, column)) = source else { continue };
                        let channel = output / (bias.len() / groups) * inputs + i;
                        let value = input[(row * window.input[1] + column) * stride + channel];
                        let weight = weights[(output * inputs + i) * rows * columns + tap];
                        sum += i32::from(weight) * (i32::from(value) - i32::from(zero));
                    }
                    sums.push(sum);
                }
            }
        }
        sums
    }

    #[test]
    fn it_is_the_formula_with_every_instruction_set() {
        for (groups, inputs, outputs, kernel, stride, dilation) in [
            (1, 5, 3, [3, 3], [1, 1], [1, 1]),
            (1, 40, 19, [1, 1], [1, 1], [1, 1]),
            (17, 1, 17, [3, 3], [2, 1], [1, 1]),
            (40, 1, 40, [5, 5], [1, 2], [1, 2]),
            (3, 4, 6, [3, 1], [1, 2], [2, 1]),
            (4, 1, 8, [2, 2], [2, 2], [1, 1]),
        ] {
            let (input, pad) = ([9, 8], [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2]);
            let output = [0, 1].map(|axis| {
                (input[axis] + 2 * pad[axis] - (kernel[axis] - 1) * dilation[axis] - 1) / stride[axis] + 1
            });
            let window = Window { input, output, kernel, stride, pad, dilation };
            let channels = groups * inputs;
            let wide = channels + 2;
            let picture: Vec<i8> = (0..72 * wide).map(|i| (i * 37 + i * i % 61) as i8).collect();
            let count = outputs * inputs * kernel[0] * kernel[1];
            let weights: Vec<i16> = (0..count).map(|i| (i * 97 % 511) as i16 - 255).collect();
            let bias: Vec<i32> = (0..outputs as i32).map(|o| o * 100 - 50).collect();
            let expected = expected(&window, groups, -7, &weights, &bias, &picture, wide);
            let conv = Wide::new(window, groups, -7, &weights, bias);
            for isa in Isa::available() {
                let row = output[1] * outputs;
                let mut sums = vec![0; output[0] * row];
                for (y, sums) in sums.chunks_exact_mut(row).enumerate() {
                    conv.row(isa, &mut Vec::new(), &picture, wide, y, sums);
                }
                assert_eq!(sums, expected, "{isa:?} {groups} {inputs} {outputs} {kernel:?}");
            }
        }
    }
}
