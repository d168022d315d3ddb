//! The specification.
#![forbid(unsafe_code)]

use super::{End, Fold, Formula, Function, Line, Pair};
use crate::exp::exp;
use crate::gelu::erf;
use crate::lanes::{bytes, float, folded};
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
    let Formula { lines, channels, end, .. } = formula;
    let values = formula.values();
    let block = (BLOCK / channels).max(1) * channels;
    scratch.resize(lines.len() * block, 0.0);
    for (index, output) in output.chunks_mut(block / values * end.bytes()).enumerate() {
        let (start, count) = (index * block, output.len() / end.bytes() * values);
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
                Line::Real(of) => {
                    let (values, _) = tensors[*of][4 * (first + start)..].as_chunks();
                    for (to, value) in to.iter_mut().zip(values) {
                        *to = float(value);
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
                        Pair::Less => each(a, b, to, |a, b| if a < b { 1.0 } else { 0.0 }),
                        Pair::LessOrEqual => each(a, b, to, |a, b| if a <= b { 1.0 } else { 0.0 }),
                        Pair::Equal => each(a, b, to, |a, b| if a == b { 1.0 } else { 0.0 }),
                    }
                }
                Line::Choice(condition, a, b) => {
                    let choices = made(*condition).iter().zip(made(*a)).zip(made(*b));
                    for (to, ((&condition, &a), &b)) in to.iter_mut().zip(choices) {
                        *to = if condition == 0.0 { b } else { a };
                    }
                }
                Line::Function(function, a) => {
                    let from = made(*a);
                    match function {
                        Function::Sigmoid => of_each(from, to, sigmoid),
                        Function::Exp => of_each(from, to, exp),
                        Function::Erf => of_each(from, to, erf),
                        Function::Tanh => of_each(from, to, tanh),
                        Function::Root => of_each(from, to, f32::sqrt),
                        Function::Clip(low, high) => of_each(from, to, |x| {
                            let x = if x > *low { x } else { *low };
                            if x < *high { x } else { *high }
                        }),
                        Function::Other(function) => {
                            // The numbers of a fold are the same for a whole pixel.
                            let mut last = None;
                            for (to, &x) in to.iter_mut().zip(from) {
                                let value = match last {
                                    Some((known, value)) if known == x.to_bits() => value,
                                    _ => function(x),
                                };
                                last = Some((x.to_bits(), value));
                                *to = value;
                            }
                        }
                    }
                }
                Line::Fold(fold, a) => {
                    let pixels = made(*a).chunks_exact(*channels);
                    for (to, pixel) in to.chunks_exact_mut(*channels).zip(pixels) {
                        to.fill(of_pixel(*fold, pixel));
                    }
                }
            }
        }
        let last = &mut scratch[(lines.len() - 1) * block..];
        if formula.folded {
            for at in 1..count / values {
                last[at] = last[at * values];
            }
        }
        let last = &last[..count / values];
        match *end {
            End::Quantised { scale, zero, low, high } => {
                for (to, &value) in output.iter_mut().zip(last) {
                    *to = round(value / scale, zero, low, high);
                }
            }
            End::Real => {
                for (to, value) in output.as_chunks_mut().0.iter_mut().zip(last) {
                    *to = bytes(*value);
                }
            }
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
fn of_each(from: &[f32], to: &mut [f32], of: impl Fn(f32) -> f32) {
    for (to, &x) in to.iter_mut().zip(from) {
        *to = of(x);
    }
}

#[inline(always)]
fn of_pixel(fold: Fold, pixel: &[f32]) -> f32 {
    match fold {
        Fold::Sum => folded(pixel, 0.0, |x| x, |a, b| a + b),
        Fold::Mean => folded(pixel, 0.0, |x| x, |a, b| a + b) / pixel.len() as f32,
        Fold::Max => folded(pixel, f32::MIN, |x| x, |a, b| if b > a { b } else { a }),
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    // At most 1, where `exp` is exact enough.
    let e = exp(-x.abs());
    let share = 1.0 / (1.0 + e);
    if x < 0.0 { e * share } else { share }
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let e = exp(-2.0 * x.abs());
    ((1.0 - e) / (1.0 + e)).copysign(x)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{End, Fold, Formula, Function, Line, Pair, sigmoid, tanh};
    use crate::Isa;
    use crate::gelu::erf;
    use crate::lanes::{bytes, float};

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
        let end = End::Quantised { scale: 0.5, zero: -1, low: -128, high: 100 };
        let formula = Formula { lines, channels: 2, end, folded: false };
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

    #[test]
    fn the_tangent_is_close() {
        for at in -4000..=4000 {
            let x = at as f32 / 100.0;
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 2e-7, "{x}");
        }
    }

    /// Numbers as tensors of floats hold them.
    fn stored(values: &[f32]) -> Vec<i8> {
        values.iter().flat_map(|&value| bytes(value)).collect()
    }

    fn floats(bytes: &[i8]) -> Vec<f32> {
        bytes.as_chunks().0.iter().map(float).collect()
    }

    #[test]
    fn pixels_choices_and_floats_by_hand() {
        let lines = vec![
            Line::Real(0),
            Line::Fold(Fold::Max, 0),
            Line::Fold(Fold::Mean, 0),
            Line::Pair(Pair::Less, 0, 2),
            Line::Choice(3, 1, 0),
            Line::Pair(Pair::LessOrEqual, 4, 0),
            Line::Pair(Pair::Equal, 4, 1),
            Line::Pair(Pair::Sub, 5, 6),
            Line::Pair(Pair::Add, 7, 4),
            Line::Function(Function::Clip(-1.0, 6.5), 8),
        ];
        let mut formula = Formula { lines, channels: 3, end: End::Real, folded: false };
        let tensor = stored(&[1.0, 2.0, 6.0, f32::NEG_INFINITY, -2.0, 7.0]);
        for isa in Isa::available() {
            // Means 3 and −∞: 6 and 6 take the place of 1 and 2, nothing lies below −∞.
            // ≤ the number itself: 0, 0, 1, 1, 1, 1; the largest: 1, 1, 1, 0, 0, 1.
            let mut whole = [0; 24];
            formula.run(isa, &mut Vec::new(), &[], &[&tensor], 0, &mut whole);
            assert_eq!(floats(&whole), [5.0, 5.0, 6.0, -1.0, -1.0, 6.5], "{isa:?}");
            let mut second = [0; 12];
            formula.run(isa, &mut Vec::new(), &[], &[&tensor], 3, &mut second);
            assert_eq!(second, whole[12..], "{isa:?}");
        }
        formula.lines = vec![Line::Real(0), Line::Fold(Fold::Max, 0)];
        formula.folded = true;
        for isa in Isa::available() {
            let mut both = [0; 8];
            formula.run(isa, &mut Vec::new(), &[], &[&tensor], 0, &mut both);
            assert_eq!(floats(&both), [6.0, 7.0], "{isa:?}");
        }
    }

    /// A softmax and a normalisation of pixels of many sizes: near what f64 gives, the same bits on every instruction set.
    #[test]
    fn shares_and_normalised_pixels() {
        for channels in [1, 2, 15, 16, 17, 40, 1029] {
            let count = 5 * channels;
            let values: Vec<f32> = (0..count).map(|at| ((at * 7919) % 1013) as f32 / 100.0 - 5.0).collect();
            let softmax = vec![
                Line::Real(0),
                Line::Fold(Fold::Max, 0),
                Line::Pair(Pair::Sub, 0, 1),
                Line::Function(Function::Exp, 2),
                Line::Fold(Fold::Sum, 3),
                Line::Pair(Pair::Div, 3, 4),
            ];
            let norm = vec![
                Line::Real(0),
                Line::Fold(Fold::Mean, 0),
                Line::Pair(Pair::Sub, 0, 1),
                Line::Pair(Pair::Mul, 2, 2),
                Line::Fold(Fold::Mean, 3),
                Line::Channel(vec![1e-5; channels]),
                Line::Pair(Pair::Add, 4, 5),
                Line::Function(Function::Root, 6),
                Line::Pair(Pair::Div, 2, 7),
                Line::Function(Function::Erf, 8),
                Line::Function(Function::Tanh, 9),
            ];
            let mut expected = [Vec::new(), Vec::new()];
            for row in values.chunks(channels) {
                let row: Vec<f64> = row.iter().map(|&x| x.into()).collect();
                let sum: f64 = row.iter().map(|x| x.exp()).sum();
                expected[0].extend(row.iter().map(|x| x.exp() / sum));
                let mean = row.iter().sum::<f64>() / channels as f64;
                let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / channels as f64;
                let normal = row.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt());
                expected[1].extend(normal.map(|x| f64::from(erf(x as f32)).tanh()));
            }
            let tensor = stored(&values);
            for (lines, expected) in [softmax, norm].into_iter().zip(&expected) {
                let formula = Formula { lines, channels, end: End::Real, folded: false };
                let run = |isa| {
                    let mut output = vec![0; 4 * count];
                    formula.run(isa, &mut Vec::new(), &[], &[&tensor], 0, &mut output);
                    output
                };
                let specified = run(Isa::SCALAR);
                for (found, expected) in floats(&specified).iter().zip(expected) {
                    assert!(
                        (f64::from(*found) - expected).abs() < 1e-5,
                        "{channels}: {found} for {expected}"
                    );
                }
                for isa in Isa::available() {
                    assert_eq!(run(isa), specified, "{isa:?} {channels}");
                }
            }
        }
    }
}
