//! Slices that are too short and strides that wrap around end in a panic, never in memory that is not theirs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use edgeclip_kernels::add::Add;
use edgeclip_kernels::affine::{self, Affine};
use edgeclip_kernels::attention::{self, Attention, Tokens};
use edgeclip_kernels::colour::{self, Matrix, Row, Yuv};
use edgeclip_kernels::conv_depthwise::Depthwise;
use edgeclip_kernels::conv_direct::Direct;
use edgeclip_kernels::conv_pointwise::{Pointwise, Scratch};
use edgeclip_kernels::conv_residual::{ConvResidual, Residual};
use edgeclip_kernels::formula::{End, Formula, Line, Pair};
use edgeclip_kernels::interpolate::{self, Between, Interpolate};
use edgeclip_kernels::layer_norm::LayerNorm;
use edgeclip_kernels::lookup::Lookup;
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
use edgeclip_kernels::sum::sum;
use edgeclip_kernels::table::{self, Table};
use edgeclip_kernels::upsample::{self, Upsample};
use edgeclip_kernels::wide::Wide;
use edgeclip_kernels::{Isa, add, blend, layout, multiply, repeat};

use crate::{bytes, floats, requantise, unsigned, window};

/// A quarter of all numbers: four times it is nothing.
const QUARTER: usize = 1 << (usize::BITS - 2);

/// Asserts that `work` panics on every instruction set.
fn refused(what: &str, work: impl Fn(Isa)) {
    for isa in Isa::available() {
        assert!(catch_unwind(AssertUnwindSafe(|| work(isa))).is_err(), "{what} on {isa:?}");
    }
}

#[test]
fn pointwise() {
    let (x, w) = (bytes(64 * 40, 1), bytes(64 * 64, 2));
    let run = |isa: Isa, stride: usize, length: usize, outputs: usize| {
        let mut y = vec![0; outputs];
        Pointwise::new(isa, 64, 64, &w, requantise(64, 64, 3)).run(
            &mut Scratch::default(),
            &x[..length],
            stride,
            &mut y,
        );
    };
    // Four steps of such a stride wrap around to as many bytes as there are.
    refused("a stride that wraps around", |isa| run(isa, 64 + QUARTER, 64 * 40, 5 * 64));
    refused("a large stride", |isa| run(isa, usize::MAX, 64 * 40, 3 * 64));
    refused("a stride below the channels", |isa| run(isa, 63, 64 * 40, 5 * 64));
    refused("a short input", |isa| run(isa, 64, 5 * 64 - 1, 5 * 64));
    refused("half a pixel", |isa| run(isa, 64, 64 * 40, 5 * 64 - 1));
    refused("weights that wrap around", |isa| {
        Pointwise::new(isa, QUARTER, 4, &[], requantise(1, 4, 3));
    });
    refused("short weights", |isa| drop(Pointwise::new(isa, 64, 64, &w[1..], requantise(64, 64, 3))));
    refused("a short bias", |isa| drop(Pointwise::new(isa, 64, 64, &w, requantise(64, 63, 3))));
}

#[test]
fn residual() {
    let (x, w, added) = (bytes(400, 1), bytes(8 * 8, 2), bytes(400, 3));
    let run = |isa: Isa, stride: usize, added: &[i8], outputs: usize| {
        let residual = Residual { zero: 0, multiplier: 0.1 };
        let kernel = ConvResidual::new(isa, &w, requantise(8, 8, 3), residual);
        kernel.run(&mut Vec::new(), &x, stride, added, &mut vec![0; outputs]);
    };
    refused("a stride that wraps around", |isa| run(isa, 8 + QUARTER, &added, 5 * 8));
    refused("a stride below the channels", |isa| run(isa, 7, &added, 5 * 8));
    refused("a short tensor to add", |isa| run(isa, 8, &added[..39], 5 * 8));
    refused("half a pixel", |isa| run(isa, 8, &added, 39));
}

/// Windows whose sizes wrap around, for pictures of 64 channels.
fn endless() -> [Window; 5] {
    let good = window([8, 8], [3, 3], [1, 1], [1, 1]);
    [
        Window { input: [QUARTER, 4], ..good },
        Window { output: [4, QUARTER], ..good },
        Window { kernel: [QUARTER, 4], ..good },
        Window { stride: [QUARTER, QUARTER], ..good },
        Window { pad: [usize::MAX, 1], ..good },
    ]
}

