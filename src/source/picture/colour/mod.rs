//! Colours that are not sRGB, converted: RGB profiles of primaries and curves, grey ones, and Adobe RGB that EXIF
//! alone tells of. Tables of colours, such as those of printers, are left alone.

mod exif;
mod icc;
mod png;

use image::ImageDecoder;

use crate::source::jpeg;
use crate::source::kind::FileKind;

/// Longest profile in bytes.
const LONGEST: usize = 4 << 20;
/// Most steps by which a profile may differ from sRGB and still count as sRGB.
const SAME: u8 = 2;
/// Steps of the table from linear light to sRGB.
const STEPS: usize = 8192;

/// From linear sRGB (columns) to XYZ, adapted to D50; ICC's sRGB profile.
const SRGB_TO_XYZ: Matrix = [
    [0.436_065_7, 0.385_147_1, 0.143_066_4],
    [0.222_488_4, 0.716_873_2, 0.060_607_9],
    [0.013_916, 0.097_076_4, 0.714_096],
];

/// Rows of three.
type Matrix = [[f32; 3]; 3];

/// Colours as light: a curve for each channel, and where red, green and blue lie.
#[derive(Debug, Clone, PartialEq)]
struct Light {
    /// Linear light, 0 to 1, of each value.
    curves: [Vec<f32>; 3],
    /// To XYZ at D50; `None` for grey.
    primaries: Option<Matrix>,
}

/// A conversion to sRGB.
#[derive(Debug)]
pub(in crate::source) struct Profile {
    curves: [Vec<f32>; 3],
    /// From linear light to linear sRGB.
    matrix: Matrix,
    /// sRGB of linear light in equal steps.
    encoded: Vec<u8>,
}

/// How to convert the colours of a picture; `None` if they are sRGB, or nothing is known about them.
pub(in crate::source) fn profile(
    decoder: &mut dyn ImageDecoder,
    kind: FileKind,
    file: &[u8],
) -> Option<Profile> {
    let mut icc = || match kind {
        FileKind::Jpeg => jpeg::profile(file),
        FileKind::WebP => webp(file).then(|| decoder.icc_profile().ok().flatten()).flatten(),
        FileKind::Png => decoder.icc_profile().ok().flatten(),
        _ => None,
    };
    let light = match kind {
        FileKind::Png => png::light(file, icc),
        _ => match icc() {
            Some(profile) => (profile.len() <= LONGEST).then(|| icc::light(&profile)).flatten(),
            None => decoder.exif_metadata().ok().flatten().and_then(|exif| exif::light(&exif)),
        },
    };
    Profile::of(light?)
}

/// Whether a WebP file says that it has a profile.
fn webp(file: &[u8]) -> bool {
    file.get(12..16) == Some(b"VP8X") && file.get(20).is_some_and(|flags| flags & 0x20 != 0)
}

impl Profile {
    /// `None` if the colours are sRGB within [`SAME`].
    fn of(light: Light) -> Option<Self> {
        let matrix = match light.primaries {
            Some(primaries) => product(inverse(SRGB_TO_XYZ)?, primaries),
            None => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        };
        let encoded = (0..=STEPS).map(|step| encode(step as f32 / STEPS as f32)).collect();
        let profile = Self { curves: light.curves, matrix, encoded };
        let grid = || (0..=255u8).step_by(15);
        let mut colours = grid().flat_map(|r| grid().flat_map(move |g| grid().map(move |b| [r, g, b])));
        let differs = colours.any(|colour| {
            profile.convert(colour).iter().zip(colour).any(|(new, old)| new.abs_diff(old) > SAME)
        });
        differs.then_some(profile)
    }

    /// The same colour in sRGB; the nearest if it lies outside.
    pub(in crate::source) fn convert(&self, rgb: [u8; 3]) -> [u8; 3] {
        let mut linear = [0.0; 3];
        for ((linear, curve), value) in linear.iter_mut().zip(&self.curves).zip(rgb) {
            *linear = curve.get(usize::from(value)).copied().unwrap_or_default();
        }
        let [r, g, b] = linear;
        self.matrix.map(|[x, y, z]| {
            let value = x * r + y * g + z * b;
            let step = (value.clamp(0.0, 1.0) * STEPS as f32 + 0.5) as usize;
            self.encoded.get(step).copied().unwrap_or(255)
        })
    }
}

/// sRGB's own curve.
fn encode(linear: f32) -> u8 {
    let value = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0 + 0.5) as u8
}

/// sRGB's curve as a table.
fn srgb_curve() -> Vec<f32> {
    let curve =
        |value: f32| if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
    (0..=255u8).map(|value| curve(f32::from(value) / 255.0)).collect()
}

fn gamma_curve(gamma: f32) -> Vec<f32> {
    (0..=255u8).map(|value| (f32::from(value) / 255.0).powf(gamma)).collect()
}

fn product(a: Matrix, b: Matrix) -> Matrix {
    let [x, y, z] = b;
    a.map(|[p, q, r]| {
        let mut row = [0.0; 3];
        for (out, ((x, y), z)) in row.iter_mut().zip(x.iter().zip(y).zip(z)) {
            *out = p * x + q * y + r * z;
        }
        row
    })
}

/// `None` where there is none.
fn inverse([[a, b, c], [d, e, f], [g, h, i]]: Matrix) -> Option<Matrix> {
    let cofactors = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ];
    let determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0];
    (determinant.abs() > 1e-9).then(|| cofactors.map(|row| row.map(|value| value / determinant)))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
