//! Every int8 kernel by itself, one thread, on shapes of the default network (320 px), MobileNetV2, ResNet-18 and MobileNetV3 (224 px):
//! `cargo bench --profile release -p edgeclip-kernels`. Results are compared with scalar's before they are timed. Rates stand beside what
//! the registers alone can do.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod peak;

use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use edgeclip_kernels::add::Add;
use edgeclip_kernels::colour::{Matrix, Row, Yuv, planes};
use edgeclip_kernels::conv_depthwise::Depthwise;
use edgeclip_kernels::conv_direct::Direct;
use edgeclip_kernels::conv_pointwise::{Pointwise, Scratch};
use edgeclip_kernels::patches::Window;
use edgeclip_kernels::pool::Mean;
use edgeclip_kernels::requantise::Requantise;
use edgeclip_kernels::resize::Resize;
use edgeclip_kernels::table::Table;
use edgeclip_kernels::upsample::Upsample;
use edgeclip_kernels::{Isa, add, layout, pool, table, upsample};

/// Runs a kernel once and returns its result.
type Run = Box<dyn FnMut() -> Vec<i8>>;

/// A kernel on one shape.
struct Case {
    name: String,
    /// Products of a convolution, results of other kernels.
    work: usize,
    products: bool,
    /// Builds the kernel for an instruction set.
    build: Box<dyn Fn(Isa) -> Run>,
}

fn bytes(count: usize, seed: u32) -> Vec<i8> {
    let hash = |i: usize| (i as u32 ^ seed.wrapping_mul(40_503)).wrapping_mul(2_654_435_761);
    (0..count).map(|i| ((hash(i) ^ (hash(i) >> 15)).wrapping_mul(2_246_822_519) >> 21) as i8).collect()
}

fn requantise(outputs: usize, products: usize) -> Requantise {
    Requantise {
        bias: vec![100; outputs],
        multiplier: vec![0.006 / (products as f32).sqrt(); outputs],
        zero: -5,
        low: -128,
        high: 127,
        table: None,
    }
}

/// A square window with the padding of `same`.
fn square(side: usize, kernel: usize, stride: usize) -> Window {
    let output = side.div_ceil(stride);
    Window {
        input: [side; 2],
        output: [output; 2],
        kernel: [kernel; 2],
        stride: [stride; 2],
        pad: [kernel / 2; 2],
        dilation: [1; 2],
    }
}

/// Runs `kernel` on a buffer that is kept from run to run, as the engine's are.
fn on(size: usize, mut kernel: impl FnMut(&mut [i8]) + 'static) -> Box<dyn FnMut() -> Vec<i8>> {
    let mut output = vec![0; size];
    Box::new(move || {
        kernel(black_box(&mut output));
        // Results are looked at once only: an empty vector costs nothing.
        if LOOK.get() { output.clone() } else { Vec::new() }
    })
}

thread_local! {
    /// Whether a run is to return its result.
    static LOOK: Cell<bool> = const { Cell::new(false) };
}

fn pointwise(pixels: usize, inputs: usize, outputs: usize) -> Case {
    Case {
        name: format!("pointwise/{pixels} px {inputs} to {outputs}"),
        work: pixels * inputs * outputs,
        products: true,
        build: Box::new(move |isa| {
            let weights = bytes(inputs * outputs, 1);
            let conv = Pointwise::new(isa, inputs, outputs, &weights, requantise(outputs, inputs));
            let (input, mut scratch) = (bytes(pixels * inputs, 2), Scratch::default());
            on(pixels * outputs, move |output| conv.run(&mut scratch, &input, inputs, output))
        }),
    }
}

