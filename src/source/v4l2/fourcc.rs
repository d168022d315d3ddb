//! Codes of pixel formats, and which of them are supported.

use std::fmt;
use std::str::FromStr;

use crate::frame::{PixelFormat, Range};

/// A supported V4L2 pixel format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FourCc(&'static [u8; 4]);

impl FourCc {
    /// All supported formats, the cheapest to read first: 4:2:0, 4:2:2, three bytes per pixel, compressed,
    /// and last those without colour.
    pub(crate) const ALL: [Self; 9] = [
        Self(b"NV12"),
        Self(b"YU12"),
        Self(b"YUYV"),
        Self(b"UYVY"),
        Self(b"RGB3"),
        Self(b"BGR3"),
        Self(b"MJPG"),
        Self(b"JPEG"),
        Self(b"GREY"),
    ];

    /// Its code.
    pub(super) fn code(self) -> [u8; 4] {
        *self.0
    }

    /// Layout of its pixels; `None` if compressed.
    pub(super) fn pixels(self, full_range: bool) -> Option<PixelFormat> {
        let range = if full_range { Range::Full } else { Range::Limited };
        match self.0 {
            b"NV12" => Some(PixelFormat::Nv12(range)),
            b"YU12" => Some(PixelFormat::Yu12(range)),
            b"YUYV" => Some(PixelFormat::Yuyv(range)),
            b"UYVY" => Some(PixelFormat::Uyvy(range)),
            b"RGB3" => Some(PixelFormat::Rgb8),
            b"BGR3" => Some(PixelFormat::Bgr8),
            b"GREY" => Some(PixelFormat::Grey8),
            _ => None,
        }
    }

    /// All names, for error messages.
    pub(super) fn names() -> String {
        list(&Self::ALL.map(Self::code))
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name(*self.0))
    }
}

impl FromStr for FourCc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        let known = Self::ALL.into_iter().find(|known| upper.as_bytes() == known.0);
        known.ok_or_else(|| format!("expected one of {}", Self::names()))
    }
}

/// A code as text; unprintable characters become `?`, trailing spaces are dropped.
pub(super) fn name(code: [u8; 4]) -> String {
    let readable = |byte: u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
    code.map(readable).iter().collect::<String>().trim_end().to_owned()
}

/// A readable list of codes, at most twelve.
pub(super) fn list(codes: &[[u8; 4]]) -> String {
    const MOST: usize = 12;
    let mut text = codes.iter().take(MOST).map(|code| name(*code)).collect::<Vec<_>>().join(", ");
    if codes.len() > MOST {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_any_case_and_printed_readably() {
        assert_eq!("yuyv".parse::<FourCc>().unwrap().to_string(), "YUYV");
        assert!("H264".parse::<FourCc>().unwrap_err().contains("MJPG"));
        assert_eq!(name(*b"Y16 "), "Y16");
        assert_eq!(name([b'B', 0, 0xff, b'8']), "B??8");
        assert!(list(&[*b"RG10"; 13]).ends_with("RG10, …"));
    }

    #[test]
    fn only_jpeg_is_compressed() {
        let compressed: Vec<_> = FourCc::ALL.into_iter().filter(|f| f.pixels(false).is_none()).collect();
        assert_eq!(compressed, [FourCc(b"MJPG"), FourCc(b"JPEG")]);
    }
}
