//! The format of a file or pipe, by its first bytes.

use super::input::Input;
use super::{avi, picture, y4m};
use crate::error::Result;

/// Bytes needed to tell.
pub(super) const HEAD: usize = 16;
/// Bytes of a packet of an MPEG transport stream.
const PACKET: usize = 188;
/// First byte of each.
const SYNC: u8 = 0x47;
/// A mark that some programs put before text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How to convert what this program cannot decode.
pub(super) const FFMPEG: &str = "`ffmpeg -i FILE -f yuv4mpegpipe - | edgeclip run --source - …`";
/// The same for the output of a program.
pub(super) const FFMPEG_EXEC: &str = "`-f yuv4mpegpipe -` as the last arguments of ffmpeg";
/// The same for a pipe.
pub(super) const FFMPEG_PIPE: &str = "`… | ffmpeg -i - -f yuv4mpegpipe - | edgeclip run --source - …`";

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
    /// A picture that cannot be read.
    ForeignPicture,
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
        () if picture::is_foreign(head) => FileKind::ForeignPicture,
        () if at(4, b"ftyp") || at(4, b"moov") || at(4, b"mdat") => FileKind::Foreign("MP4 or QuickTime"),
        () if at(0, b"\x1a\x45\xdf\xa3") => FileKind::Foreign("Matroska or WebM"),
        () if at(0, b"OggS") => FileKind::Foreign("Ogg"),
        () if at(0, b"FLV\x01") => FileKind::Foreign("Flash video"),
        () if at(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") => FileKind::Foreign("Windows Media"),
        () if at(0, b"\0\0\x01\xba") => FileKind::Foreign("an MPEG program stream"),
        () if [0, 4].iter().any(|first| is_transport(head, *first)) => FileKind::Foreign("MPEG-TS"),
        () if at(0, b"\0\0\0\x01") || at(0, b"\0\0\x01") => FileKind::Foreign("H.264, H.265 or MPEG video"),
        () => FileKind::Unknown,
    }
}

/// Whether packets of a transport stream begin at `first`, where Blu-ray puts a time before each.
fn is_transport(head: &[u8], first: usize) -> bool {
    let distance = PACKET + first;
    let places = [first, first + distance];
    places.iter().all(|place| head.get(*place) == Some(&SYNC))
}

/// The format of `input`, without a byte order mark.
///
/// # Errors
/// Same as the input's.
pub(super) fn of_input(input: &mut Input) -> Result<FileKind> {
    if input.peek(HEAD)?.starts_with(BYTE_ORDER_MARK) {
        input.take(BYTE_ORDER_MARK.len());
    }
    let head = input.peek(HEAD)?;
    let kind = of(head);
    let maybe_transport = head.first() == Some(&SYNC) || head.get(4) == Some(&SYNC);
    if kind == FileKind::Unknown && maybe_transport {
        return Ok(of(input.peek(2 * (PACKET + 4))?));
    }
    Ok(kind)
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

    #[test]
    fn transport_streams_and_marks_before_text_are_recognised() {
        let mut packets = [vec![SYNC, 0x40, 0x11, 0x10], vec![0xff; PACKET - 4]].concat().repeat(3);
        let of_bytes = |bytes: Vec<u8>| {
            let mut input = Input::new("x", std::io::Cursor::new(bytes));
            (of_input(&mut input).unwrap(), input.peek(9).unwrap().to_vec())
        };
        assert_eq!(of_bytes(packets.clone()).0, FileKind::Foreign("MPEG-TS"));
        packets[PACKET] = 0;
        assert_eq!(of_bytes(packets).0, FileKind::Unknown);
        let timed = [vec![0, 0, 0, 7, SYNC], vec![0xff; PACKET - 1]].concat().repeat(3);
        assert_eq!(of_bytes(timed).0, FileKind::Foreign("MPEG-TS"));
        assert_eq!(of_bytes(b"G".to_vec()).0, FileKind::Unknown);
        let (kind, rest) = of_bytes(b"\xef\xbb\xbfYUV4MPEG2 W2 H2".to_vec());
        assert_eq!((kind, rest.as_slice()), (FileKind::Y4m, &b"YUV4MPEG2"[..]));
    }
}
