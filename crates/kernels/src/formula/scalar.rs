//! The specification.
#![forbid(unsafe_code)]

use super::{Formula, Function, Line, Pair};
use crate::exp::exp;
use crate::requantise::round;

/// Values that go through the lines together: some lines of them stay in the L1 cache.
const BLOCK: usize = 1024;

#[inline(always)]
pub(super) fn run(
    formula: &Formula,
    scratch: &mut Vec<f32>,
    sums: &[Vec<i32>],
    tensors: &[&[i8]],
    first: usize,
    output: &mut [i8],
) {
    let Formula { lines, channels, scale, zero, low, high } = formula;
    let block = (BLOCK / channels).max(1) * channels;
    scratch.resize(lines.len() * block, 0.0);
    for (index, output) in output.chunks_mut(block).enumerate() {
        let (start, count) = (index * block, output.len());
        for (at, line) in lines.iter().enumerate() {
            let (before, to) = scratch.split_at_mut(at * block);
            let (before, to) = (&*before, &mut to[..count]);
            let made = |line: usize| &before[line * block..][..count];
            match line {
                Line::Sums(of, multipliers) => {
                    let pixels = sums[*of][start..][..count].chunks_exact(*channels);
                    for (to, sums) in to.chunks_exact_mut(*channels).zip(pixels) {
                        for ((to, &sum), &multiplier) in to.iter_mut().zip(sums).zip(multipliers) {
                            *to = sum as f32 * multiplier;
                        }
                    }
                }
                Line::Table(of, table) => {
                    for (to, &q) in to.iter_mut().zip(&tensors[*of][first + start..]) {
                        *to = table[usize::from(q as u8 ^ 128)];
                    }
                }
                Line::Channel(values) => {
                    to.chunks_exact_mut(*channels).for_each(|to| to.copy_from_slice(values));
                }
                Line::Each(values) => to.copy_from_slice(&values[first + start..][..count]),
                Line::Pair(pair, a, b) => {
                    let (a, b) = (made(*a), made(*b));
                    match pair {
                        Pair::Add => each(a, b, to, |a, b| a + b),
                        Pair::Sub => each(a, b, to, |a, b| a - b),
                        Pair::Mul => each(a, b, to, |a, b| a * b),
                        Pair::Div => each(a, b, to, |a, b| a / b),
                        Pair::Min => each(a, b, to, |a, b| if a < b { a } else { b }),
                        Pair::Max => each(a, b, to, |a, b| if a > b { a } else { b }),
                    }
                }
                Line::Function(Function::Sigmoid, a) => {
                    for (to, &x) in to.iter_mut().zip(made(*a)) {
                        *to = sigmoid(x);
                    }
                }
                Line::Function(Function::Other(function), a) => {
                    for (to, &x) in to.iter_mut().zip(made(*a)) {
                        *to = function(x);
                    }
                }
            }
        }
        let last = &scratch[(lines.len() - 1) * block..][..count];
        for (to, &value) in output.iter_mut().zip(last) {
            *to = round(value / scale, *zero, *low, *high);
        }
    }
}

#[inline(always)]
fn each(a: &[f32], b: &[f32], to: &mut [f32], of: impl Fn(f32, f32) -> f32) {
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        *to = of(a, b);
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    // At most 1, where `exp` is exact enough.
    let e = exp(-x.abs());
    let share = 1.0 / (1.0 + e);
    if x < 0.0 { e * share } else { share }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Formula, Function, Line, Pair, sigmoid};
    use crate::Isa;

    #[test]
    fn by_hand_in_one_piece_and_from_a_place_on() {
        let table = Box::new(std::array::from_fn(|q| (q as f32 - 128.0) / 4.0));
        let lines = vec![
            Line::Sums(0, vec![0.5, 0.25]),
            Line::Table(0, table),
            Line::Pair(Pair::Add, 0, 1),
            Line::Channel(vec![1.0, -1.0]),
            Line::Pair(Pair::Mul, 2, 3),
            Line::Each(vec![0.0, 0.0, 10.0, 20.0]),
            Line::Pair(Pair::Sub, 4, 5),
            Line::Function(Function::Other(Arc::new(|x| x.max(-30.0))), 6),
        ];
        let formula = Formula { lines, channels: 2, scale: 0.5, zero: -1, low: -128, high: 100 };
        for isa in Isa::available() {
            let (sums, tensor): (_, &[i8]) = (vec![3, 8, 100, 400], &[-4, 8, 127, -128]);
            let mut whole = [0; 4];
            formula.run(isa, &mut Vec::new(), std::slice::from_ref(&sums), &[tensor], 0, &mut whole);
            // 1.5 − 1 → 1; −(2 + 2) → −8; 50 + 31.75 − 10 → 143.5 → 100; −(100 − 32) − 20 → −30 → −60.
            assert_eq!(whole, [0, -9, 100, -61], "{isa:?}");
            let mut second = [0; 2];
            formula.run(isa, &mut Vec::new(), &[sums[2..].to_vec()], &[tensor], 2, &mut second);
            assert_eq!(second, whole[2..], "{isa:?}");
        }
    }

    #[test]
    fn the_sigmoid_is_close() {
        for at in -4000..=4000 {
            let x = at as f32 / 40.0;
            let expected = 1.0 / (1.0 + (-f64::from(x)).exp());
            let found = f64::from(sigmoid(x));
            assert!((found - expected).abs() < 2e-7, "{x}: {found} for {expected}");
        }
    }
}
