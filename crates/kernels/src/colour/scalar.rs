//! The specification.
#![forbid(unsafe_code)]

use super::{Matrix, Row, Yuv};

pub(super) fn planes(row: Row<'_>, out: [&mut [u8]; 3]) {
    match row {
        Row::Rgb(row) => spread(row, out),
        Row::Bgr(row) => {
            let [red, green, blue] = out;
            spread(row, [blue, green, red]);
        }
        Row::Grey(row) => out.into_iter().for_each(|plane| plane.copy_from_slice(&row[..plane.len()])),
        Row::Yuv(row, matrix) => match row {
            Yuv::Yuyv(row) => {
                pairs(matrix, row.as_chunks().0.iter().map(|&[a, u, b, v]| ([a, b], u, v)), out)
            }
            Yuv::Uyvy(row) => {
                pairs(matrix, row.as_chunks().0.iter().map(|&[u, a, v, b]| ([a, b], u, v)), out)
            }
            Yuv::Nv12([y, chroma]) => {
                let chroma = chroma.as_chunks().0;
                pairs(matrix, lumas(y, out[0].len()).zip(chroma).map(|(y, &[u, v])| (y, u, v)), out);
            }
            Yuv::Yu12([y, u, v]) => {
                let chroma = u.iter().zip(v);
                pairs(matrix, lumas(y, out[0].len()).zip(chroma).map(|(y, (u, v))| (y, *u, *v)), out);
            }
        },
    }
}

/// Three bytes per pixel to three planes.
fn spread(row: &[u8], [first, second, third]: [&mut [u8]; 3]) {
    let pixels = row[..3 * first.len()].as_chunks::<3>().0;
    for (((first, second), third), pixel) in first.iter_mut().zip(second).zip(third).zip(pixels) {
        [*first, *second, *third] = *pixel;
    }
}

/// Two Y values at a time; in a row of odd length the last one is repeated.
fn lumas(row: &[u8], width: usize) -> impl Iterator<Item = [u8; 2]> + '_ {
    row[..width].chunks(2).map(|pair| [pair[0], pair[pair.len() - 1]])
}

/// Writes pairs of pixels that share U and V; the last pair is cut off where the output ends.
fn pairs(
    matrix: &Matrix,
    pairs: impl Iterator<Item = ([u8; 2], u8, u8)>,
    [red, green, blue]: [&mut [u8]; 3],
) {
    let out = red.chunks_mut(2).zip(green.chunks_mut(2)).zip(blue.chunks_mut(2));
    for (((red, green), blue), (luma, u, v)) in out.zip(pairs) {
        for (((red, green), blue), y) in red.iter_mut().zip(green).zip(blue).zip(luma) {
            [*red, *green, *blue] = matrix.rgb(y, u, v);
        }
    }
}
