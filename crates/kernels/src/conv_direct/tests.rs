use super::{Direct, Isa, Scratch, Window};
use crate::requantise::Requantise;
use crate::table::Table;

fn bytes(count: usize, seed: u32) -> Vec<i8> {
    let hash = |i: usize| (i as u32 ^ seed.wrapping_mul(40_503)).wrapping_mul(2_654_435_761);
    (0..count).map(|i| ((hash(i) ^ (hash(i) >> 15)).wrapping_mul(2_246_822_519) >> 21) as i8).collect()
}

fn requantise(outputs: usize, table: bool) -> Requantise {
    Requantise {
        bias: (0..outputs).map(|o| o as i32 * 91 - 3000).collect(),
        multiplier: (0..outputs).map(|o| 0.0005 + (o % 5) as f32 * 0.0002).collect(),
        zero: 9,
        low: -100,
        high: 110,
        table: table.then(|| Box::new(Table::new(|q| 1 - q / 3))),
    }
}

fn same_as_scalar(window: Window, outputs: usize, x: &[i8], w: &[i8]) {
    let run = |isa| {
        let table = (outputs + window.output[1]).is_multiple_of(2);
        let conv = Direct::new(isa, window, -101, w, requantise(outputs, table));
        let mut output = vec![0; window.output[0] * window.output[1] * outputs];
        // In two parts, as two threads would.
        let first = window.output[0] / 2;
        let (top, bottom) = output.split_at_mut(first * window.output[1] * outputs);
        let mut scratch = Scratch::default();
        conv.run(&mut scratch, x, 0, top);
        conv.run(&mut scratch, x, first, bottom);
        output
    };
    let expected = run(Isa::SCALAR);
    for isa in Isa::available() {
        assert!(run(isa) == expected, "{isa:?} {window:?}, {outputs} outputs");
    }
}

#[test]
fn every_isa_gives_what_scalar_gives() {
    for (inputs, outputs) in [(1, 1), (3, 24), (3, 32), (5, 33), (16, 65), (33, 17)] {
        for (kernel, pad) in
            [([3, 3], [1, 1]), ([3, 3], [0, 0]), ([7, 7], [3, 3]), ([1, 1], [0, 0]), ([2, 5], [1, 4])]
        {
            for stride in [[1, 1], [2, 2], [1, 3]] {
                for (side, after) in [([1usize, 1], 1), ([9, 10], 0), ([9, 10], 1), ([12, 7], 3)] {
                    let output: [Option<usize>; 2] = [0, 1].map(|axis| {
                        let padded: usize = side[axis] + pad[axis] + after;
                        padded.checked_sub(kernel[axis]).map(|room| room / stride[axis] + 1)
                    });
                    let [Some(height), Some(width)] = output else { continue };
                    let window = Window {
                        input: side,
                        output: [height, width],
                        kernel,
                        stride,
                        pad,
                        dilation: [1; 2],
                    };
                    let x = bytes(side[0] * side[1] * inputs, 3);
                    let w = bytes(outputs * kernel[0] * kernel[1] * inputs, 5);
                    same_as_scalar(window, outputs, &x, &w);
                }
            }
        }
    }
}

#[test]
fn many_rows_are_done_in_chunks() {
    let window = Window {
        input: [40, 64],
        output: [40, 64],
        kernel: [3, 3],
        stride: [1, 1],
        pad: [1, 1],
        dilation: [1; 2],
    };
    same_as_scalar(window, 20, &bytes(40 * 64 * 48, 8), &bytes(20 * 9 * 48, 9));
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
    for (x, w) in [(-128, -128), (-128, 127), (127, -128), (127, 127)] {
        same_as_scalar(window, 70, &[x; 4 * 4 * 66], &[w; 70 * 9 * 66]);
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
    for isa in Isa::available() {
        let conv = Direct::new(isa, window, -1, &[1, 1, 1, 1, 2, 3, 1, 4, 5], requantise.clone());
        let mut output = [0];
        // Five taps fall on the padding of −1, then 2·1 + 3·2 + 4·3 + 5·4.
        conv.run(&mut Scratch::default(), &[1, 2, 3, 4], 0, &mut output);
        assert_eq!(output, [35], "{isa:?}");
    }
}
