//! Hands results to code of your own: this sink keeps a tally of what was seen where. No pixel reaches it; a
//! `PictureSink` would be given the frames as well.
//!
//! ```console
//! $ cargo run --release --example own_sink -- "cat, cup" tests/data/cat.jpg tests/data/coffee.jpg
//! ```

use std::collections::BTreeMap;
use std::env;
use std::error::Error;

use edgeclip::{FrameReport, Sink, Watcher};

/// Frames per source and name.
#[derive(Default)]
struct Tally(BTreeMap<(String, String), u32>);

impl Sink for Tally {
    fn name(&self) -> &str {
        "tally"
    }

    fn take(&mut self, report: &FrameReport) -> edgeclip::Result<()> {
        for tag in &report.tags {
            *self.0.entry((report.source.to_string(), tag.label.to_string())).or_default() += 1;
        }
        Ok(())
    }
}

/// Sinks live on a thread of the loop and are dropped at its end.
impl Drop for Tally {
    fn drop(&mut self) {
        for ((source, name), frames) in &self.0 {
            println!("{source}: {name} in {frames} frames");
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let prompts = arguments.next().ok_or("expected PROMPTS SOURCE …")?;
    let mut builder = Watcher::builder().prompts(prompts.split(',')).sink(Tally::default());
    for source in arguments {
        builder = builder.source(source);
    }
    Ok(builder.build()?.run()?)
}
