//! From a frame to the vision network's input: colours to RGB, letterbox, centred on zero.

mod colour;

pub use colour::rgb;

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::Letterbox;
use edgeclip_kernels::Isa;
use edgeclip_kernels::colour::planes;
use edgeclip_kernels::resize::Resize;

/// The vision network's input: int8 `[3, S, S]`, red plane first, value `pixel − 128`; around the picture lies grey 128,
/// which is 0. Beside it, how the picture lies in it.
///
/// # Errors
/// `Error::Input` if the frame contradicts itself, `size` is zero, or `EDGECLIP_ISA` names no instruction set of this CPU.
pub fn letterbox(frame: &Frame<'_>, size: u32) -> Result<(Vec<i8>, Letterbox)> {
    frame.check()?;
    let letterbox = Letterbox::new(frame.width, frame.height, size)?;
    let isa = isa()?;
    let from = (frame.width as usize, frame.height as usize);
    let to = (letterbox.resized().0 as usize, letterbox.resized().1 as usize);
    let size = size as usize;
    let first = letterbox.offset().1 as usize * size + letterbox.offset().0 as usize;
    let mut tensor = vec![0; 3 * size * size];
    let (red, rest) = tensor.split_at_mut(size * size);
    let (green, blue) = rest.split_at_mut(size * size);
    let out = [&mut red[first..], &mut green[first..], &mut blue[first..]];
    Resize::new(isa, from, to).run(|y, out| planes(isa, colour::row(frame, y), out), out, size);
    Ok((tensor, letterbox))
}

/// The instruction set of this run.
fn isa() -> Result<Isa> {
    Isa::chosen().map_err(|unknown| {
        Error::input("EDGECLIP_ISA", unknown.wanted, format!("one of {}", unknown.available.join(", ")))
    })
}

#[cfg(test)]
mod tests;