fn direct(side: usize, inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Case {
    let window = square(side, kernel, stride);
    let (pixels, patch) = (window.output[0] * window.output[1], kernel * kernel * inputs);
    Case {
        name: format!("direct/{side} px {inputs} to {outputs}, {kernel}x{kernel} by {stride}"),
        work: pixels * patch * outputs,
        products: true,
        build: Box::new(move |isa| {
            let conv = Direct::new(isa, window, -3, &bytes(patch * outputs, 1), requantise(outputs, patch));
            let (input, mut scratch) = (bytes(side * side * inputs, 2), Scratch::default());
            on(pixels * outputs, move |output| conv.run(&mut scratch, &input, 0, output))
        }),
    }
}

fn depthwise(side: usize, channels: usize, kernel: usize, stride: usize) -> Case {
    let window = square(side, kernel, stride);
    let (pixels, taps) = (window.output[0] * window.output[1], kernel * kernel);
    Case {
        name: format!("depthwise/{side} px {channels}, {kernel}x{kernel} by {stride}"),
        work: pixels * taps * channels,
        products: true,
        build: Box::new(move |isa| {
            let conv =
                Depthwise::new(isa, window, -3, &bytes(taps * channels, 1), requantise(channels, taps));
            let input = bytes(side * side * channels, 2);
            on(pixels * channels, move |output| conv.run(&input, 0, output))
        }),
    }
}

/// A kernel without weights: `run` by instruction set, input of `from` values, result of `to`.
fn small(name: &str, [from, to]: [usize; 2], run: impl Fn(Isa, &[i8], &mut [i8]) + Copy + 'static) -> Case {
    let build = move |isa| {
        let input = bytes(from, 2);
        on(to, move |output| run(isa, &input, output))
    };
    Case { name: name.to_owned(), work: to, products: false, build: Box::new(build) }
}

fn others() -> Vec<Case> {
    let sum = Add { zeros: [-7, 12], multipliers: [0.71, 0.37], zero: -3, low: -128, high: 127 };
    let mean = Mean { zeros: [-5, 7], multiplier: 0.2, padding_counts: false };
    let up = Upsample { size: [20; 2], channels: 96, zeros: [-9, 4], multiplier: 0.07 };
    let three = Window { pad: [1; 2], ..square(160, 3, 2) };
    let two = Window { pad: [0; 2], ..square(40, 2, 2) };
    let leaky = |q: i8| if q < -5 { q / 10 } else { q };
    vec![
        small("add/80 px 24", [2 * 153_600, 153_600], move |isa, input, output| {
            let (a, b) = input.split_at(output.len());
            add::run(isa, &sum, a, b, output);
        }),
        small("max/160 px 24", [25_600 * 24, 6400 * 24], move |isa, input, output| {
            pool::max(isa, &three, 24, input, 0, output);
        }),
        small("mean/40 px 96", [1600 * 96, 400 * 96], move |isa, input, output| {
            pool::mean(isa, &two, mean, 96, &mut [0; 96], input, 0, output);
        }),
        small("upsample/20 px 96", [400 * 96, 1600 * 96], move |isa, input, output| {
            upsample::twice(isa, &up, input, 0, output);
        }),
        small("table/40 px 96", [1600 * 96; 2], move |isa, input, output| {
            table::apply(isa, &Table::new(leaky), input, output);
        }),
        small("interleave/40 px 58", [1600 * 116; 2], move |isa, input, output| {
            let (a, b) = input.split_at(1600 * 58);
            let table = Table::new(leaky);
            table::interleave(isa, 58, (&table, a, 58), (&table, b, 58), output);
        }),
        small("input/320 px 3", [102_400 * 3; 2], move |isa, input, output| {
            layout::interleaved(isa, 3, 102_400, input, output);
        }),
    ]
}

/// The output layout writes floats: compared and timed as the bytes of a sum would be no simpler.
fn output() -> Case {
    small("output/40 px 96", [1600 * 96; 2], |isa, input, output| {
        thread_local!(static VALUES: Cell<Vec<f32>> = const { Cell::new(Vec::new()) });
        let mut values = VALUES.take();
        values.resize(input.len(), 0.0);
        layout::dequantised(isa, 96, 96, (0.5, -3), input, &mut values);
        if LOOK.get() {
            output.iter_mut().zip(&values).for_each(|(to, value)| *to = (value * 2.0 - 3.0) as i8);
        }
        VALUES.set(values);
    })
}

/// Planes of red, green and blue, one behind the other.
fn three<T>(planes: &mut [T]) -> [&mut [T]; 3] {
    let (red, rest) = planes.split_at_mut(planes.len() / 3);
    let (green, blue) = rest.split_at_mut(red.len());
    [red, green, blue]
}

/// To half the width and half the height: four weights a pixel in either pass, in two parts each.
fn halved(width: usize, height: usize) -> Case {
    let to = (width / 2, height / 2);
    Case {
        name: format!("resize/{width}x{height} to {}x{}", to.0, to.1),
        work: 3 * 4 * 2 * to.0 * (height + to.1),
        products: true,
        build: Box::new(move |isa| {
            let rows: Vec<u8> = bytes(16 * width, 2).into_iter().map(|value| value as u8).collect();
            let mut resize = Resize::new(isa, (width, height), to);
            let read = move |y: usize, planes: [&mut [u8]; 3]| {
                planes.into_iter().for_each(|plane| plane.copy_from_slice(&rows[y % 16 * width..][..width]));
            };
            on(3 * to.0 * to.1, move |output| resize.run(&read, three(output), to.0))
        }),
    }
}

/// A row of 6400 pixels to planes.
fn colour(name: &str, row: impl Fn(&[u8]) -> Row<'_> + Copy + 'static) -> Case {
    let width = 6400;
    let build = move |isa| {
        let input: Vec<u8> = bytes(3 * width, 2).into_iter().map(|value| value as u8).collect();
        let mut values = vec![0; 3 * width];
        on(3 * width, move |output| {
            planes(isa, row(&input), three(&mut values));
            black_box(&mut values);
            if LOOK.get() {
                output.iter_mut().zip(&values).for_each(|(to, value)| *to = *value as i8);
            }
        })
    };
    Case { name: format!("colour/{name}"), work: 3 * width, products: false, build: Box::new(build) }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        pointwise(25_600, 16, 96),
        pointwise(6400, 24, 144),
        pointwise(6400, 144, 24),
        pointwise(1600, 58, 58),
        pointwise(400, 116, 116),
        pointwise(400, 96, 576),
        pointwise(100, 320, 1280),
        pointwise(3136, 24, 144),
        pointwise(49, 960, 160),
        direct(320, 3, 32, 3, 2),
        direct(224, 3, 64, 7, 2),
        direct(56, 64, 64, 3, 1),
        direct(28, 128, 128, 3, 1),
        direct(14, 256, 256, 3, 1),
        direct(7, 512, 512, 3, 1),
        depthwise(160, 32, 3, 1),
        depthwise(160, 96, 3, 2),
        depthwise(40, 192, 3, 1),
        depthwise(20, 384, 3, 1),
        depthwise(28, 120, 5, 1),
        depthwise(14, 672, 5, 1),
    ];
    cases.extend(others());
    cases.push(output());
    cases.push(halved(640, 480));
    cases.push(colour("RGB", |bytes| Row::Rgb(bytes)));
    cases.push(colour("YUYV", |bytes| Row::Yuv(Yuv::Yuyv(bytes), &Matrix::LIMITED)));
    cases.push(colour("NV12", |bytes| Row::Yuv(Yuv::Nv12([bytes; 2]), &Matrix::LIMITED)));
    cases.push(colour("YU12", |bytes| Row::Yuv(Yuv::Yu12([bytes; 3]), &Matrix::LIMITED)));
    cases
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(10)
        .without_plots()
        .configure_from_args();
    let isas: Vec<(Isa, Option<f64>)> =
        Isa::available().into_iter().skip(1).map(|isa| (isa, peak::measured(isa))).collect();
    let mut rates = Vec::new();
    for case in cases() {
        LOOK.set(true);
        let expected = (case.build)(Isa::SCALAR)();
        for &(isa, peak) in &isas {
            LOOK.set(true);
            let mut run = (case.build)(isa);
            assert!(run() == expected, "{} on {isa:?} is not what scalar gives", case.name);
            LOOK.set(false);
            let mut least = f64::INFINITY;
            let mut group = criterion.benchmark_group(isa.name());
            group.sampling_mode(SamplingMode::Flat).bench_function(&case.name, |bencher| {
                bencher.iter_custom(|count| {
                    let mut total = Duration::ZERO;
                    for _ in 0..count {
                        let start = Instant::now();
                        run();
                        let time = start.elapsed();
                        least = least.min(time.as_secs_f64());
                        total += time;
                    }
                    total
                });
            });
            if least.is_finite() {
                rates.push((
                    isa,
                    case.name.clone(),
                    case.work as f64 / least * 1e-9,
                    peak.filter(|_| case.products),
                ));
            }
        }
    }
    println!("\nleast times: giga products a second of convolutions, giga results a second of other kernels");
    for (isa, name, rate, peak) in rates {
        let share =
            peak.map_or(String::new(), |peak| format!(" of {peak:5.0}, {:3.0} %", rate / peak * 100.0));
        println!("{:12} {name:38} {rate:7.1}{share}", isa.name());
    }
}
