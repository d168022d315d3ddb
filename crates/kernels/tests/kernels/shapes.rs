//! Whatever the shape, every instruction set gives what scalar gives.

use std::fmt::Debug;

use edgeclip_kernels::add::Add;
use edgeclip_kernels::affine::{self, Affine};
use edgeclip_kernels::attention::{self, Attention, Tokens};
use edgeclip_kernels::colour::{self, Matrix, Row, Yuv};
use edgeclip_kernels::conv_depthwise::Depthwise;
use edgeclip_kernels::conv_direct::Direct;
use edgeclip_kernels::conv_pointwise::{Pointwise, Scratch};
use edgeclip_kernels::conv_residual::{ConvResidual, Residual};
use edgeclip_kernels::formula::{End, Formula, Function, Line, Pair};
use edgeclip_kernels::interpolate::{self, Between, Interpolate};
use edgeclip_kernels::layer_norm::LayerNorm;
use edgeclip_kernels::matmul::{self, Factors, MatMul};
use edgeclip_kernels::multiply::Multiply;
use edgeclip_kernels::pad::{self, Pad};
use edgeclip_kernels::patches::{self, Window};
use edgeclip_kernels::pool::{self, Mean};
use edgeclip_kernels::product::{self, Columns, Product};
use edgeclip_kernels::rearrange::Rearrange;
use edgeclip_kernels::resize::Resize;
use edgeclip_kernels::response::{self, Power, Response};
use edgeclip_kernels::softmax::{self, Softmax};
use edgeclip_kernels::table::{self, Table};
use edgeclip_kernels::upsample::{self, Upsample};
use edgeclip_kernels::wide::Wide;
use edgeclip_kernels::{Isa, add, blend, gelu, layout, multiply};
use proptest::prelude::*;

use crate::{bits, bytes, floats, numbers, requantise, unsigned, window};

/// Asserts that all instruction sets give the same.
fn alike<T: PartialEq + Debug>(run: impl Fn(Isa) -> T) -> Result<(), TestCaseError> {
    let expected = run(Isa::SCALAR);
    for isa in Isa::available() {
        let found = run(isa);
        prop_assert!(found == expected, "{:?}: {:?}, scalar: {:?}", isa, found, expected);
    }
    Ok(())
}

/// Windows that touch the picture, square or not.
fn windows(most: usize) -> impl Strategy<Value = Window> {
    let axis = (1..=most, 1..=3usize, 0..4usize).prop_flat_map(|(kernel, stride, pad)| {
        let pad = pad.min(kernel - 1);
        (kernel.saturating_sub(2 * pad).max(1)..14, Just([kernel, stride, pad]))
    });
    (axis.clone(), axis).prop_map(|(y, x)| {
        let pair = |index: usize| [y.1[index], x.1[index]];
        window([y.0, x.0], pair(0), pair(1), pair(2))
    })
}

/// Kernels with gaps.
fn gaps() -> impl Strategy<Value = Window> {
    (windows(4), [1..4usize, 1..4]).prop_map(|(window, dilation)| {
        let sides = [0, 1].map(|axis| (window.kernel[axis] - 1) * dilation[axis] + 1);
        let least = |axis: usize| sides[axis].saturating_sub(2 * window.pad[axis]).max(window.input[axis]);
        let made = crate::window([least(0), least(1)], sides, window.stride, window.pad);
        Window { kernel: window.kernel, dilation, ..made }
    })
}

/// Those with bodies of their own: 3×3 and 5×5.
fn square_windows() -> impl Strategy<Value = Window> {
    (prop_oneof![Just(3usize), Just(5)], 1..=3usize, 0..3usize, [5..20usize, 5..70])
        .prop_map(|(kernel, stride, pad, size)| window(size, [kernel; 2], [stride; 2], [pad; 2]))
}

