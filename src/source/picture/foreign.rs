//! Pictures that cannot be decoded: what they are, and what makes them readable.

use super::EXPECTED;
use crate::error::Error;

/// Widest and highest WebP that the decoder can read; the format allows one pixel more.
const WIDEST_WEBP: u32 = 16_383;
/// Turns most formats into JPEG.
const MAGICK: &str = "`magick FILE FILE.jpg`";

/// Name, what converts it, and extensions of formats that people have among their pictures.
const FOREIGN: [(&str, &str, &[&str]); 7] = [
    ("HEIC", "`heif-convert FILE FILE.jpg`", &["heic", "heif", "hif"]),
    ("AVIF", "`avifdec FILE FILE.png`", &["avif"]),
    ("JPEG XL", "`djxl FILE FILE.jpg`", &["jxl"]),
    ("JPEG 2000", MAGICK, &["jp2", "j2k"]),
    ("TIFF", MAGICK, &["tif", "tiff"]),
    (
        "a camera's raw format",
        "`magick FILE FILE.jpg`, or the JPEG that the camera writes beside it",
        &["dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf"],
    ),
    ("SVG or PDF", MAGICK, &["svg", "pdf"]),
];

/// Name and converter of the format that files with this extension, in lower case, have.
pub(in crate::source) fn converter(extension: &str) -> Option<(&'static str, &'static str)> {
    let known = FOREIGN.iter().find(|(_, _, extensions)| extensions.contains(&extension));
    known.map(|(name, converter, _)| (*name, *converter))
}

/// The error for a file that begins with `head` and is no picture that can be decoded.
pub(super) fn refusal(name: &str, head: &[u8]) -> Error {
    let Some((format, converter)) = format(head) else {
        return Error::input(name, "no picture (The image format could not be determined)", EXPECTED);
    };
    Error::input(name, format!("{format}, which cannot be read"), format!("{EXPECTED}: {converter}"))
}

/// Whether a file with these first bytes is a picture that cannot be decoded.
pub(in crate::source) fn is_foreign(head: &[u8]) -> bool {
    format(head).is_some()
}

/// The format of a foreign picture, by its first bytes.
fn format(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    let brand = |brands: &[&[u8]]| at(4, b"ftyp") && brands.iter().any(|brand| at(8, brand));
    let extension = match () {
        () if brand(&[b"avif", b"avis"]) => "avif",
        () if brand(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) => "heic",
        () if brand(&[b"crx "]) => "cr3",
        () if at(0, b"\xff\x0a") || at(4, b"JXL ") => "jxl",
        () if at(4, b"jP  ") || at(0, b"\xff\x4f\xff\x51") => "jp2",
        () if at(0, b"II*\0") || at(0, b"MM\0*") => "tif",
        () if at(0, b"%PDF") || at(0, b"<svg") => "svg",
        () => return None,
    };
    converter(extension)
}

/// Whether a WebP file has a side of 16,384 pixels, which the decoder takes for another size.
pub(super) fn is_widest_webp(file: &[u8]) -> bool {
    let word = |at: usize| file.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    match file.get(12..16) {
        Some(b"VP8L") => {
            word(21).is_some_and(|bits| [bits, bits >> 14].iter().any(|side| side & 0x3fff == WIDEST_WEBP))
        }
        Some(b"VP8X") => {
            [24, 27].iter().any(|at| word(*at).is_some_and(|side| side & 0xff_ffff == WIDEST_WEBP))
        }
        _ => false,
    }
}

/// The error for such a file.
pub(super) fn widest_webp(name: &str) -> Error {
    let expected = format!("at most {WIDEST_WEBP} pixels a side: `dwebp FILE -o FILE.png`");
    Error::input(name, "a WebP picture with a side of 16384 pixels", expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_phones_and_cameras_write_is_named_with_its_converter() {
        for (head, part) in [
            (&b"\0\0\0\x18ftypheic\0\0\0\0"[..], "found HEIC, which cannot be read, expected a JPEG"),
            (b"\0\0\0\x1cftypmif1", "`heif-convert FILE FILE.jpg`"),
            (b"\0\0\0\x1cftypavif", "AVIF"),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "`djxl"),
            (b"II*\0\x08\0\0\0", "TIFF"),
        ] {
            let line = refusal("x.jpg", head).to_string();
            assert!(line.contains(part), "{line}");
        }
        assert!(refusal("x", b"hello").to_string().contains("no picture"));
        assert_eq!(converter("heic").unwrap().0, "HEIC");
        assert_eq!(converter("jpg"), None);
    }

    #[test]
    fn the_widest_webp_is_recognised() {
        let mut file = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f".to_vec();
        file.extend(0x3fffu32.to_le_bytes());
        assert!(is_widest_webp(&file));
        file.splice(21.., (100u32 | 0x3ffe << 14).to_le_bytes());
        assert!(!is_widest_webp(&file));
        assert!(widest_webp("x.webp").to_string().contains("dwebp"));
    }
}
