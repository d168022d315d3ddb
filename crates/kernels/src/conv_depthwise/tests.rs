use super::{Depthwise, Isa, Window};
use crate::requantise::Requantise;
use crate::table::Table;

fn bytes(count: usize, seed: u32) -> Vec<i8> {
    let hash = |i: usize| (i as u32 ^ seed.wrapping_mul(40_503)).wrapping_mul(2_654_435_761);
    (0..count).map(|i| ((hash(i) ^ (hash(i) >> 15)).wrapping_mul(2_246_822_519) >> 21) as i8).collect()
}

fn requantise(channels: usize, table: bool) -> Requantise {
    Requantise {
        bias: (0..channels).map(|c| c as i32 * 91 - 3000).collect(),
        multiplier: (0..channels).map(|c| 0.002 + (c % 5) as f32 * 0.0007).collect(),
        zero: 9,
        low: -128,
        high: 100,
        table: table.then(|| Box::new(Table::new(|q| 1 - q / 3))),
    }
}

fn same_as_scalar(window: Window, channels: usize, padding: i8, x: &[i8], w: &[i8]) {
    let run = |isa| {
        let table = (channels + window.output[1]).is_multiple_of(2);
        let conv = Depthwise::new(isa, window, padding, w, requantise(channels, table));
        let mut output = vec![0; window.output[0] * window.output[1] * channels];
        // In two parts, as two threads would.
        let first = window.output[0] / 2;
        let (top, bottom) = output.split_at_mut(first * window.output[1] * channels);
        conv.run(x, 0, top);
        conv.run(x, first, bottom);
        output
    };
    let expected = run(Isa::SCALAR);
    for isa in Isa::available() {
        assert!(run(isa) == expected, "{isa:?} {channels} channels, {window:?}");
    }
}

#[test]
fn every_isa_gives_what_scalar_gives() {
    for channels in [1, 15, 16, 17, 24, 31, 32, 33, 58, 63, 64, 65, 96, 116, 130] {
        for side in [[1, 1], [3, 4], [5, 5], [6, 9]] {
            for (kernel, stride) in [(3, 1), (3, 2), (3, 3), (5, 1), (5, 2), (4, 1)] {
                for (before, after) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 4)] {
                    let output =
                        side.map(|n: usize| (n + before + after).checked_sub(kernel).map(|n| n / stride + 1));
                    let [Some(height), Some(width)] = output else { continue };
                    let window = Window {
                        input: side,
                        output: [height, width],
                        kernel: [kernel; 2],
                        stride: [stride; 2],
                        pad: [before; 2],
                        dilation: [1; 2],
                    };
                    let x = bytes(side[0] * side[1] * channels, channels as u32);
                    let w = bytes(channels * kernel * kernel, 77);
                    same_as_scalar(window, channels, -101, &x, &w);
                }
            }
        }
    }
}

#[test]
fn wide_rows_and_other_kernels() {
    for channels in [8, 12, 24] {
        for (kernel, pad) in
            [([3, 3], [1, 1]), ([5, 5], [2, 2]), ([7, 7], [3, 2]), ([1, 4], [0, 1]), ([8, 8], [4, 4])]
        {
            for stride in [1, 2] {
                let input = [11, 20];
                let output = [0, 1].map(|axis| (input[axis] + 2 * pad[axis] - kernel[axis]) / stride + 1);
                let window = Window { input, output, kernel, stride: [stride; 2], pad, dilation: [1; 2] };
                let w: Vec<i8> =
                    bytes(channels * kernel[0] * kernel[1], 3).into_iter().map(|w| w.max(-127)).collect();
                same_as_scalar(window, channels, 17, &bytes(11 * 20 * channels, 4), &w);
            }
        }
    }
}

#[test]
fn kernels_with_gaps_and_large_ones() {
    for channels in [1, 7, 16, 70, 160] {
        for (kernel, dilation, stride) in [
            ([3, 3], [2, 3], [1, 1]),
            ([7, 7], [1, 1], [1, 2]),
            ([11, 1], [1, 1], [2, 1]),
            ([5, 5], [4, 4], [1, 1]),
        ] {
            let (input, pad) = ([17, 19], [kernel[0] * dilation[0] / 2, 1]);
            let output = [0, 1].map(|axis| {
                (input[axis] + 2 * pad[axis] - (kernel[axis] - 1) * dilation[axis] - 1) / stride[axis] + 1
            });
            let window = Window { input, output, kernel, stride, pad, dilation };
            let x = bytes(17 * 19 * channels, 9);
            same_as_scalar(window, channels, -30, &x, &bytes(channels * kernel[0] * kernel[1], 8));
        }
    }
}

#[test]
fn wide_rows_are_done_in_parts() {
    for (kernel, stride) in [(3, 1), (3, 2), (5, 1), (5, 2), (3, 8), (3, 9)] {
        let side = [kernel + 1, 301];
        let output = side.map(|n| (n - 1) / stride + 1);
        let pad = [kernel / 2; 2];
        let window =
            Window { input: side, output, kernel: [kernel; 2], stride: [stride; 2], pad, dilation: [1; 2] };
        let x = bytes(side[0] * side[1] * 70, 5);
        same_as_scalar(window, 70, 3, &x, &bytes(70 * kernel * kernel, 6));
    }
}

#[test]
fn runs_of_the_extremes_do_not_saturate() {
    let window = Window {
        input: [4, 4],
        output: [4, 4],
        kernel: [3, 3],
        stride: [1, 1],
        pad: [1, 1],
        dilation: [1; 2],
    };
    for (x, w) in [(-128, -128), (-128, -127), (-128, 127), (127, -128), (127, 127)] {
        same_as_scalar(window, 70, -128, &[x; 4 * 4 * 70], &[w; 70 * 9]);
        let window = Window { kernel: [5, 5], pad: [2, 2], ..window };
        same_as_scalar(window, 70, -128, &[x; 4 * 4 * 70], &[w; 70 * 25]);
        let window = Window { dilation: [2, 2], pad: [4, 4], ..window };
        same_as_scalar(window, 70, -128, &[x; 4 * 4 * 70], &[w; 70 * 25]);
    }
}

#[test]
fn one_window_by_hand() {
    let window = Window {
        input: [2, 2],
        output: [1, 1],
        kernel: [3, 3],
        stride: [1, 1],
        pad: [1, 1],
        dilation: [1; 2],
    };
    let requantise =
        Requantise { bias: vec![0], multiplier: vec![1.0], zero: 0, low: -128, high: 127, table: None };
    let conv = Depthwise::new(Isa::SCALAR, window, -1, &[1, 1, 1, 1, 2, 3, 1, 4, 5], requantise);
    let mut output = [0];
    // Five taps fall on the padding of −1, then 2·1 + 3·2 + 4·3 + 5·4.
    conv.run(&[1, 2, 3, 4], 0, &mut output);
    assert_eq!(output, [35]);
}
