//! Raw frames without headers.

use super::container::{Container, Cutout, Piece, bytes};
use super::input::Input;
use super::limits;
use super::live::Encoding;
use crate::error::{Error, Result};
use crate::frame::{PixelFormat, Range};

/// Names of layouts in V4L2 and FFmpeg, in upper case.
const FORMATS: [(&[&str], PixelFormat); 7] = [
    (&["RGB24", "RGB3"], PixelFormat::Rgb8),
    (&["BGR24", "BGR3"], PixelFormat::Bgr8),
    (&["GREY", "GRAY", "GRAY8"], PixelFormat::Grey8),
    (&["YUYV", "YUYV422", "YUY2"], PixelFormat::Yuyv(Range::Limited)),
    (&["UYVY", "UYVY422"], PixelFormat::Uyvy(Range::Limited)),
    (&["NV12"], PixelFormat::Nv12(Range::Limited)),
    (&["YU12", "I420", "YUV420P"], PixelFormat::Yu12(Range::Limited)),
];

/// Layout of raw frames in a file or pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raw {
    /// Layout of the pixels.
    pub format: PixelFormat,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Bytes from one row to the next, in every plane; `None` for rows without padding.
    pub stride: Option<usize>,
}

/// The layout with this name in V4L2, FFmpeg or GStreamer, in upper or lower case: `RGB24`, `BGR24`, `GREY`,
/// `YUYV`, `UYVY`, `NV12`, `YU12` and others.
///
/// # Errors
/// The known names.
pub(crate) fn pixel_format(name: &str) -> std::result::Result<PixelFormat, String> {
    let upper = name.to_ascii_uppercase();
    let known = FORMATS.into_iter().find(|(names, _)| names.contains(&upper.as_str()));
    let names = || FORMATS.map(|(names, _)| names.join(" or ")).join(", ");
    known.map(|(_, format)| format).ok_or_else(|| format!("expected one of {}", names()))
}

/// Consecutive frames of one size.
pub(super) struct RawFrames {
    input: Input,
    encoding: Encoding,
    /// Bytes per frame.
    length: usize,
    /// Whether the first buffered frame has been returned and is to be consumed.
    given: bool,
}

impl RawFrames {
    /// # Errors
    /// [`Error::Settings`] if no frame can have this layout.
    pub(crate) fn new(input: Input, raw: &Raw) -> Result<Self> {
        let (width, height) = raw.size;
        let refused = |found: String, expected: String| Error::settings(&input.name, found, expected);
        let limits = limits::current().for_frames();
        limits.check(raw.size, 0).map_err(|(found, expected)| refused(found, expected))?;
        let (columns, rows) = (width as usize, height as usize);
        let planar = matches!(raw.format, PixelFormat::Nv12(_) | PixelFormat::Yu12(_));
        if planar && raw.stride.is_none() && columns % 2 == 1 {
            let expected = "an even width, or a stride";
            return Err(refused(format!("rows of {width} pixels of {:?}", raw.format), expected.to_owned()));
        }
        let row = raw.format.row_bytes(columns).unwrap_or(usize::MAX);
        let least = if planar { row.next_multiple_of(2) } else { row };
        let most = least.saturating_mul(4).max(65_536);
        let stride = raw.stride.unwrap_or(row);
        if !(least..=most).contains(&stride) || matches!(raw.format, PixelFormat::Yu12(_)) && stride % 2 == 1
        {
            let even = if matches!(raw.format, PixelFormat::Yu12(_)) { ", even" } else { "" };
            return Err(refused(
                format!("a stride of {}", bytes(stride)),
                format!("{least} to {most}{even}"),
            ));
        }
        // U and V together take half as many rows of this stride.
        let rows = if planar { rows + rows.div_ceil(2) } else { rows };
        let encoding = Encoding::Raw { width, height, stride, format: raw.format };
        let length = stride.saturating_mul(rows);
        limits.check(raw.size, length as u64).map_err(|(found, expected)| refused(found, expected))?;
        Ok(Self { input, encoding, length, given: false })
    }
}

impl Container for RawFrames {
    fn next(&mut self) -> Result<Piece<'_>> {
        if std::mem::take(&mut self.given) {
            self.input.take(self.length);
        }
        let found = self.input.peek(self.length)?.len();
        if found < self.length {
            self.input.take(found);
            return Ok(match found {
                0 => Piece::End,
                _ => Piece::Broken(format!(
                    "cut short by the end of the input: {} of {}",
                    bytes(found),
                    self.length
                )),
            });
        }
        self.given = true;
        let bytes = self.input.held().get(..self.length).unwrap_or_default();
        Ok(Piece::Frame(Cutout { bytes, encoding: self.encoding, time: None }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn frames(raw: Raw, length: usize) -> Result<Vec<usize>> {
        let mut stream = RawFrames::new(Input::new("x", Cursor::new(vec![1; length])), &raw)?;
        let mut found = Vec::new();
        loop {
            match stream.next()? {
                Piece::Frame(frame) => {
                    let Encoding::Raw { width, height, stride, format } = frame.encoding else {
                        panic!("raw")
                    };
                    crate::frame::Frame::new(frame.bytes, width, height, stride, format).unwrap();
                    found.push(frame.bytes.len());
                }
                Piece::Broken(_) => found.push(0),
                Piece::Nothing => panic!("a file has something or has ended"),
                Piece::End => return Ok(found),
            }
        }
    }

    #[test]
    fn every_layout_is_cut_into_frames_and_a_rest_is_told() {
        for (name, bytes) in
            [("rgb24", 12), ("bgr3", 12), ("gray", 4), ("yuyv", 8), ("UYVY", 8), ("nv12", 6), ("i420", 6)]
        {
            let raw = Raw { format: pixel_format(name).unwrap(), size: (2, 2), stride: None };
            assert_eq!(frames(raw, 2 * bytes + 1).unwrap(), [bytes, bytes, 0], "{name}");
            let raw = Raw { stride: Some(16), ..raw };
            let bytes = if bytes == 6 { 48 } else { 32 };
            assert_eq!(frames(raw, bytes).unwrap(), [bytes], "{name}");
        }
        assert!(pixel_format("P010").unwrap_err().contains("NV12, YU12 or I420"));
    }

    #[test]
    fn impossible_layouts_are_refused() {
        let refused = |name: &str, size, stride, part: &str| {
            let raw = Raw { format: pixel_format(name).unwrap(), size, stride };
            let line = frames(raw, 0).unwrap_err().to_string();
            assert!(line.contains(part), "{line}");
        };
        refused("rgb24", (0, 5), None, "found 0x5 pixels");
        refused("rgb24", (65_536, 65_536), None, "65536x65536 pixels");
        refused("rgb24", (5, 5), Some(14), "found a stride of 14 bytes, expected 15 to");
        refused("grey", (5, 5), Some(usize::MAX), "a stride of");
        refused("nv12", (5, 4), None, "an even width, or a stride");
        refused("yu12", (4, 4), Some(5), "even");
    }
}