#[test]
fn windows() {
    let good = window([8, 8], [3, 3], [1, 1], [1, 1]);
    let (x, deep, flat) = (bytes(64 * 64, 1), bytes(64 * 9, 2), bytes(16 * 9 * 64, 2));
    let mean = Mean { zeros: [0, 0], multiplier: 1.0, padding_counts: false };
    for window in endless() {
        let mut y = vec![0; 64 * 64];
        refused("a depthwise convolution", |isa| {
            Depthwise::new(isa, window, 0, &deep, requantise(9, 64, 3)).run(&x, 0, &mut vec![0; 64 * 64]);
        });
        refused("a convolution", |isa| {
            let kernel = Direct::new(isa, window, 0, &flat, requantise(9, 16, 3));
            kernel.run(&mut Scratch::default(), &x, 0, &mut vec![0; 64 * 16]);
        });
        refused("a largest value", |isa| pool::max(isa, &window, 64, &x, 0, &mut vec![0; 64 * 64]));
        refused("a mean", |isa| {
            pool::mean(isa, &window, mean, 64, &mut [0; 64], &x, 0, &mut vec![0; 64 * 64])
        });
        assert!(catch_unwind(AssertUnwindSafe(|| patches::row(&window, 64, 0, &x, 0, &mut y))).is_err());
    }
    let depthwise = |isa, x: &[i8], first, outputs| {
        Depthwise::new(isa, good, 0, &deep, requantise(9, 64, 3)).run(x, first, &mut vec![0; outputs]);
    };
    let direct = |isa, x: &[i8], first, outputs| {
        let kernel = Direct::new(isa, good, 0, &flat, requantise(9, 16, 3));
        kernel.run(&mut Scratch::default(), x, first, &mut vec![0; outputs]);
    };
    for (what, x, first, rows) in [
        ("a short picture", &x[1..], 0, 8),
        ("rows beyond the last", &x[..], 1, 8),
        ("a first row that wraps around", &x[..], usize::MAX, 1),
    ] {
        refused(what, |isa| depthwise(isa, x, first, rows * 8 * 64));
        refused(what, |isa| direct(isa, x, first, rows * 8 * 16));
        refused(what, |isa| pool::max(isa, &good, 64, x, first, &mut vec![0; rows * 8 * 64]));
        refused(what, |isa| {
            pool::mean(isa, &good, mean, 64, &mut [0; 64], x, first, &mut vec![0; rows * 8 * 64])
        });
    }
    refused("half a row", |isa| depthwise(isa, &x, 0, 64));
    refused("half a row", |isa| direct(isa, &x, 0, 16));
    refused("half a row", |isa| pool::max(isa, &good, 64, &x, 0, &mut [0; 64]));
    refused("short sums", |isa| pool::mean(isa, &good, mean, 64, &mut [0; 63], &x, 0, &mut [0; 512]));
    let gather = |x: &[i8], y| patches::row(&good, 64, 0, x, y, &mut vec![0; 8 * 9 * 64]);
    assert!(catch_unwind(|| gather(&x[1..], 0)).is_err() && catch_unwind(|| gather(&x, 8)).is_err());
}

#[test]
fn elementwise() {
    let (a, b) = (bytes(100, 1), bytes(100, 2));
    let sum = Add { zeros: [0, 0], multipliers: [1.0, 1.0], zero: 0, low: -128, high: 127 };
    refused("a short term", |isa| add::run(isa, &sum, &a[1..], &b, &mut [0; 100]));
    refused("a short term", |isa| add::run(isa, &sum, &a, &b[1..], &mut [0; 100]));
    let product = Multiply { zeros: [0, 0], multiplier: 1.0, zero: 0, low: -128, high: 127 };
    refused("a short factor", |isa| multiply::run(isa, &product, &a[1..], &b, &mut [0; 100]));
    refused("no factor", |isa| multiply::run(isa, &product, &a, &[], &mut [0; 100]));
    let table = Table::new(|q| q);
    refused("a short input", |isa| table::apply(isa, &table, &a[1..], &mut [0; 100]));
}

