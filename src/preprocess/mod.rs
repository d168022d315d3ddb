//! From a frame to the vision network's input: colours to RGB, letterbox, then centre on zero.

mod colour;

use std::borrow::Cow;

use crate::error::Result;
use crate::frame::{Frame, PixelFormat};
use crate::geometry::Letterbox;
use crate::kernels::resize::resize;

/// The vision network's input: int8 `[3, S, S]`, red plane first, value `pixel − 128`; around the picture lies grey 128,
/// which is 0. Beside it, how the picture lies in it.
///
/// # Errors
/// `Error::Input` if the frame contradicts itself or `size` is zero.
pub fn letterbox(frame: &Frame<'_>, size: u32) -> Result<(Vec<i8>, Letterbox)> {
    frame.check()?;
    let letterbox = Letterbox::new(frame.width, frame.height, size)?;
    let (width, height) = (letterbox.resized().0 as usize, letterbox.resized().1 as usize);
    let from = (frame.width as usize, frame.height as usize);
    let (rgb, stride) = match frame.format {
        PixelFormat::Rgb8 => (Cow::Borrowed(frame.data), frame.stride),
        _ => (Cow::Owned(colour::rgb(frame)), from.0 * 3),
    };
    let pixels = resize(&rgb, stride, from, (width, height));
    let size = size as usize;
    let (left, top) = (letterbox.offset().0 as usize, letterbox.offset().1 as usize);
    let mut tensor = vec![0; 3 * size * size];
    for (channel, plane) in tensor.chunks_exact_mut(size * size).enumerate() {
        let rows = plane.chunks_exact_mut(size).skip(top);
        for (out, row) in rows.zip(pixels.chunks_exact(width * 3)) {
            for (value, pixel) in out[left..left + width].iter_mut().zip(row.chunks_exact(3)) {
                // Flipping the top bit subtracts 128 in two's complement.
                *value = (pixel[channel] ^ 0x80) as i8;
            }
        }
    }
    debug_assert_eq!(pixels.len(), width * height * 3);
    Ok((tensor, letterbox))
}

/// The pixels of `frame` as rows of red, green, blue without padding.
///
/// # Errors
/// `Error::Input` if the frame contradicts itself.
pub fn rgb(frame: &Frame<'_>) -> Result<Vec<u8>> {
    frame.check()?;
    Ok(colour::rgb(frame))
}
