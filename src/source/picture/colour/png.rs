//! What a PNG file says about its colours: code points, a profile, or gamma and primaries, in this order.

use super::{LONGEST, Light, Matrix, gamma_curve, icc, inverse, product, srgb_curve};

/// sRGB's gamma in the units of `gAMA`; values within a twentieth are meant as sRGB.
const SRGB_GAMMA: u32 = 45_455;
/// White of ICC's connection space.
const D50: [f32; 3] = [0.9642, 1.0, 0.8249];
/// From XYZ to the eye's cones (Bradford).
const CONES: Matrix = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]];
/// White, red, green and blue of BT.2020 and Display P3 as x and y.
const BT2020: [[f32; 2]; 4] = [[0.3127, 0.329], [0.708, 0.292], [0.17, 0.797], [0.131, 0.046]];
const P3: [[f32; 2]; 4] = [[0.3127, 0.329], [0.68, 0.32], [0.265, 0.69], [0.15, 0.06]];
const SRGB: [[f32; 2]; 4] = [[0.3127, 0.329], [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]];

/// The colours of a PNG file, whose profile is `icc`.
pub(super) fn light(file: &[u8], icc: impl FnOnce() -> Option<Vec<u8>>) -> Option<Light> {
    let chunk = |name: &[u8; 4]| chunk(file, name);
    if let Some(&[primaries, transfer, ..]) = chunk(b"cICP") {
        return code_points(primaries, transfer);
    }
    if chunk(b"iCCP").is_some() {
        return icc().filter(|profile| profile.len() <= LONGEST).and_then(|profile| icc::light(&profile));
    }
    if chunk(b"sRGB").is_some() {
        return None;
    }
    let number = |chunk: &[u8], at: usize| {
        chunk.get(4 * at..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_be_bytes(*bytes))
    };
    let gamma = chunk(b"gAMA").and_then(|chunk| number(chunk, 0)).unwrap_or(SRGB_GAMMA);
    let points = chunk(b"cHRM").and_then(|chunk| {
        let at = |index| number(chunk, index).map(|value| value as f32 / 100_000.0);
        Some([[at(0)?, at(1)?], [at(2)?, at(3)?], [at(4)?, at(5)?], [at(6)?, at(7)?]])
    });
    let curve = match gamma {
        0 => return None,
        gamma if gamma.abs_diff(SRGB_GAMMA) <= SRGB_GAMMA / 20 => srgb_curve(),
        gamma => gamma_curve(100_000.0 / gamma as f32),
    };
    Some(Light {
        curves: [curve.clone(), curve.clone(), curve],
        primaries: Some(to_xyz(points.unwrap_or(SRGB))?),
    })
}

/// The contents of the first chunk of this name before the pixels.
fn chunk<'a>(file: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = file.get(8..)?;
    loop {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (code, contents) = behind.split_first_chunk::<4>()?;
        if code == name {
            return contents.get(..length);
        }
        if code == b"IDAT" {
            return None;
        }
        // The checksum.
        rest = contents.get(length.checked_add(4)?..)?;
    }
}

/// Colours by the numbers of ITU-T H.273; `None` for those of high dynamic range.
fn code_points(primaries: u8, transfer: u8) -> Option<Light> {
    let points = match primaries {
        1 => SRGB,
        9 => BT2020,
        12 => P3,
        _ => return None,
    };
    let curve = match transfer {
        1 | 6 | 13 | 14 | 15 => srgb_curve(),
        4 => gamma_curve(2.2),
        8 => gamma_curve(1.0),
        _ => return None,
    };
    Some(Light { curves: [curve.clone(), curve.clone(), curve], primaries: Some(to_xyz(points)?) })
}

/// From linear light to XYZ at D50.
fn to_xyz([white, red, green, blue]: [[f32; 2]; 4]) -> Option<Matrix> {
    let xyz = |[x, y]: [f32; 2]| (y > 0.0).then(|| [x / y, 1.0, (1.0 - x - y) / y]);
    let [white, red, green, blue] = [xyz(white)?, xyz(red)?, xyz(green)?, xyz(blue)?];
    let columns = |[a, b, c]: [[f32; 3]; 3]| [[a[0], b[0], c[0]], [a[1], b[1], c[1]], [a[2], b[2], c[2]]];
    let primaries = columns([red, green, blue]);
    // So that equal parts are white.
    let parts = apply(inverse(primaries)?, white);
    let scaled = primaries.map(|[a, b, c]| [a * parts[0], b * parts[1], c * parts[2]]);
    // Adapted to D50 by the cones' answers to both whites.
    let (from, to) = (apply(CONES, white), apply(CONES, D50));
    let adapted = [[to[0] / from[0], 0.0, 0.0], [0.0, to[1] / from[1], 0.0], [0.0, 0.0, to[2] / from[2]]];
    let matrix = product(product(product(inverse(CONES)?, adapted), CONES), scaled);
    matrix.iter().flatten().all(|value| value.is_finite()).then_some(matrix)
}

fn apply(matrix: Matrix, [x, y, z]: [f32; 3]) -> [f32; 3] {
    matrix.map(|[a, b, c]| a * x + b * y + c * z)
}
