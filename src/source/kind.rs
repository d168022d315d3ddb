//! What a file or pipe holds, by its first bytes.

use super::{avi, y4m};

/// So many bytes tell.
pub(super) const HEAD: usize = 16;
/// The way in for what this program cannot decode.
pub(super) const FFMPEG: &str = "`ffmpeg -i FILE -f yuv4mpegpipe - | edgeclip run --source - …`";

/// Kinds of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Y4m,
    Avi,
    /// One JPEG, or the first of many.
    Jpeg,
    Gif,
    Png,
    WebP,
    Bmp,
    /// Something that has a name but cannot be read.
    Foreign(&'static str),
    Unknown,
}

/// What begins with these bytes.
pub(super) fn of(head: &[u8]) -> Kind {
    let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    match () {
        () if at(0, y4m::MAGIC) => Kind::Y4m,
        () if avi::is_avi(head) => Kind::Avi,
        () if at(0, b"\xff\xd8") => Kind::Jpeg,
        () if at(0, b"GIF8") => Kind::Gif,
        () if at(0, b"\x89PNG\r\n\x1a\n") => Kind::Png,
        () if at(0, b"RIFF") && at(8, b"WEBP") => Kind::WebP,
        () if at(0, b"BM") => Kind::Bmp,
        () if at(4, b"ftyp") || at(4, b"moov") || at(4, b"mdat") => Kind::Foreign("MP4 or QuickTime"),
        () if at(0, b"\x1a\x45\xdf\xa3") => Kind::Foreign("Matroska or WebM"),
        () if at(0, b"OggS") => Kind::Foreign("Ogg"),
        () if at(0, b"FLV\x01") => Kind::Foreign("Flash video"),
        () if at(0, b"\0\0\0\x01") || at(0, b"\0\0\x01") => Kind::Foreign("H.264, H.265 or MPEG video"),
        () => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell() {
        let known: [(&[u8], Kind); 10] = [
            (b"YUV4MPEG2 W2", Kind::Y4m),
            (b"RIFF\x10\0\0\0AVI LIST", Kind::Avi),
            (b"RIFF\x10\0\0\0WEBPVP8X", Kind::WebP),
            (b"\xff\xd8\xff\xe0", Kind::Jpeg),
            (b"GIF89a", Kind::Gif),
            (b"\x89PNG\r\n\x1a\n\0", Kind::Png),
            (b"\0\0\0\x20ftypisom", Kind::Foreign("MP4 or QuickTime")),
            (b"\0\0\0\x01\x67", Kind::Foreign("H.264, H.265 or MPEG video")),
            (b"RIFF\x10\0\0\0WAVE", Kind::Unknown),
            (b"", Kind::Unknown),
        ];
        for (head, kind) in known {
            assert_eq!(of(head), kind);
        }
    }
}
