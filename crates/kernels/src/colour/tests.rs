use super::{Isa, Matrix, Row, Yuv, interleaved, planes};

/// BT.601 in floating point, unrounded: red, green and blue from luma weights .299, .587, .114, given Y at
/// black and white and the range of U and V.
fn exact([black, white, chroma]: [f64; 3], y: u8, u: u8, v: u8) -> [f64; 3] {
    let y = (f64::from(y) - black) / white;
    let [u, v] = [u, v].map(|value| (f64::from(value) - 128.0) / chroma);
    let red = y + 2.0 * (1.0 - 0.299) * v;
    let blue = y + 2.0 * (1.0 - 0.114) * u;
    let green = (y - 0.299 * red - 0.114 * blue) / 0.587;
    [red, green, blue].map(|colour| (colour * 255.0).clamp(0.0, 255.0))
}

#[test]
fn the_integer_matrix_is_the_rounded_formula() {
    let ranges = [(&Matrix::LIMITED, [16.0, 219.0, 224.0]), (&Matrix::FULL, [0.0, 255.0, 255.0])];
    for (matrix, steps) in ranges {
        for y in 0..=255 {
            for u in (0..=255).step_by(3) {
                for v in (0..=255).step_by(5) {
                    for (found, exact) in matrix.rgb(y, u, v).into_iter().zip(exact(steps, y, u, v)) {
                        // Half a step is rounding, the rest comes from the 16-bit coefficients.
                        let error = (f64::from(found) - exact).abs();
                        assert!(error < 0.505, "{matrix:?} {y} {u} {v}: {found} {exact}");
                    }
                }
            }
        }
    }
}

fn run(isa: Isa, row: Row<'_>, width: usize) -> [Vec<u8>; 3] {
    let mut out = [0, 1, 2].map(|_| vec![0; width]);
    let [red, green, blue] = &mut out;
    planes(isa, row, [red, green, blue]);
    out
}

#[test]
fn every_isa_gives_what_scalar_gives() {
    let bytes: Vec<u8> = (0..600u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for width in (1..=100).chain([127, 128, 129, 159, 160, 161]) {
        let half = width / 2 + width % 2;
        for matrix in [&Matrix::LIMITED, &Matrix::FULL] {
            let rows = [
                Row::Rgb(&bytes[1..][..3 * width]),
                Row::Bgr(&bytes[..3 * width]),
                Row::Grey(&bytes[1..][..width]),
                Row::Yuv(Yuv::Yuyv(&bytes[1..][..4 * half]), matrix),
                Row::Yuv(Yuv::Uyvy(&bytes[..4 * half]), matrix),
                Row::Yuv(Yuv::Nv12([&bytes[1..][..width], &bytes[301..][..2 * half]]), matrix),
                Row::Yuv(Yuv::Yu12([&bytes[..width], &bytes[201..][..half], &bytes[402..][..half]]), matrix),
            ];
            for row in rows {
                let expected = run(Isa::SCALAR, row, width);
                for isa in Isa::available() {
                    assert!(run(isa, row, width) == expected, "{isa:?}, {width} pixels of {row:?}");
                }
            }
        }
    }
}

#[test]
fn every_colour_is_the_same_on_every_isa() {
    let lumas: Vec<u8> = (0..=255).collect();
    for matrix in [&Matrix::LIMITED, &Matrix::FULL] {
        for u in 0..=255 {
            for v in (0..=255).step_by(if cfg!(debug_assertions) { 15 } else { 1 }) {
                let row = Row::Yuv(Yuv::Yu12([&lumas, &[u; 128], &[v; 128]]), matrix);
                let expected = run(Isa::SCALAR, row, 256);
                for isa in Isa::available() {
                    assert!(run(isa, row, 256) == expected, "{isa:?} {matrix:?} U {u} V {v}");
                }
            }
        }
    }
}

#[test]
fn planes_become_pixels() {
    let bytes: Vec<u8> = (0..=255).collect();
    for width in [1, 2, 15, 16, 17, 33] {
        let expected: Vec<u8> = (0..width).flat_map(|i| [i, i + 50, i + 100]).map(|at| bytes[at]).collect();
        for isa in Isa::available() {
            let mut out = vec![0; 3 * width];
            interleaved(isa, 50, &bytes, &mut out);
            assert_eq!(out, expected, "{isa:?}, {width} pixels");
        }
    }
}
