//! Watches a camera, a stream or a recording until a name has been seen so many times:
//!
//! ```console
//! $ cargo run --release --example camera_loop -- /dev/video0 person 10
//! ```
//!
//! Sources are those of `edgeclip run --source`: docs/sources.md.

use std::env;
use std::error::Error;
use std::ops::ControlFlow;

use edgeclip::Watcher;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [source, prompt, times] = &arguments[..] else {
        return Err("expected SOURCE PROMPT TIMES".into());
    };
    let times: usize = times.parse()?;
    // Any setting of docs/configuration.md.
    let settings = "
        skip_still = true
        zone = [{ name = 'left half', box = [0.0, 0.0, 0.5, 1.0] }]
    ";
    let watcher = Watcher::builder().source(source).prompts([prompt]).fps(5.0).config(settings).build()?;

    let mut seen = 0;
    watcher.run_with(|report| {
        for detection in &report.detections {
            println!("frame {}: {} {:.2}", report.frame, detection.label, detection.score);
        }
        for event in &report.events {
            println!("frame {}: {event:?}", report.frame);
        }
        seen += usize::from(!report.detections.is_empty());
        if seen < times { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    println!("seen in {seen} frames");
    Ok(())
}
