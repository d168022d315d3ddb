//! RGB pixels in the layout of a screen's memory.

use crate::error::{Error, Result};
use crate::system::Screen;

/// Largest screen: 16 by 16 thousand pixels.
const MOST: u32 = 16_384;

/// Converts RGB to the bytes of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pixels {
    /// Bytes per pixel: 2 or 4.
    bytes: usize,
    /// The bits for each value of red, green and blue.
    tables: [Box<[u32; 256]>; 3],
    opaque: u32,
}

impl Pixels {
    /// For pixels of 16 or 32 bits in one plane.
    ///
    /// # Errors
    /// [`Error::Device`] for any other pixel layout; `name` is the device's.
    pub(crate) fn of(name: &str, screen: &Screen) -> Result<Self> {
        let expected = "16 or 32 bits a pixel with up to 8 bits a colour";
        let refuse = |found: String| Err(Error::device(name, found, expected));
        let bits = screen.bits;
        if bits != 16 && bits != 32 {
            return refuse(format!("{bits} bits a pixel"));
        }
        let [red, green, blue, opacity] = screen.channels;
        let ends = screen.channels.map(|c| u64::from(c.offset) + u64::from(c.length));
        let lengths = [red, green, blue].map(|c| c.length);
        if ends.iter().any(|end| *end > u64::from(bits)) || lengths.iter().any(|l| !(1..=8).contains(l)) {
            return refuse(format!("red, green and blue of {lengths:?} bits"));
        }
        let bytes = bits as usize / 8;
        let (width, height) = (screen.width, screen.height);
        let sane = (1..=MOST).contains(&width) && (1..=MOST).contains(&height);
        if !sane || screen.stride < width as usize * bytes || screen.stride > 8 * MOST as usize {
            let found = format!("{width}x{height} pixels in rows of {} bytes", screen.stride);
            return Err(Error::device(name, found, "a screen with whole rows"));
        }
        let table = |offset: u32, length: u32| {
            Box::new(std::array::from_fn(|value| (value as u32 >> (8 - length)) << offset))
        };
        let opaque = (1u64 << opacity.length) - 1;
        Ok(Self {
            bytes,
            tables: [red, green, blue].map(|c| table(c.offset, c.length)),
            opaque: (opaque << opacity.offset) as u32,
        })
    }

    /// Writes a row of pixels, three bytes each, into a row of the screen's memory.
    pub(crate) fn pack(&self, rgb: &[u8], out: &mut [u8]) {
        let [red, green, blue] = &self.tables;
        let pixels = rgb.as_chunks::<3>().0.iter().map(|[r, g, b]| {
            red[usize::from(*r)] | green[usize::from(*g)] | blue[usize::from(*b)] | self.opaque
        });
        if self.bytes == 2 {
            out.as_chunks_mut::<2>()
                .0
                .iter_mut()
                .zip(pixels)
                .for_each(|(o, p)| *o = (p as u16).to_ne_bytes());
        } else {
            out.as_chunks_mut::<4>().0.iter_mut().zip(pixels).for_each(|(o, p)| *o = p.to_ne_bytes());
        }
    }

    /// Bytes per pixel.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::framebuffer::tests::{bgrx, rgb565, screen};
    use crate::system::Channel;

    fn packed(screen: &Screen, rgb: &[u8]) -> Vec<u8> {
        let mut out = vec![0; rgb.len() / 3 * screen.bits as usize / 8];
        Pixels::of("fb", screen).unwrap().pack(rgb, &mut out);
        out
    }

    #[test]
    fn rgb565_has_red_in_its_highest_bits() {
        let rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 7, 3, 7, 8, 4, 8];
        let found = packed(&rgb565(6, 1), &rgb);
        let pixels: Vec<u16> = found.chunks(2).map(|p| u16::from_ne_bytes([p[0], p[1]])).collect();
        assert_eq!(pixels, [0xf800, 0x07e0, 0x001f, 0xffff, 0x0000, 0x0821]);
    }

    #[test]
    fn thirty_two_bits_follow_the_screen_s_order() {
        let number = |bytes: Vec<u8>| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        assert_eq!(number(packed(&bgrx(1, 1), &[0x12, 0x34, 0x56])), 0x0012_3456);
        let rgba = [Channel::new(0, 8), Channel::new(8, 8), Channel::new(16, 8), Channel::new(24, 8)];
        assert_eq!(number(packed(&screen(1, 1, 32, rgba), &[0x12, 0x34, 0x56])), 0xff56_3412);
    }

    #[test]
    fn other_screens_are_refused_by_name() {
        let error = |screen: &Screen| Pixels::of("/dev/fb0", screen).unwrap_err().to_string();
        let good = bgrx(8, 8);
        for (bad, found) in [
            (Screen { bits: 8, ..good }, "8 bits a pixel"),
            (Screen { bits: 24, ..good }, "24 bits a pixel"),
            (Screen { bits: 16, ..good }, "red, green and blue of [8, 8, 8] bits"),
            (Screen { channels: [Channel::new(0, 0); 4], ..good }, "red, green and blue of [0, 0, 0] bits"),
            (
                Screen { channels: [Channel::new(u32::MAX, 8); 4], ..good },
                "red, green and blue of [8, 8, 8] bits",
            ),
            (
                Screen { channels: [Channel::new(0, 16); 4], ..good },
                "red, green and blue of [16, 16, 16] bits",
            ),
            (Screen { stride: 31, ..good }, "8x8 pixels in rows of 31 bytes"),
            (Screen { width: 0, ..good }, "0x8 pixels in rows of 32 bytes"),
            (Screen { height: u32::MAX, ..good }, "8x4294967295 pixels in rows of 32 bytes"),
        ] {
            assert!(
                error(&bad).starts_with(&format!("/dev/fb0: found {found}, expected")),
                "{}",
                error(&bad)
            );
        }
    }
}
