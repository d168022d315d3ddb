//! JPEG at 1/2, 1/4 and 1/8 of its size, for pictures that would take too much memory: no network sees more than
//! a few hundred pixels.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};

use image::{ColorType, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};

use super::colour::Profile;
use super::rgb;
use crate::error::{Error, Result};
use crate::source::jpeg::{START_OF_SCAN, is_frame, next_marker};
use crate::source::limits::Limits;

/// Most pixels times scans: a file of a few bytes per scan must not take minutes.
const MOST_WORK: u64 = 3_000_000_000;
/// Most scans; same as in the other decoder.
const MOST_SCANS: u64 = 100;

/// What a JPEG file's headers say about the work that it makes.
struct Work {
    size: (u64, u64),
    /// Samples of all components.
    samples: u64,
    /// Whether coefficients are kept until the last scan.
    keeps: bool,
    scans: u64,
}

impl Work {
    fn of(file: &[u8]) -> Self {
        let mut work = Self { size: (0, 0), samples: 0, keeps: false, scans: 0 };
        let (mut at, mut components) = (0, 0);
        while let Some(marker) = next_marker(file, at) {
            let Some(end) = marker.end else { break };
            let segment = file.get(marker.start + 4..end).unwrap_or_default();
            if is_frame(marker.code) && work.samples == 0 {
                work.keeps = matches!(marker.code, 0xc2 | 0xc6 | 0xca | 0xce);
                components = segment.get(5).copied().unwrap_or_default();
                work.frame(segment);
            }
            if marker.code == START_OF_SCAN {
                work.scans += 1;
                // Components in scans of their own.
                work.keeps |= segment.first().is_some_and(|count| *count < components);
            }
            at = end;
        }
        work
    }

    /// Sums up the samples of a frame header's components.
    fn frame(&mut self, segment: &[u8]) {
        let word = |at: usize| {
            segment
                .get(at..at + 2)
                .and_then(|word| word.try_into().ok())
                .map_or(0, |word| u64::from(u16::from_be_bytes(word)))
        };
        self.size = (word(3), word(1));
        let sides: Vec<(u64, u64)> = segment
            .get(6..)
            .unwrap_or_default()
            .chunks_exact(3)
            .filter_map(|component| component.get(1))
            .map(|factors| (u64::from(factors >> 4), u64::from(factors & 0xf)))
            .collect();
        let most = |side: fn(&(u64, u64)) -> u64| sides.iter().map(side).max().unwrap_or(1).max(1);
        let all = most(|side| side.0) * most(|side| side.1);
        self.samples = sides.iter().map(|(x, y)| self.size.0 * self.size.1 * x * y / all).sum();
    }

    /// Bytes of the coefficients.
    fn coefficients(&self) -> u64 {
        if self.keeps { 2 * self.samples } else { 0 }
    }
}

/// Bytes that decoding at full size takes besides its output.
pub(super) fn working_bytes(file: &[u8]) -> u64 {
    Work::of(file).coefficients()
}

/// Decodes at the largest size within the limits, where turning the picture takes it `turned` times.
///
/// # Errors
/// [`Error::Input`] if no size is small enough, or the file is broken or of a kind that cannot be scaled.
pub(super) fn decode(
    name: &str,
    file: &[u8],
    turned: u64,
    profile: Option<&Profile>,
    limits: &Limits,
) -> Result<RgbImage> {
    let work = Work::of(file);
    let (width, height) = work.size;
    let size = (width as u32, height as u32);
    if work.scans > MOST_SCANS || work.scans * width * height > MOST_WORK {
        let found = format!("{width}x{height} pixels in {} scans", work.scans);
        return Err(Error::input(name, found, "a picture that takes less time to decode"));
    }
    // Planes, and the output; turned, the planes are gone.
    let cost = |factor: u64| {
        let pixels = width.div_ceil(factor) * height.div_ceil(factor);
        work.coefficients() + pixels * (3 * turned).max(6) + file.len() as u64
    };
    let Some(factor) = [1, 2, 4, 8].into_iter().find(|factor| cost(*factor) <= limits.bytes) else {
        limits.check_named(name, size, cost(8))?;
        return Err(Error::input(name, format!("{width}x{height} pixels"), limits.advice()));
    };
    let broken = |error: jpeg_decoder::Error| {
        Error::input(name, format!("a broken picture ({error})"), super::EXPECTED)
    };
    let mut decoder = Decoder::new(Cursor::new(file));
    decoder.set_max_decoding_buffer_size(usize::try_from(limits.bytes).unwrap_or(usize::MAX));
    let side = |side: u64| side.div_ceil(factor) as u16;
    let (width, height) = decoder.scale(side(width), side(height)).map_err(broken)?;
    let pixels = decoder.decode().map_err(broken)?;
    let colour = match decoder.info().map(|info| info.pixel_format) {
        Some(PixelFormat::RGB24) => ColorType::Rgb8,
        Some(PixelFormat::L8) => ColorType::L8,
        _ => {
            let found = format!("{}x{} pixels of a JPEG that cannot be scaled", size.0, size.1);
            return Err(Error::input(name, found, limits.advice()));
        }
    };
    let told = format!(
        "{name}: {}x{} pixels take more than {} MB to decode: decoded as {width}x{height}, in whose pixels boxes are given (max_picture_mb)",
        size.0,
        size.1,
        limits.bytes >> 20,
    );
    static TOLD: AtomicBool = AtomicBool::new(false);
    // Once: a folder may hold thousands.
    if TOLD.swap(true, Ordering::Relaxed) {
        tracing::debug!("{told}")
    } else {
        tracing::warn!("{told}")
    }
    rgb::picture((width.into(), height.into()), pixels, colour, profile)
        .ok_or_else(|| Error::input(name, "pixels of another size than announced", super::EXPECTED))
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    #[test]
    fn a_picture_over_the_limit_is_decoded_at_a_part_of_its_size() {
        let picture = RgbImage::from_fn(1000, 600, |x, y| image::Rgb([(x / 4) as u8, (y / 3) as u8, 90]));
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 95).encode_image(&picture).unwrap();
        let work = Work::of(&file);
        assert_eq!((work.size, work.samples, work.keeps, work.scans), ((1000, 600), 1_800_000, false, 1));
        for (megabytes, size) in [(5, (1000, 600)), (2, (500, 300)), (1, (500, 300))] {
            let found = decode("x", &file, 1, None, &Limits::of(megabytes)).unwrap();
            assert_eq!(found.dimensions(), size, "{megabytes} MB");
            let (x, y) = (size.0 / 2, size.1 / 2);
            let near = found.get_pixel(x, y).0.iter().zip([125, 100, 90]).all(|(a, b)| a.abs_diff(b) < 6);
            assert!(near, "{:?}", found.get_pixel(x, y));
        }
        let line = decode("x", &file, 1, None, &Limits::of(0)).unwrap_err().to_string();
        assert!(line.contains("max_picture_mb"), "{line}");
    }
}
