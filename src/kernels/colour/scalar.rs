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
            Yuv::Yuyv(row) => pairs(matrix, row.chunks(4).map(|p| ([p[0], p[2]], p[1], p[3])), out),
            Yuv::Uyvy(row) => pairs(matrix, row.chunks(4).map(|p| ([p[1], p[3]], p[0], p[2])), out),
            Yuv::Nv12([y, chroma]) => {
                let chroma = chroma.chunks(2);
                pairs(matrix, lumas(y, out[0].len()).zip(chroma).map(|(y, c)| (y, c[0], c[1])), out);
            }
            Yuv::Yu12([y, u, v]) => {
                let chroma = u.iter().zip(v);
                pairs(matrix, lumas(y, out[0].len()).zip(chroma).map(|(y, (u, v))| (y, *u, *v)), out);
            }
        },
    }
}

/// Three bytes a pixel to three planes.
fn spread(row: &[u8], out: [&mut [u8]; 3]) {
    for (channel, plane) in out.into_iter().enumerate() {
        for (to, pixel) in plane.iter_mut().zip(row.chunks(3)) {
            *to = pixel[channel];
        }
    }
}

/// Two Y at a time; the last is repeated where a row has an odd number.
fn lumas(row: &[u8], width: usize) -> impl Iterator<Item = [u8; 2]> + '_ {
    row[..width].chunks(2).map(|pair| [pair[0], pair[pair.len() - 1]])
}

/// Writes pairs of pixels that share U and V; of the last pair only as many as there is room for.
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