#[test]
fn channelwise() {
    let x = bytes(400, 1);
    let line = |slopes: usize| Affine {
        zeros: [0, 0],
        multiplier: vec![1.0; 20],
        offset: vec![0.0; 20],
        slope: vec![1.0; slopes],
        low: -128,
        high: 127,
    };
    let run = |isa, slopes, stride, length, outputs| {
        affine::run(isa, &line(slopes), &x[..length], stride, &mut vec![0; outputs]);
    };
    for stride in [20 + QUARTER, usize::MAX, 19] {
        refused("a stride", |isa| run(isa, 20, stride, 400, 5 * 20));
    }
    refused("a short input", |isa| run(isa, 20, 20, 99, 5 * 20));
    refused("half a pixel", |isa| run(isa, 20, 20, 400, 5 * 20 - 1));
    refused("a slope too few", |isa| run(isa, 19, 20, 400, 5 * 20));

    let shares = |length| Softmax {
        length,
        exponentials: Box::new([1; 256]),
        inverse: 256.0,
        zero: -128,
        low: -128,
        high: 127,
    };
    let share = |isa, length, inputs, outputs| {
        softmax::run(isa, &shares(length), &mut Vec::new(), &x[..inputs], &mut vec![0; outputs]);
    };
    refused("a softmax over nothing", |isa| share(isa, 0, 100, 100));
    refused("a short input", |isa| share(isa, 20, 99, 100));
    refused("half a run", |isa| share(isa, 30, 100, 100));
    refused("runs without end", |isa| share(isa, usize::MAX, 100, 100));

    let around = |before, after| Response {
        before,
        after,
        bias: 1.0,
        factor: 0.1,
        power: Power::Half,
        zeros: [0, 0],
        multiplier: 1.0,
        low: -128,
        high: 127,
    };
    let respond = |isa, (before, after), channels, inputs, outputs| {
        let response = around(before, after);
        response::run(isa, &response, channels, &mut Vec::new(), &x[..inputs], &mut vec![0; outputs]);
    };
    refused("a window without end", |isa| respond(isa, (usize::MAX, 0), 20, 100, 100));
    refused("a window without end", |isa| respond(isa, (0, 1 << 14), 20, 100, 100));
    refused("a short input", |isa| respond(isa, (2, 2), 20, 99, 100));
    refused("half a pixel", |isa| respond(isa, (2, 2), 30, 100, 100));
    refused("no channels", |isa| respond(isa, (2, 2), 0, 100, 100));
}

#[test]
fn moves() {
    let x = bytes(400, 1);
    let good = Pad { input: [4, 5, 20], output: [6, 7, 20], before: [1, 1, 0], apart: [1; 2], fill: 3 };
    let around = |pad: Pad, length, stride, first, outputs| {
        catch_unwind(|| pad::run(&pad, &x[..length], stride, first, &mut vec![0; outputs])).is_err()
    };
    assert!(!around(good, 400, 20, 0, 6 * 140));
    for pad in [
        Pad { before: [3, 1, 0], ..good },
        Pad { before: [usize::MAX, 1, 0], ..good },
        Pad { apart: [2, 1], ..good },
        Pad { apart: [1, QUARTER], ..good },
        Pad { apart: [0, 1], ..good },
        Pad { output: [6, QUARTER, QUARTER], ..good },
        Pad { output: [6, 7, 0], input: [4, 5, 0], ..good },
        Pad { input: [QUARTER, 4, 20], output: [QUARTER + 2, 7, 20], ..good },
    ] {
        assert!(around(pad, 400, 20, 0, 140), "{pad:?}");
    }
    for (length, stride, first, outputs) in [
        (399, 20, 0, 140),
        (400, 19, 0, 140),
        (400, 20 + QUARTER, 0, 140),
        (400, 20, 6, 140),
        (400, 20, usize::MAX, 140),
        (400, 20, 0, 139),
        (400, 20, 0, 7 * 140),
    ] {
        assert!(around(good, length, stride, first, outputs), "{length} {stride} {first} {outputs}");
    }

    let move_ = |isa, shape: &[usize], strides: &[usize], length, first, outputs| {
        Rearrange::new(shape, strides).run(isa, &x[..length], first, &mut vec![0; outputs]);
    };
    for (what, shape, strides, length, first, outputs) in [
        ("a short input", [20, 20], [1, 20], 399, 0, 400),
        ("a stride that wraps around", [5, 4], [QUARTER, 1], 400, 0, 20),
        ("strides without end", [5, 4], [usize::MAX, 1], 400, 0, 20),
        ("half a part", [20, 20], [1, 20], 400, 0, 399),
        ("parts beyond the last", [20, 20], [1, 20], 400, 1, 400),
        ("a first part that wraps around", [20, 20], [1, 20], 400, usize::MAX, 20),
        ("no values", [0, 20], [1, 20], 400, 0, 0),
    ] {
        refused(what, |isa| move_(isa, &shape, &strides, length, first, outputs));
    }
    refused("an axis without stride", |isa| move_(isa, &[20, 20], &[1], 400, 0, 400));
}

