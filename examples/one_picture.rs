//! Finds in one picture what you name, and draws it:
//!
//! ```console
//! $ cargo run --release --example one_picture -- tests/data/cat.jpg "cat, dog" out.png
//! ```

use std::env;
use std::error::Error;

use edgeclip::{Detector, Picture};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [path, prompts, out] = &arguments[..] else {
        return Err("expected PICTURE PROMPTS OUT.png".into());
    };
    let detector = Detector::new()?.prompts(prompts.split(','))?;
    let mut picture = Picture::open(path)?;

    let found = detector.detect(&picture)?;
    for tag in &found.tags {
        println!("the picture: {} {:.2}", tag.label, tag.score);
    }
    for detection in &found.detections {
        println!("{:?}: {} {:.2}", detection.rect, detection.label, detection.score);
    }

    detector.annotate(&mut picture, &found);
    picture.save(out)?;
    Ok(())
}
