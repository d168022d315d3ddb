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
use std::path::Path;
use std::time::{Duration, SystemTime};

use edgeclip::events::Outline;
use edgeclip::model::{Bundle, Networks};
use edgeclip::pipeline::Pipeline;
use edgeclip::report::{FrameReport, LiveTiming, ShownBoxes};
use edgeclip::sinks::{Painter, PictureKind, save_picture};
use edgeclip::source::Picture;
use edgeclip::vocabulary::{Prompt, Vocabulary};
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
    let [picture, prompts, out] = arguments()?;
    let report = look(&picture, &prompts)?;

    let mut display = Display::new();
    let mut painter = Painter::new(ShownBoxes::Detections);
    painter.draw(&mut display, &report)?;

    save(&display, Path::new(&out))?;
    println!("{out}: {} things", report.detections.len());
    Ok(())
}

fn arguments() -> Result<[String; 3], &'static str> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    arguments.try_into().map_err(|_| "expected PICTURE PROMPTS OUT.png")
}

/// What one frame of a live source would show, with a zone around the middle.
fn look(path: &str, prompts: &str) -> Result<FrameReport, Box<dyn Error>> {
    let bundle = Bundle::embedded()?;
    let networks = Networks::load(&bundle, true, 2)?;
    let tower = networks.text.as_ref().ok_or("built without the feature `text`")?;
    let bank = Vocabulary::bank(&bundle)?;
    let most_similar = bundle.manifest.score.max_similarity;
    let vocabulary = Vocabulary::build(&Prompt::parse(prompts)?, tower, &bank, most_similar)?;

    let picture = Picture::open(Path::new(path))?;
    let (time, (width, height)) = (SystemTime::now(), (picture.width, picture.height));
    let pipeline = Pipeline::new(networks, bundle.manifest);
    let findings = pipeline.detect(&picture.frame()?, &vocabulary, None)?;
    let zone = Outline {
        name: "middle".into(),
        points: vec![[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]],
        closed: true,
        state: None,
    };
    Ok(FrameReport {
        source: path.into(),
        frame: 0,
        time,
        width,
        height,
        looked: true,
        tags: findings.tags,
        detections: findings.detections,
        tracks: Vec::new(),
        events: Vec::new(),
        outlines: [zone].into(),
        timing: LiveTiming { look: findings.timing, ..LiveTiming::default() },
        latency: time.elapsed().unwrap_or(Duration::ZERO),
        picture: Some(picture),
    })
}

fn save(display: &Display, path: &Path) -> Result<(), Box<dyn Error>> {
    let pixels = display.bounding_box().points().filter_map(|point| display.pixel(point));
    let rgb: Vec<u8> = pixels.map(Rgb888::from).flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    Ok(save_picture(path, PictureKind::Png, &rgb, WIDTH as u32, HEIGHT as u32)?)
}
