//! ICC profiles of primaries and curves (ICC.1, section 8.3), and of grey.

use super::{Light, Matrix, gamma_curve};

/// Bytes of the header.
const HEAD: usize = 128;
/// Most tags that are read.
const MOST_TAGS: usize = 200;

/// What an RGB or grey profile says; `None` for others, and for broken ones.
pub(super) fn light(profile: &[u8]) -> Option<Light> {
    if profile.get(36..40)? != b"acsp" {
        return None;
    }
    let tag = |name: &[u8; 4]| tag(profile, name);
    match profile.get(16..20)? {
        // A table of colours takes precedence over primaries.
        b"RGB " if tag(b"A2B0").is_none() => {
            let columns = [xyz(tag(b"rXYZ")?)?, xyz(tag(b"gXYZ")?)?, xyz(tag(b"bXYZ")?)?];
            let curves = [curve(tag(b"rTRC")?)?, curve(tag(b"gTRC")?)?, curve(tag(b"bTRC")?)?];
            Some(Light { curves, primaries: Some(transposed(columns)) })
        }
        b"GRAY" => {
            let curve = curve(tag(b"kTRC")?)?;
            Some(Light { curves: [curve.clone(), curve.clone(), curve], primaries: None })
        }
        _ => None,
    }
}

fn tag<'a>(profile: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let count = word(profile, HEAD)?.min(MOST_TAGS as u32) as usize;
    let entries = profile.get(HEAD + 4..)?.chunks_exact(12).take(count);
    let entry = entries.into_iter().find(|entry| entry.starts_with(name))?;
    let (start, length) = (word(entry, 4)? as usize, word(entry, 8)? as usize);
    profile.get(start..)?.get(..length)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

/// A number of 16 bits and 16 binary places.
fn fixed(bytes: &[u8], at: usize) -> Option<f32> {
    Some(word(bytes, at)?.cast_signed() as f32 / 65_536.0)
}

fn xyz(tag: &[u8]) -> Option<[f32; 3]> {
    tag.starts_with(b"XYZ ").then_some(())?;
    Some([fixed(tag, 8)?, fixed(tag, 12)?, fixed(tag, 16)?])
}

fn transposed([[a, b, c], [d, e, f], [g, h, i]]: Matrix) -> Matrix {
    [[a, d, g], [b, e, h], [c, f, i]]
}

/// A curve as a table of 256 values.
fn curve(tag: &[u8]) -> Option<Vec<f32>> {
    match tag.get(..4)? {
        b"curv" => match word(tag, 8)? as usize {
            0 => Some(gamma_curve(1.0)),
            1 => Some(gamma_curve(f32::from(half(tag, 12)?) / 256.0)),
            count => {
                let points = tag.get(12..)?.get(..count.checked_mul(2)?)?;
                let point = |at: usize| half(points, 2 * at).map(|value| f32::from(value) / 65_535.0);
                let between = |value: u8| {
                    let place = f32::from(value) / 255.0 * (count - 1) as f32;
                    let (first, part) = (place as usize, place.fract());
                    let second = (first + 1).min(count - 1);
                    Some(point(first)? * (1.0 - part) + point(second)? * part)
                };
                (0..=255).map(between).collect()
            }
        },
        b"para" => {
            let kind = half(tag, 8)?;
            let count = [1, 3, 4, 5, 7].get(usize::from(kind)).copied()?;
            let given: Vec<f32> = (0..count).map(|at| fixed(tag, 12 + 4 * at)).collect::<Option<_>>()?;
            let at = |index: usize| given.get(index).copied().unwrap_or_default();
            let (gamma, a, b, c, d) = (at(0), at(1), at(2), at(3), at(4));
            // Above the threshold, and below it.
            let curve = |x: f32| match kind {
                0 => x.powf(gamma),
                1 if x >= -b / a => (a * x + b).powf(gamma),
                1 => 0.0,
                2 if x >= -b / a => (a * x + b).powf(gamma) + c,
                2 => c,
                3 if x >= d => (a * x + b).powf(gamma),
                3 => c * x,
                _ if x >= d => (a * x + b).powf(gamma) + at(5),
                _ => c * x + at(6),
            };
            let table = (0..=255u8).map(|value| curve(f32::from(value) / 255.0));
            table.map(|value| value.is_finite().then(|| value.clamp(0.0, 1.0))).collect()
        }
        _ => None,
    }
}
