//! Draws what was found onto a small SPI display: 320 by 240 pixels of 16 bits, as ILI9341 and ST7789 have them.
//!
//! ```console
//! $ cargo run --release --example spi_display -- tests/data/cat.jpg "cat, sofa" display.png
//! ```
//!
//! The display is simulated by a framebuffer in memory with the bytes that would go over the wire, and saved as a PNG file. On a board,
//! `mipidsi` with `linux-embedded-hal` takes its place (wiring of a Raspberry Pi):
//!
//! ```ignore
//! let spi = SpidevDevice::open("/dev/spidev0.0")?;
//! let dc = Chip::new("/dev/gpiochip0")?.get_line(25)?.request(LineRequestFlags::OUTPUT, 0, "dc")?;
//! let mut buffer = [0; 4096];
//! let interface = SpiInterface::new(spi, CdevPin::new(dc)?, &mut buffer);
//! let mut display = mipidsi::Builder::new(ILI9341Rgb565, interface).init(&mut Delay)?;
//! ```

use std::env;
use std::error::Error;

use edgeclip::{Detector, FrameReport, Outline, Painter, Picture, ShownBoxes};
use embedded_graphics::framebuffer::{Framebuffer, buffer_size};
use embedded_graphics::image::GetPixel;
use embedded_graphics::pixelcolor::raw::{BigEndian, RawU16};
use embedded_graphics::pixelcolor::{Rgb565, Rgb888};
use embedded_graphics::prelude::*;

const WIDTH: usize = 320;
const HEIGHT: usize = 240;

type Display =
    Framebuffer<Rgb565, RawU16, BigEndian, WIDTH, HEIGHT, { buffer_size::<Rgb565>(WIDTH, HEIGHT) }>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [path, prompts, out] = &arguments[..] else { return Err("expected PICTURE PROMPTS OUT.png".into()) };
    let detector = Detector::new()?.prompts(prompts.split(','))?;
    let picture = Picture::open(path)?;
    let found = detector.detect(&picture)?;

    // What one frame of a live source would show, with a zone around the middle.
    let mut report = FrameReport::of_picture(path, &picture, found);
    let points = vec![[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]];
    report.outlines = [Outline { name: "middle".into(), points, closed: true, state: None }].into();

    let mut display = Display::new();
    Painter::new(ShownBoxes::Detections).draw(&mut display, &report, Some(&picture))?;
    pixels(&display).save(out)?;
    println!("{out}: {} things", report.detections.len());
    Ok(())
}

fn pixels(display: &Display) -> Picture {
    let pixels = display.bounding_box().points().filter_map(|point| display.pixel(point));
    let data = pixels.map(Rgb888::from).flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    Picture { name: String::new(), width: WIDTH as u32, height: HEIGHT as u32, data }
}
