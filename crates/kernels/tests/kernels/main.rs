//! All kernels by their public functions: the same bits on every instruction set, and no slice that is too short.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bounds;
mod shapes;

use edgeclip_kernels::patches::Window;
use edgeclip_kernels::requantise::Requantise;
use edgeclip_kernels::table::Table;

/// Numbers without a pattern.
fn numbers(count: usize, seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    })
}

fn bytes(count: usize, seed: u64) -> Vec<i8> {
    numbers(count, seed).map(|number| number as i8).collect()
}

fn unsigned(count: usize, seed: u64) -> Vec<u8> {
    numbers(count, seed).map(|number| number as u8).collect()
}

/// From −4 to 4.
fn floats(count: usize, seed: u64) -> Vec<f32> {
    numbers(count, seed).map(|number| (number % 8001) as f32 / 1000.0 - 4.0).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn requantise(inputs: usize, outputs: usize, seed: u64) -> Requantise {
    let scale = 1.0 / (1500.0 * (inputs as f32).sqrt());
    let with_table = seed.is_multiple_of(3);
    Requantise {
        bias: numbers(outputs, seed).map(|number| (number % 4001) as i32 - 2000).collect(),
        multiplier: numbers(outputs, seed + 1).map(|number| scale * (1 + number % 9) as f32).collect(),
        zero: (seed % 256) as i32 - 128,
        low: -128 + (seed % 7) as i32,
        high: 127 - (seed % 5) as i32,
        table: with_table.then(|| Box::new(Table::new(|q| q / 2 - 3))),
    }
}

/// The windows of a kernel over a picture that is padded alike on all sides.
fn window(input: [usize; 2], kernel: [usize; 2], stride: [usize; 2], pad: [usize; 2]) -> Window {
    let output = [0, 1].map(|axis| (input[axis] + 2 * pad[axis] - kernel[axis]) / stride[axis] + 1);
    Window { input, output, kernel, stride, pad, dilation: [1; 2] }
}
