//! From a frame to the vision network's input: conversion to RGB, letterbox, values centred on zero.

mod colour;

pub(crate) use colour::rgb;

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::Letterbox;
use edgeclip_kernels::Isa;
use edgeclip_kernels::colour::planes;
use edgeclip_kernels::resize::Resize;

/// The vision network's input for a frame, and its letterbox geometry. The input is int8 `[3, S, S]` with S =
/// `size`, red plane first, values `pixel − 128`; the padding is grey 128, that is 0.
///
/// # Errors
/// `Error::Input` if the frame's sizes contradict each other or `size` is zero, `Error::Settings` if
/// `EDGECLIP_ISA` names no instruction set of this CPU.
pub(crate) fn letterbox(frame: &Frame<'_>, size: u32) -> Result<(Vec<i8>, Letterbox)> {
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

/// The instruction set used by this process.
fn isa() -> Result<Isa> {
    Isa::chosen().map_err(|unknown| {
        Error::settings("EDGECLIP_ISA", unknown.wanted, format!("one of {}", unknown.available.join(", ")))
    })
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;
