use super::{Isa, Pointwise, Scratch};
use crate::requantise::Requantise;
use crate::table::Table;

fn bytes(count: usize, seed: u64) -> Vec<i8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i8
    };
    (0..count).map(next).collect()
}

fn requantise(inputs: usize, outputs: usize, table: bool) -> Requantise {
    let scale = 1.0 / (40.0 * (inputs as f32).sqrt());
    Requantise {
        bias: (0..outputs).map(|o| o as i32 * 37 - 500).collect(),
        multiplier: (0..outputs).map(|o| scale * (1.0 + (o % 7) as f32 / 3.0) / 30.0).collect(),
        zero: -11,
        low: -120,
        high: 127,
        table: table.then(|| Box::new(Table::new(|q| q / 2 - 3))),
    }
}

fn run(isa: Isa, inputs: usize, outputs: usize, x: &[i8], stride: usize, w: &[i8], pixels: usize) -> Vec<i8> {
    let table = (inputs + outputs + pixels).is_multiple_of(2);
    let conv = Pointwise::new(isa, inputs, outputs, w, requantise(inputs, outputs, table));
    let mut output = vec![0; pixels * outputs];
    conv.run(&mut Scratch::default(), x, stride, &mut output);
    output
}

#[test]
fn every_isa_gives_what_scalar_gives() {
    for isa in Isa::available() {
        for inputs in [1, 2, 3, 4, 5, 27, 31, 58, 63, 64, 65, 130] {
            for outputs in [1, 2, 15, 16, 17, 24, 33, 58, 64, 65, 96, 116, 130] {
                for pixels in [1, 5, 6, 7, 12, 25] {
                    let stride = inputs + pixels % 3;
                    let seed = (inputs * 1000 + outputs * 7 + pixels) as u64;
                    let x = bytes((pixels - 1) * stride + inputs, seed);
                    let w = bytes(inputs * outputs, seed + 1);
                    let expected = run(Isa::SCALAR, inputs, outputs, &x, stride, &w, pixels);
                    let found = run(isa, inputs, outputs, &x, stride, &w, pixels);
                    assert!(found == expected, "{isa:?} {inputs} → {outputs}, {pixels} pixels");
                }
            }
        }
    }
}

#[test]
fn tiles_leave_no_pixel_and_no_output_out() {
    for inputs in [8, 16, 20, 24, 48, 49] {
        for outputs in [3, 4, 8, 12, 16, 20, 40] {
            // Without −128: two of its products do not fit i16.
            let w: Vec<i8> = bytes(inputs * outputs, 7).into_iter().map(|w| w.max(-127)).collect();
            for pixels in 1..28 {
                let x = bytes(inputs * pixels, pixels as u64);
                let expected = run(Isa::SCALAR, inputs, outputs, &x, inputs, &w, pixels);
                for isa in Isa::available() {
                    let found = run(isa, inputs, outputs, &x, inputs, &w, pixels);
                    assert!(found == expected, "{isa:?} {inputs} → {outputs}, {pixels} pixels");
                }
            }
        }
    }
}

#[test]
fn many_pixels_are_done_in_chunks() {
    let (inputs, outputs, pixels) = (59, 18, 1500);
    let (x, w) = (bytes(inputs * pixels, 5), bytes(inputs * outputs, 6));
    let expected = run(Isa::SCALAR, inputs, outputs, &x, inputs, &w, pixels);
    for isa in Isa::available() {
        assert!(run(isa, inputs, outputs, &x, inputs, &w, pixels) == expected, "{isa:?}");
    }
}

#[test]
fn runs_of_the_extremes_do_not_saturate() {
    let (inputs, outputs, pixels) = (960, 20, 13);
    for (x, w) in [(-128, -128), (-128, -127), (-128, 127), (127, -128), (127, 127)] {
        let (x, w) = (vec![x; inputs * pixels], vec![w; inputs * outputs]);
        let expected = run(Isa::SCALAR, inputs, outputs, &x, inputs, &w, pixels);
        for isa in Isa::available() {
            assert!(run(isa, inputs, outputs, &x, inputs, &w, pixels) == expected, "{isa:?}");
        }
    }
}

#[test]
fn one_sum_by_hand() {
    let requantise =
        Requantise { bias: vec![7], multiplier: vec![0.25], zero: 1, low: -128, high: 127, table: None };
    let conv = Pointwise::new(Isa::SCALAR, 2, 1, &[3, -2], requantise);
    let mut output = [0; 2];
    // 3·5 − 2·4 + 7 = 14, 3.5 rounds to 4; 3·1 − 2·0 + 7 = 10, 2.5 rounds to 2.
    conv.run(&mut Scratch::default(), &[5, 4, 1, 0], 2, &mut output);
    assert_eq!(output, [5, 3]);
}