fn area([height, width]: [usize; 2]) -> usize {
    height * width
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pointwise((inputs, outputs, pixels, gap) in (1..140usize, 1..80usize, 0..40usize, 0..5usize), seed: u16) {
        let (seed, stride) = (u64::from(seed), inputs + gap);
        let (x, w) = (bytes(pixels * stride, seed), bytes(inputs * outputs, seed + 1));
        // As short as allowed.
        let x = &x[..x.len() - if pixels > 0 { gap } else { 0 }];
        alike(|isa| {
            let kernel = Pointwise::new(isa, inputs, outputs, &w, requantise(inputs, outputs, seed));
            let mut y = vec![0; pixels * outputs];
            kernel.run(&mut Scratch::default(), x, stride, &mut y);
            y
        })?;
    }

    #[test]
    fn residual((inputs, outputs, pixels, gap) in (1..50usize, 1..70usize, 1..20usize, 0..5usize), seed: u16) {
        let (seed, stride) = (u64::from(seed), inputs + gap);
        let (x, w) = (bytes(pixels * stride, seed), bytes(inputs * outputs, seed + 1));
        let added = bytes(pixels * outputs, seed + 2);
        alike(|isa| {
            let residual = Residual { zero: -4, multiplier: 0.37 };
            let kernel = ConvResidual::new(isa, &w, requantise(inputs, outputs, seed), residual);
            let mut y = vec![0; pixels * outputs];
            kernel.run(&mut Vec::new(), &x, stride, &added, &mut y);
            y
        })?;
    }

    #[test]
    fn depthwise(window in prop_oneof![square_windows(), windows(5), gaps()], channels in 1..140usize, seed: u16) {
        let seed = u64::from(seed);
        let (x, w) = (bytes(area(window.input) * channels, seed), bytes(area(window.kernel) * channels, seed + 1));
        alike(|isa| {
            let kernel = Depthwise::new(isa, window, -7, &w, requantise(area(window.kernel), channels, seed));
            let mut y = vec![0; area(window.output) * channels];
            let (top, bottom) = y.split_at_mut(window.output[0] / 2 * window.output[1] * channels);
            kernel.run(&x, 0, top);
            kernel.run(&x, window.output[0] / 2, bottom);
            y
        })?;
    }

    #[test]
    fn direct(window in prop_oneof![windows(5), gaps()], (inputs, outputs) in (1..20usize, 1..70usize), seed: u16) {
        let (seed, taps) = (u64::from(seed), area(window.kernel));
        let (x, w) = (bytes(area(window.input) * inputs, seed), bytes(outputs * taps * inputs, seed + 1));
        alike(|isa| {
            let kernel = Direct::new(isa, window, 5, &w, requantise(taps * inputs, outputs, seed));
            let mut y = vec![0; area(window.output) * outputs];
            let (top, bottom) = y.split_at_mut(window.output[0] / 2 * window.output[1] * outputs);
            kernel.run(&mut Scratch::default(), &x, 0, top);
            kernel.run(&mut Scratch::default(), &x, window.output[0] / 2, bottom);
            y
        })?;
    }

    #[test]
    fn patches_by_the_formula(window in prop_oneof![windows(4), gaps()], channels in 1..40usize, seed: u16) {
        let x = bytes(area(window.input) * channels, u64::from(seed));
        for y in 0..window.output[0] {
            let mut found = vec![1; window.output[1] * area(window.kernel) * channels];
            patches::row(&window, channels, -9, &x, y, &mut found);
            let mut expected = Vec::new();
            for column in 0..window.output[1] {
                for tap in 0..area(window.kernel) {
                    let row = window.source(0, y, tap / window.kernel[1]);
                    let place = row.zip(window.source(1, column, tap % window.kernel[1]));
                    let from = place.map(|(row, column)| (row * window.input[1] + column) * channels);
                    expected.extend((0..channels).map(|channel| from.map_or(-9, |from| x[from + channel])));
                }
            }
            prop_assert!(found == expected, "row {}", y);
        }
    }

    #[test]
    fn pooling(window in prop_oneof![windows(6), gaps()], channels in 1..80usize, padding_counts: bool, seed: u16) {
        let x = bytes(area(window.input) * channels, u64::from(seed));
        let mean = Mean { zeros: [-5, 7], multiplier: 1.57, padding_counts };
        alike(|isa| {
            let (mut most, mut means) = (vec![0; area(window.output) * channels], vec![0; area(window.output) * channels]);
            pool::max(isa, &window, channels, &x, 0, &mut most);
            pool::mean(isa, &window, mean, channels, &mut vec![0; channels], &x, 0, &mut means);
            (most, means)
        })?;
    }

    #[test]
    fn elementwise(count in 0..200usize, (a_zero, b_zero, zero) in (-128..128i32, -128..128i32, -128..128i32), seed: u16) {
        let (a, b) = (bytes(count, u64::from(seed)), bytes(count, u64::from(seed) + 1));
        let (zeros, low, high) = ([a_zero, b_zero], -100, 120);
        alike(|isa| {
            let (mut sum, mut product) = (vec![0; count], vec![0; count]);
            add::run(isa, &Add { zeros, multipliers: [0.71, 1.37], zero, low, high }, &a, &b, &mut sum);
            if count > 0 {
                multiply::run(isa, &Multiply { zeros, multiplier: 0.004, zero, low, high }, &a, &b, &mut product);
            }
            (sum, product)
        })?;
    }

    #[test]
    fn channelwise((channels, pixels, gap) in (1..90usize, 0..12usize, 0..4usize), zeros in [-128..128i32, -128..128], seed: u16) {
        let (seed, stride) = (u64::from(seed), channels + gap);
        let x = bytes(pixels * stride, seed);
        let constants = |more: u64| floats(channels, seed + more);
        let (multiplier, offset, slope) = (constants(1), constants(2), constants(3));
        let line = Affine { zeros, multiplier, offset, slope, low: -120, high: 126 };
        let root = Response {
            before: 2, after: 1 + channels % 3, bias: 1.0, factor: 0.01, power: Power::ThreeQuarters, zeros, multiplier: 3.7, low: -128,
            high: 100,
        };
        let exponentials = Box::new(std::array::from_fn(|d| ((1 << 20) >> (d / 8)) + 7));
        let shares = Softmax { length: channels, exponentials, inverse: 256.0, zero: -128, low: -128, high: 127 };
        let dense = &x[..pixels * channels];
        alike(|isa| {
            let mut y = [(); 3].map(|()| vec![0; pixels * channels]);
            affine::run(isa, &line, &x, stride, &mut y[0]);
            response::run(isa, &root, channels, &mut Vec::new(), dense, &mut y[1]);
            softmax::run(isa, &shares, &mut Vec::new(), dense, &mut y[2]);
            y
        })?;
    }

    #[test]
    fn rearranged(sizes in prop::collection::vec(1..20usize, 1..5), order: u64, gap in 0..3usize, seed: u16) {
        // The axes of the input in some order, the last of them with a gap behind its values.
        let mut axes: Vec<usize> = (0..sizes.len()).collect();
        axes.sort_by_key(|&axis| (order >> (8 * axis)) as u8);
        let (mut strides, mut distance) = (vec![0; sizes.len()], 1);
        for &axis in axes.iter().rev() {
            strides[axis] = distance;
            distance *= sizes[axis] + gap;
        }
        let (x, count) = (bytes(distance, u64::from(seed)), sizes.iter().product::<usize>());
        let rearrange = Rearrange::new(&sizes, &strides);
        let found = |isa| {
            let mut y = vec![0; count];
            let half = rearrange.parts() / 2;
            let (a, b) = y.split_at_mut(count / rearrange.parts() * half);
            rearrange.run(isa, &x, 0, a);
            rearrange.run(isa, &x, half, b);
            y
        };
        let expected: Vec<i8> = (0..count)
            .map(|index| {
                let mut rest = index;
                let places = sizes.iter().zip(&strides).rev().map(|(&size, &stride)| {
                    let at = rest % size;
                    rest /= size;
                    at * stride
                });
                x[places.sum::<usize>()]
            })
            .collect();
        prop_assert_eq!(found(Isa::SCALAR), expected);
        alike(found)?;
    }

    #[test]
    fn padded(input in [1..6usize, 1..6, 1..9], before in [0..3usize, 0..3, 0..3], after in [0..3usize, 0..3, 0..3], gap in 0..3usize, seed: u16) {
        let output = [0, 1, 2].map(|axis| before[axis] + input[axis] + after[axis]);
        let stride = input[2] + gap;
        let x = bytes(input[0] * input[1] * stride, u64::from(seed));
        let given = Pad { input, output, before, apart: [1; 2], fill: -9 };
        let mut found = vec![0; output.iter().product()];
        let (top, bottom) = found.split_at_mut(output[1] * output[2]);
        pad::run(&given, &x, stride, 0, top);
        pad::run(&given, &x, stride, 1, bottom);
        for (at, &value) in found.iter().enumerate() {
            let place = [at / output[2] / output[1], at / output[2] % output[1], at % output[2]];
            let inside = [0, 1, 2].map(|axis| place[axis].checked_sub(before[axis]).filter(|&at| at < input[axis]));
            let expected = match inside {
                [Some(y), Some(column), Some(channel)] => x[(y * input[1] + column) * stride + channel],
                _ => -9,
            };
            prop_assert_eq!(value, expected, "{:?}", place);
        }
    }

    #[test]
    fn wide(window in prop_oneof![windows(4), gaps()], (groups, inputs, outputs) in (1..5usize, 1..9usize, 1..7usize), depthwise: bool, gap in 0..3usize, seed: u16) {
        let (groups, inputs, outputs) = if depthwise { (groups * inputs, 1, 1) } else { (groups, inputs, outputs) };
        let (seed, stride, taps) = (u64::from(seed), groups * inputs + gap, area(window.kernel));
        let x = bytes(area(window.input) * stride, seed);
        let count = groups * outputs;
        let weights: Vec<i16> = numbers(count * inputs * taps, seed).map(|number| (number % 511) as i16 - 255).collect();
        let bias = (0..count as i32).map(|output| output * 1000 - 3000).collect();
        let conv = Wide::new(window, groups, -9, &weights, bias);
        alike(|isa| {
            let mut patches = Vec::new();
            let mut sums = vec![0; area(window.output) * count];
            for (y, sums) in sums.chunks_exact_mut(window.output[1] * count).enumerate() {
                conv.row(isa, &mut patches, &x, stride, y, sums);
            }
            sums
        })?;
    }

    #[test]
    fn matrices((rows, columns, length) in (1..20usize, 1..40usize, 1..90usize), seed: u16) {
        let (a, b) = (bytes(rows * length, u64::from(seed)), bytes(columns * length, u64::from(seed) + 1));
        let factors = Factors { length, zeros: [5, -128] };
        let product = MatMul { factors, multiplier: 0.0007, zero: -3, low: -120, high: 127 };
        let expected: Vec<i8> = (0..rows * columns)
            .map(|at| {
                let (m, n) = (at / columns, at % columns);
                let terms = (0..length).map(|k| {
                    (i32::from(a[m * length + k]) - 5) * (i32::from(b[n * length + k]) + 128)
                });
                let value = (terms.sum::<i32>() as f32 * 0.0007).round_ties_even() - 3.0;
                value.clamp(-120.0, 127.0) as i8
            })
            .collect();
        let found = |isa| {
            let mut y = vec![0; rows * columns];
            matmul::run(isa, &product, &mut matmul::Scratch::default(), &a, &b, &mut y);
            y
        };
        prop_assert_eq!(found(Isa::SCALAR), expected);
        alike(found)?;
    }

    #[test]
    fn formulas((channels, pixels) in (1..1300usize, 0..20usize), seed: u16) {
        let seed = u64::from(seed);
        let (count, first) = (channels * pixels, channels * (pixels / 2));
        let sums = vec![numbers(count, seed).map(|number| number as i32 % 5000).collect::<Vec<i32>>()];
        let tensor = bytes(first + count, seed + 1);
        let table = Box::new(std::array::from_fn(|q| (q as f32 - 100.0) * 0.03));
        let lines = vec![
            Line::Sums(0, floats(channels, seed + 2)),
            Line::Table(0, table),
            Line::Pair(Pair::Div, 0, 1),
            Line::Channel(floats(channels, seed + 3)),
            Line::Pair(Pair::Min, 2, 3),
            Line::Function(Function::Sigmoid, 4),
            Line::Each(floats(first + count, seed + 4)),
            Line::Pair(Pair::Mul, 5, 6),
            Line::Pair(Pair::Max, 7, 1),
            Line::Pair(Pair::Sub, 8, 5),
        ];
        let end = End::Quantised { scale: 0.01, zero: 4, low: -128, high: 127 };
        let formula = Formula { lines, channels, end, folded: false };
        alike(|isa| {
            let mut y = vec![0; count];
            formula.run(isa, &mut Vec::new(), &sums, &[&tensor], first, &mut y);
            y
        })?;
    }

    #[test]
    fn interpolated(size in [1..7usize, 1..7], output in [1..9usize, 1..9], channels in 1..40usize, seed: u16) {
        let x = bytes(area(size) * channels, u64::from(seed));
        let places = |axis: usize| {
            let drawn: Vec<u64> = numbers(3 * output[axis], u64::from(seed) + axis as u64).collect();
            let between = |drawn: &[u64]| Between {
                neighbours: [drawn[0] as usize % size[axis], drawn[1] as usize % size[axis]],
                share: (drawn[2] % 101) as f32 / 100.0,
            };
            drawn.chunks_exact(3).map(between).collect::<Vec<_>>()
        };
        let given = Interpolate { size, channels, rows: places(0), columns: places(1), zeros: [7, -7], multiplier: 0.9 };
        alike(|isa| {
            let mut y = vec![0; area(output) * channels];
            let (top, bottom) = y.split_at_mut(output[1] * channels);
            interpolate::run(isa, &given, &x, 0, top);
            interpolate::run(isa, &given, &x, 1, bottom);
            y
        })?;
    }

    #[test]
    fn tables((channels, pixels) in (1..90usize, 0..12usize), gaps in [0..4usize, 0..4], seed: u16) {
        let strides = gaps.map(|gap| channels + gap);
        let inputs = strides.map(|stride| bytes(pixels * stride, u64::from(seed)));
        let [first, second] = [3, 5].map(|factor| Table::new(|q| q.wrapping_mul(factor)));
        alike(|isa| {
            let mut applied = vec![0; inputs[0].len()];
            table::apply(isa, &first, &inputs[0], &mut applied);
            let mut both = vec![0; 2 * pixels * channels];
            let [a, b] = [(&first, &inputs[0][..], strides[0]), (&second, &inputs[1][..], strides[1])];
            table::interleave(isa, channels, a, b, &mut both);
            (applied, both)
        })?;
    }

    #[test]
    fn layouts((channels, pixels) in (1..50usize, 0..60usize), (gap, more) in (0..5usize, 0..9usize), seed: u16) {
        let (stride, plane) = (channels + gap, pixels + more);
        let (interleaved, planes) = (bytes(stride * pixels, u64::from(seed)), bytes(plane * channels, u64::from(seed)));
        let real = floats(pixels * channels, u64::from(seed));
        let unit = (0.037, -9);
        alike(|isa| {
            let mut outputs = [(); 3].map(|()| vec![0; pixels * channels]);
            let mut values = [(); 2].map(|()| vec![0.0; pixels * channels]);
            layout::interleaved(isa, channels, plane, &planes, &mut outputs[0]);
            layout::planes(isa, channels, stride, &interleaved, &mut outputs[1]);
            layout::quantised(isa, unit, &real, &mut outputs[2]);
            layout::dequantised(isa, channels, stride, unit, &interleaved, &mut values[0]);
            layout::values(isa, unit, &planes, &mut values[1]);
            (outputs, values.map(|values| bits(&values)))
        })?;
    }

    #[test]
    fn upsampling((height, width, channels) in (1..7usize, 1..7usize, 1..50usize), first in 0..2usize, seed: u16) {
        let x = bytes(height * width * channels, u64::from(seed));
        let twice = Upsample { size: [height, width], channels, zeros: [-9, 4], multiplier: 0.071 };
        alike(|isa| {
            let mut y = vec![0; (2 * height - first) * 2 * width * channels];
            upsample::twice(isa, &twice, &x, first, &mut y);
            y
        })?;
    }

    #[test]
    fn products((inputs, outputs, rows) in (1..200usize, 1..140usize, 0..9usize), seed: u16) {
        let seed = u64::from(seed);
        let (x, w) = (floats(rows * inputs, seed), bytes(inputs * outputs, seed + 1));
        let columns = Columns { scale: floats(outputs, seed + 2), bias: floats(outputs, seed + 3) };
        alike(|isa| {
            let kernel = Product::new(isa, inputs, columns.clone(), |input, output| w[input * outputs + output]);
            let mut y = vec![0.0; rows * outputs];
            kernel.run(&mut product::Scratch::default(), &x, &mut y);
            bits(&y)
        })?;
    }

    #[test]
    fn transformers((tokens, heads, width) in (1..40usize, 1..4usize, 1..40usize), seed: u16) {
        let (seed, channels) = (u64::from(seed), heads * width);
        let [query, key, value] = [0, 1, 2].map(|more| floats(tokens * channels, seed + more));
        let mask = floats(tokens, seed + 3);
        let norm = LayerNorm { scale: floats(channels, seed + 4), bias: floats(channels, seed + 5), epsilon: 1e-6 };
        let places: Vec<(usize, f32)> = (0..tokens).rev().map(|token| (token, 0.1 * token as f32)).collect();
        alike(|isa| {
            let mut attended = vec![0.0; tokens * channels];
            let given = Tokens { query: &query, key: &key, value: &value, mask: &mask };
            Attention { heads, width, scale: 0.4 }.run(isa, &mut attention::Scratch::default(), given, &mut attended);
            let mut normed = query.clone();
            norm.run(isa, &mut normed);
            gelu::gelu(isa, &mut normed);
            let mut blended = vec![0.0; channels];
            blend::blend(isa, &places, &value, &mut blended);
            [attended, normed, blended].map(|values| bits(&values))
        })?;
    }

    #[test]
    fn resizing(from in (1..70usize, 1..50usize), to in (1..50usize, 1..40usize), gap in 0..3usize, seed: u16) {
        let x = unsigned(3 * from.0 * from.1, u64::from(seed));
        alike(|isa| {
            let mut planes = [(); 3].map(|()| vec![0; (to.0 + gap) * to.1]);
            let read = |y: usize, rows: [&mut [u8]; 3]| {
                for (channel, row) in rows.into_iter().enumerate() {
                    row.copy_from_slice(&x[(channel * from.1 + y) * from.0..][..from.0]);
                }
            };
            Resize::new(isa, from, to).run(read, planes.each_mut().map(|plane| &mut plane[..]), to.0 + gap);
            planes
        })?;
    }

    #[test]
    fn colours(width in 1..140usize, seed: u16) {
        let bytes = unsigned(4 * width + 8, u64::from(seed));
        let half = width.div_ceil(2);
        let yuv = [
            Yuv::Yuyv(&bytes),
            Yuv::Uyvy(&bytes),
            Yuv::Nv12([&bytes[..width], &bytes[width..][..2 * half]]),
            Yuv::Yu12([&bytes[..width], &bytes[width..][..half], &bytes[2 * width..][..half]]),
        ];
        let matrix = Matrix::LIMITED;
        let rows = [Row::Rgb(&bytes), Row::Bgr(&bytes), Row::Grey(&bytes)].into_iter();
        for row in rows.chain(yuv.into_iter().map(|row| Row::Yuv(row, &matrix))) {
            alike(|isa| {
                let mut planes = [(); 3].map(|()| vec![0; width]);
                colour::planes(isa, row, planes.each_mut().map(|plane| &mut plane[..]));
                let mut pixels = vec![0; 3 * width];
                colour::interleaved(isa, width, &planes.concat(), &mut pixels);
                (planes, pixels)
            })?;
        }
    }
}
