//! Pillow's antialiased `BILINEAR` resize of interleaved 8-bit pixels, bit for bit.

mod coefficients;
mod scalar;

pub use scalar::resize;
