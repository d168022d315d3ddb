//! Feeds frames of your own into the loop: this source moves a window over a photo, as a camera on a motor
//! would.
//!
//! ```console
//! $ cargo run --release --example own_source -- tests/data/cat.jpg cat
//! ```

use std::env;
use std::error::Error;
use std::ops::ControlFlow;

use edgeclip::{CapturedFrame, Encoding, Live, Next, Picture, PixelFormat, Watcher};

struct Pan {
    photo: Picture,
    frame: u32,
}

impl Live for Pan {
    fn name(&self) -> &str {
        "pan"
    }

    /// Frames are made when they are asked for. A camera's come by themselves: `false`.
    fn waits(&self) -> bool {
        true
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> edgeclip::Result<Next> {
        let (width, step) = (self.photo.width * 3 / 4, self.photo.width / 40);
        let left = self.frame * step;
        if left + width > self.photo.width {
            return Ok(Next::End);
        }
        // The rows of the photo, from `left` on: a stride makes copies needless.
        let stride = self.photo.width as usize * 3;
        let bytes = &self.photo.data[left as usize * 3..];
        let encoding = Encoding::Raw { width, height: self.photo.height, stride, format: PixelFormat::Rgb8 };
        frame.fill(bytes, encoding, u64::from(self.frame));
        self.frame += 1;
        Ok(Next::Frame)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [photo, prompt] = &arguments[..] else { return Err("expected PICTURE PROMPT".into()) };
    let source = Pan { photo: Picture::open(photo)?, frame: 0 };
    let watcher = Watcher::builder().own_source(source).prompts([prompt]).build()?;
    watcher.run_with(|report| {
        for track in &report.tracks {
            println!("frame {}: {} {} at x = {:.0}", report.frame, track.label, track.id, track.rect.x0);
        }
        ControlFlow::Continue(())
    })?;
    Ok(())
}
