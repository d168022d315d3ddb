//! What EXIF says of colours: cameras that are set to Adobe RGB mark their files (DCF 2.0, section 5), most without
//! a profile.

use super::{Light, gamma_curve};

/// Adobe RGB (1998) as ICC profiles have it, to XYZ adapted to D50.
const ADOBE_TO_XYZ: super::Matrix =
    [[0.609_74, 0.205_28, 0.149_19], [0.311_11, 0.625_67, 0.063_22], [0.019_47, 0.060_87, 0.744_57]];
/// Its exponent, 2 and 51/256.
const GAMMA: f32 = 2.199_218_8;

/// Places of further directories.
const EXIF: u16 = 0x8769;
const INTEROPERABILITY: u16 = 0xa005;
const COLOUR_SPACE: u16 = 0xa001;
/// In the directory of interoperability.
const INDEX: u16 = 0x0001;
/// Values of the colour space: the standard has 1 and 65535, some cameras write 2.
const SRGB: u32 = 1;
const ADOBE: u32 = 2;

/// Adobe RGB, if EXIF data says so: by its colour space, or by the interoperability index `R03`.
pub(super) fn light(exif: &[u8]) -> Option<Light> {
    let file = Tiff::of(exif)?;
    let first = file.number(4, 4)?;
    let details = file.entry(first, EXIF).and_then(|entry| file.number(entry + 8, 4))?;
    let space = file.entry(details, COLOUR_SPACE).and_then(|entry| file.number(entry + 8, 2));
    let index = || {
        let place = file.entry(details, INTEROPERABILITY).and_then(|entry| file.number(entry + 8, 4))?;
        let entry = file.entry(place, INDEX)?;
        file.bytes.get(entry as usize + 8..)?.first_chunk::<3>()
    };
    let is_adobe = space == Some(ADOBE) || space != Some(SRGB) && index() == Some(b"R03");
    let curve = is_adobe.then(|| gamma_curve(GAMMA))?;
    Some(Light { curves: [curve.clone(), curve.clone(), curve], primaries: Some(ADOBE_TO_XYZ) })
}

/// Directories of entries of twelve bytes: tag, type, count, value.
struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl<'a> Tiff<'a> {
    fn of(exif: &'a [u8]) -> Option<Self> {
        let bytes = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        let little = match bytes.first_chunk()? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        Some(Self { bytes, little })
    }

    /// A number of 2 or 4 bytes.
    fn number(&self, at: u32, size: usize) -> Option<u32> {
        let bytes = self.bytes.get(at as usize..)?.get(..size)?;
        let join = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        Some(if self.little { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) })
    }

    /// Where the entry of `tag` lies in the directory at `place`.
    fn entry(&self, place: u32, tag: u16) -> Option<u32> {
        let count = self.number(place, 2)?;
        let entry = |index: u32| place.checked_add(2 + 12 * index);
        (0..count)
            .map_while(entry)
            .take_while(|at| (*at as usize) < self.bytes.len())
            .find(|at| self.number(*at, 2) == Some(u32::from(tag)))
    }
}