#[test]
fn wide_sums() {
    let x = bytes(400, 1);
    let conv = |groups: usize, weights: usize, outputs: usize| {
        Wide::new(window([4, 5], [3, 3], [1, 1], [1, 1]), groups, 0, &vec![1; weights], vec![0; outputs])
    };
    for (groups, weights, outputs) in [(0, 180, 20), (3, 180, 20), (1, 181, 20), (1, 0, 20), (1, 180, 0)] {
        assert!(catch_unwind(|| conv(groups, weights, outputs)).is_err(), "{groups} {weights} {outputs}");
    }
    for (groups, inputs, outputs) in [(20, 1, 20), (1, 20, 6)] {
        let conv = conv(groups, outputs * inputs * 9, outputs);
        let run = |isa, length, stride, y, sums| {
            conv.row(isa, &mut Vec::new(), &x[..length], stride, y, &mut vec![0; sums]);
        };
        run(Isa::SCALAR, 400, 20, 3, 5 * outputs);
        refused("a short input", |isa| run(isa, 399, 20, 3, 5 * outputs));
        refused("a stride below the channels", |isa| run(isa, 400, 19, 3, 5 * outputs));
        refused("a stride that wraps around", |isa| run(isa, 400, 20 + QUARTER, 3, 5 * outputs));
        refused("a row beyond the last", |isa| run(isa, 400, 20, 4, 5 * outputs));
        refused("half a row", |isa| run(isa, 400, 20, 3, 5 * outputs - 1));
    }
}

#[test]
fn matrices_and_formulas() {
    let x = bytes(400, 1);
    let matrices = |isa, length, a, b, outputs| {
        let factors = Factors { length, zeros: [0; 2] };
        let product = MatMul { factors, multiplier: 0.1, zero: 0, low: -128, high: 127 };
        matmul::run(isa, &product, &mut matmul::Scratch::default(), &x[..a], &x[..b], &mut vec![0; outputs]);
    };
    matrices(Isa::SCALAR, 20, 60, 80, 12);
    for (length, a, b, outputs) in
        [(0, 60, 80, 12), (20, 61, 80, 12), (20, 60, 79, 12), (20, 60, 80, 13), (20, 60, 0, 0)]
    {
        refused("matrices", |isa| matrices(isa, length, a, b, outputs));
    }
    let formula = |isa, line: Line, sums: usize, tensor, first, outputs| {
        let lines = vec![Line::Channel(vec![1.0; 20]), line];
        let end = End::Quantised { scale: 1.0, zero: 0, low: -128, high: 127 };
        let formula = Formula { lines, channels: 20, end, folded: false };
        formula.run(isa, &mut Vec::new(), &[vec![0; sums]], &[&x[..tensor]], first, &mut vec![0; outputs]);
    };
    let table = || Line::Table(0, Box::new([0.0; 256]));
    formula(Isa::SCALAR, table(), 60, 80, 20, 60);
    refused("a short tensor", |isa| formula(isa, table(), 60, 79, 20, 60));
    refused("no such tensor", |isa| formula(isa, Line::Table(1, Box::new([0.0; 256])), 60, 80, 20, 60));
    refused("short sums", |isa| formula(isa, Line::Sums(0, vec![1.0; 20]), 59, 80, 20, 60));
    refused("half a pixel", |isa| formula(isa, table(), 60, 80, 20, 59));
    refused("a place that wraps around", |isa| formula(isa, table(), 60, 80, usize::MAX - 15, 60));
    refused("few constants", |isa| formula(isa, Line::Each(vec![1.0; 79]), 60, 80, 20, 60));
    refused("few channels", |isa| formula(isa, Line::Channel(vec![1.0; 19]), 60, 80, 20, 60));
    refused("a line to come", |isa| formula(isa, Line::Pair(Pair::Add, 0, 1), 60, 80, 20, 60));
}

