//! What a detector can look at.

use crate::error::Result;
use crate::frame::Frame;
use crate::source::Picture;

/// Pixels in memory: a [`Picture`], a borrowed [`Frame`], or a type of your own.
///
/// ```
/// use edgeclip::{AsFrame, Frame, PixelFormat, Result};
///
/// /// A greyscale image of 4 × 2 pixels.
/// struct Tiny([u8; 8]);
///
/// impl AsFrame for Tiny {
///     fn as_frame(&self) -> Result<Frame<'_>> {
///         Frame::new(&self.0, 4, 2, 4, PixelFormat::Grey8)
///     }
/// }
/// # assert_eq!(Tiny([0; 8]).as_frame().unwrap().height, 2);
/// ```
pub trait AsFrame {
    /// The pixels, without a copy.
    ///
    /// # Errors
    /// [`Error::Input`](crate::error::Error::Input) if there are fewer bytes than size and format need.
    fn as_frame(&self) -> Result<Frame<'_>>;
}

impl AsFrame for Picture {
    fn as_frame(&self) -> Result<Frame<'_>> {
        self.frame()
    }
}

impl AsFrame for Frame<'_> {
    fn as_frame(&self) -> Result<Frame<'_>> {
        Ok(*self)
    }
}
