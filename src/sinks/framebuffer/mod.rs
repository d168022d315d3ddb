//! The Linux framebuffer: a screen without a desktop.

mod pixels;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use self::pixels::Pixels;
use super::fit::{Scaled, fit};
use super::{Painter, PictureSink};
use crate::error::{Error, ErrorKind, Result};
use crate::report::FrameReport;
use crate::source::Picture;
use crate::system::{HiddenConsole, Screen, screen, wake};

/// Shows annotated frames on a screen, scaled to fit with black around them. The first one takes the text
/// console off that screen; it comes back when this is dropped.
pub(crate) struct Framebuffer {
    name: String,
    device: File,
    screen: Screen,
    pixels: Pixels,
    painter: Painter,
    rgb: Vec<u8>,
    /// The visible rows in the screen's memory layout.
    memory: Vec<u8>,
    /// Whether a frame has been shown.
    lit: bool,
    console: Option<HiddenConsole>,
}

impl Framebuffer {
    /// Opens a device such as `/dev/fb0`.
    ///
    /// # Errors
    /// [`Error::Device`] if it cannot be opened, is not a framebuffer, or does not hold its pixels in 16 or
    /// 32 bits each.
    pub(crate) fn open(path: &Path, painter: Painter) -> Result<Self> {
        let name = path.display().to_string();
        let device = OpenOptions::new().read(true).write(true).open(path);
        let device = device.map_err(|source| Error::io(ErrorKind::Device, name.clone(), source))?;
        let found = screen(&device).map_err(|error| {
            Error::device(&name, format!("not a framebuffer ({error})"), "a device such as /dev/fb0")
        })?;
        Self::new(name, device, found, painter)
    }

    /// Writes to `device`, any file, in the pixel layout of `screen`.
    ///
    /// # Errors
    /// Same as [`Framebuffer::open`].
    pub(crate) fn new(name: String, device: File, screen: Screen, painter: Painter) -> Result<Self> {
        let pixels = Pixels::of(&name, &screen)?;
        // The last row may end before its stride does.
        let length = (screen.height as usize - 1) * screen.stride + screen.width as usize * pixels.bytes();
        let (rgb, memory) = (Vec::new(), vec![0; length]);
        Ok(Self { name, device, screen, pixels, painter, rgb, memory, lit: false, console: None })
    }

    /// Not before there is something to show: until then, the console may say why there is nothing.
    fn light(&mut self) {
        match HiddenConsole::on(&self.device) {
            Ok(console) => self.console = console,
            Err(error) => tracing::warn!(
                "{}: the console's text and cursor may show through ({error}); docs/output.md says how to hide it",
                self.name
            ),
        }
        wake(&self.device);
        self.lit = true;
    }
}

impl PictureSink for Framebuffer {
    fn name(&self) -> &str {
        &self.name
    }

    /// Reports without a picture are skipped.
    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        let Some(picture) = picture else { return Ok(()) };
        let area = fit((picture.width, picture.height), (self.screen.width, self.screen.height));
        let row = area.width as usize * 3;
        self.rgb.resize(row * area.height as usize, 0);
        let scaled = Scaled::new(picture, area.width, area.height);
        for (y, row) in (0..).zip(self.rgb.chunks_exact_mut(row.max(1))) {
            scaled.row(y, row);
        }
        self.painter.annotate(&mut self.rgb, area.width, area.height, report);

        if !self.lit {
            self.light();
        }
        let stride = self.screen.stride;
        self.memory.fill(0);
        let left = area.x as usize * self.pixels.bytes();
        let rows = self.memory.chunks_mut(stride).skip(area.y as usize);
        for (memory, rgb) in rows.zip(self.rgb.chunks_exact(row.max(1))) {
            self.pixels.pack(rgb, memory.get_mut(left..).unwrap_or_default());
        }
        let shown = self.device.write_all_at(&self.memory, self.screen.start);
        shown.map_err(|source| Error::io(ErrorKind::Device, self.name.clone(), source))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