#[test]
fn interpolation() {
    let x = bytes(400, 1);
    let run = |isa, at: [usize; 2], length, first, outputs| {
        let between = |at| vec![Between { neighbours: [0, at], share: 0.5 }; 3];
        let [rows, columns] = at.map(between);
        let given = Interpolate { size: [4, 5], channels: 20, rows, columns, zeros: [0; 2], multiplier: 1.0 };
        interpolate::run(isa, &given, &x[..length], first, &mut vec![0; outputs]);
    };
    run(Isa::SCALAR, [3, 4], 400, 1, 2 * 60);
    for (at, length, first, outputs) in [
        ([4, 4], 400, 1, 120),
        ([3, 5], 400, 1, 120),
        ([3, usize::MAX], 400, 1, 120),
        ([3, 4], 399, 1, 120),
        ([3, 4], 400, 2, 120),
        ([3, 4], 400, usize::MAX, 120),
        ([3, 4], 400, 1, 119),
    ] {
        refused("interpolation", |isa| run(isa, at, length, first, outputs));
    }
}

#[test]
fn interleaved_tables() {
    let (x, table) = (bytes(400, 1), Table::new(|q| q));
    let run = |isa, channels, strides: [usize; 2], length, outputs| {
        let [a, b] = strides.map(|stride| (&table, &x[..length], stride));
        table::interleave(isa, channels, a, b, &mut vec![0; outputs]);
    };
    for strides in [[20 + QUARTER, 20], [20, 20 + QUARTER], [usize::MAX, 20], [19, 20], [20, 19]] {
        refused("a stride", |isa| run(isa, 20, strides, 400, 5 * 40));
    }
    refused("a short input", |isa| run(isa, 20, [20, 20], 99, 5 * 40));
    refused("half a pixel", |isa| run(isa, 20, [20, 20], 400, 5 * 40 - 1));
    refused("channels that wrap around", |isa| run(isa, 2 * QUARTER + 1, [usize::MAX; 2], 400, 40));
}

#[test]
fn layouts() {
    let (x, unit) = (bytes(400, 1), (1.0, 0));
    for stride in [16 + QUARTER, usize::MAX, 15] {
        refused("a stride of planes", |isa| layout::planes(isa, 16, stride, &x, &mut [0; 5 * 16 * 4]));
        refused("a stride of values", |isa| {
            layout::dequantised(isa, 16, stride, unit, &x, &mut [0.0; 5 * 16 * 4])
        });
    }
    refused("a short input", |isa| layout::planes(isa, 16, 16, &x[..319], &mut [0; 320]));
    refused("a short input", |isa| layout::dequantised(isa, 16, 16, unit, &x[..319], &mut [0.0; 320]));
    refused("half a pixel", |isa| layout::planes(isa, 16, 16, &x, &mut [0; 319]));
    for plane in [2 * QUARTER + 16, usize::MAX, 200] {
        refused("a plane", |isa| layout::interleaved(isa, 3, plane, &x, &mut [0; 3 * 20]));
    }
    refused("half a pixel", |isa| layout::interleaved(isa, 3, 100, &x, &mut [0; 59]));
    refused("a short input", |isa| layout::values(isa, unit, &x[..9], &mut [0.0; 10]));
    refused("a short input", |isa| layout::quantised(isa, unit, &[0.0; 9], &mut [0; 10]));
}

#[test]
fn upsampling() {
    let x = bytes(4 * 4 * 20, 1);
    let run = |isa, size, x: &[i8], first, outputs| {
        let upsample = Upsample { size, channels: 20, zeros: [0, 0], multiplier: 0.1 };
        upsample::twice(isa, &upsample, x, first, &mut vec![0; outputs]);
    };
    refused("a size that wraps around", |isa| run(isa, [QUARTER, 4], &x, 0, 160));
    refused("a short picture", |isa| run(isa, [4, 4], &x[1..], 0, 160));
    refused("half a row", |isa| run(isa, [4, 4], &x, 0, 159));
    refused("rows beyond the last", |isa| run(isa, [4, 4], &x, 8, 160));
    refused("a first row that wraps around", |isa| run(isa, [4, 4], &x, usize::MAX, 160));
    let twice = |width, first, outputs| repeat::twice(width, 20, &x, first, &mut vec![0; outputs]);
    assert!(catch_unwind(|| twice(QUARTER, 0, 160)).is_err() && catch_unwind(|| twice(4, 8, 160)).is_err());
    assert!(
        catch_unwind(|| twice(4, usize::MAX, 160)).is_err() && catch_unwind(|| twice(4, 0, 159)).is_err()
    );
}

