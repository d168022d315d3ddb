//! The format of a file or pipe, by its first bytes.

use super::{avi, y4m};

/// Bytes needed to tell.
pub(super) const HEAD: usize = 16;
/// How to convert what this program cannot decode.
pub(super) const FFMPEG: &str = "`ffmpeg -i FILE -f yuv4mpegpipe - | edgeclip run --source - …`";

/// Formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Y4m,
    Avi,
    /// One JPEG file, or the first of many.
    Jpeg,
    Gif,
    Png,
    WebP,
    Bmp,
    /// A known format that cannot be read.
    Foreign(&'static str),
    Unknown,
}

/// The format that begins with these bytes.
pub(super) fn of(head: &[u8]) -> FileKind {
    let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    match () {
        () if at(0, y4m::MAGIC) => FileKind::Y4m,
        () if avi::is_avi(head) => FileKind::Avi,
        () if at(0, b"\xff\xd8") => FileKind::Jpeg,
        () if at(0, b"GIF8") => FileKind::Gif,
        () if at(0, b"\x89PNG\r\n\x1a\n") => FileKind::Png,
        () if at(0, b"RIFF") && at(8, b"WEBP") => FileKind::WebP,
        () if at(0, b"BM") => FileKind::Bmp,
        () if at(4, b"ftyp") || at(4, b"moov") || at(4, b"mdat") => FileKind::Foreign("MP4 or QuickTime"),
        () if at(0, b"\x1a\x45\xdf\xa3") => FileKind::Foreign("Matroska or WebM"),
        () if at(0, b"OggS") => FileKind::Foreign("Ogg"),
        () if at(0, b"FLV\x01") => FileKind::Foreign("Flash video"),
        () if at(0, b"\0\0\0\x01") || at(0, b"\0\0\x01") => FileKind::Foreign("H.264, H.265 or MPEG video"),
        () => FileKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell() {
        let known: [(&[u8], FileKind); 10] = [
            (b"YUV4MPEG2 W2", FileKind::Y4m),
            (b"RIFF\x10\0\0\0AVI LIST", FileKind::Avi),
            (b"RIFF\x10\0\0\0WEBPVP8X", FileKind::WebP),
            (b"\xff\xd8\xff\xe0", FileKind::Jpeg),
            (b"GIF89a", FileKind::Gif),
            (b"\x89PNG\r\n\x1a\n\0", FileKind::Png),
            (b"\0\0\0\x20ftypisom", FileKind::Foreign("MP4 or QuickTime")),
            (b"\0\0\0\x01\x67", FileKind::Foreign("H.264, H.265 or MPEG video")),
            (b"RIFF\x10\0\0\0WAVE", FileKind::Unknown),
            (b"", FileKind::Unknown),
        ];
        for (head, kind) in known {
            assert_eq!(of(head), kind);
        }
    }
}