#[test]
fn floats_of_a_transformer() {
    let x = floats(400, 1);
    let columns = || Columns { scale: vec![1.0; 8], bias: vec![0.0; 8] };
    refused("a short product", |isa| {
        Product::new(isa, 10, columns(), |_, _| 1).run(
            &mut product::Scratch::default(),
            &x[..99],
            &mut [0.0; 80],
        );
    });
    refused("a product of other rows", |isa| {
        Product::new(isa, 10, columns(), |_, _| 1).run(
            &mut product::Scratch::default(),
            &x[..100],
            &mut [0.0; 88],
        );
    });
    refused("a product without inputs", |isa| drop(Product::new(isa, 0, columns(), |_, _| 1)));
    let tokens =
        |length: usize| Tokens { query: &x[..40], key: &x[..40], value: &x[..length], mask: &x[..4] };
    let attend = |isa, heads, width, length| {
        Attention { heads, width, scale: 1.0 }.run(
            isa,
            &mut attention::Scratch::default(),
            tokens(length),
            &mut [0.0; 40],
        );
    };
    refused("short values", |isa| attend(isa, 2, 5, 39));
    refused("heads that wrap around", |isa| attend(isa, QUARTER, 10, 40));
    let norm = LayerNorm { scale: vec![1.0; 4], bias: vec![0.0; 3], epsilon: 0.0 };
    refused("a short bias", |isa| norm.run(isa, &mut [0.0; 8]));
    refused("a pixel beyond the picture", |isa| blend::blend(isa, &[(40, 1.0)], &x, &mut [0.0; 10]));
    refused("a pixel that wraps around", |isa| blend::blend(isa, &[(QUARTER, 1.0)], &x, &mut [0.0; 4]));
    let total = |sizes: [usize; 3]| sum(&x, sizes, &mut [0.0; 4]);
    assert!(catch_unwind(|| total([4, 99, 1])).is_err() && catch_unwind(|| total([4, QUARTER, 1])).is_err());
    let lookup = Lookup { table: vec![1; 7].into(), scales: vec![1.0; 4], width: 2 };
    assert!(lookup.push(3, &mut Vec::new()).is_none());
}

#[test]
fn resizing() {
    let run = |isa, from, to: (usize, usize), stride, length| {
        let mut planes = [(); 3].map(|()| vec![0; length]);
        let out = planes.each_mut().map(|plane| &mut plane[..]);
        Resize::new(isa, from, to).run(|_, rows| rows.into_iter().for_each(|row| row.fill(1)), out, stride);
    };
    refused("no columns", |isa| run(isa, (0, 8), (4, 4), 4, 16));
    refused("too many rows", |isa| run(isa, (8, 8), (4, 1 << 25), 4, 16));
    refused("short planes", |isa| run(isa, (8, 8), (4, 4), 4, 15));
    refused("a stride that wraps around", |isa| run(isa, (8, 8), (4, 5), QUARTER, 16));
}

#[test]
fn colours() {
    let (x, matrix) = (unsigned(400, 1), Matrix::LIMITED);
    let run = |isa, row: Row<'_>, lengths: [usize; 3]| {
        let mut planes = lengths.map(|length| vec![0; length]);
        colour::planes(isa, row, planes.each_mut().map(|plane| &mut plane[..]));
    };
    refused("a short row", |isa| run(isa, Row::Rgb(&x[..299]), [100; 3]));
    refused("a short row", |isa| run(isa, Row::Bgr(&x[..299]), [100; 3]));
    refused("a short row", |isa| run(isa, Row::Grey(&x[..99]), [100; 3]));
    refused("a short luma", |isa| run(isa, Row::Yuv(Yuv::Nv12([&x[..99], &x]), &matrix), [100; 3]));
    refused("a short luma", |isa| run(isa, Row::Yuv(Yuv::Yu12([&x[..99], &x, &x]), &matrix), [100; 3]));
    for short in 0..3 {
        let mut lengths = [100; 3];
        lengths[short] = 64;
        // Nothing is written beyond a plane, whether or not that is noticed.
        for isa in Isa::available() {
            for row in [Row::Rgb(&x), Row::Grey(&x), Row::Yuv(Yuv::Yuyv(&x), &matrix)] {
                let _ = catch_unwind(AssertUnwindSafe(|| run(isa, row, lengths)));
            }
        }
    }
    refused("short planes", |isa| colour::interleaved(isa, 100, &x[..299], &mut [0; 300]));
    refused("planes that wrap around", |isa| colour::interleaved(isa, 2 * QUARTER + 9, &x, &mut [0; 300]));
}
