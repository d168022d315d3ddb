//! Check of the model.

use std::time::Instant;

use serde_json::json;

use super::check::{Check, State};
use crate::cli::model::ModelArgs;
use crate::error::Result;
use crate::frame::{Frame, PixelFormat};
use crate::model::Networks;
use crate::pipeline::Pipeline;

const NAME: &str = "model";

/// The model: its files' hashes, and a pass of the vision network.
pub(crate) fn check(args: &ModelArgs) -> Check {
    match measured(args) {
        Ok(check) => check,
        Err(error) => Check::failed(NAME, &error),
    }
}

fn measured(args: &ModelArgs) -> Result<Check> {
    let bundle = args.bundle()?;
    let files = bundle.verify()?;
    let threads = args.threads();
    let networks = Networks::load(&bundle, false, threads)?;
    let float = networks.vision.left_in_float();
    let is_int8 = networks.vision.is_int8();
    let (name, size) = (bundle.manifest.name.clone(), bundle.manifest.input.size);
    let pipeline = Pipeline::new(networks, bundle.manifest);
    let grey = vec![128; 3 * (size * size) as usize];
    let frame = Frame::new(&grey, size, size, 3 * size as usize, PixelFormat::Rgb8)?;
    // The first pass also pages in its memory.
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        pipeline.encode(&frame)?;
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let hashes: serde_json::Map<_, _> =
        files.iter().map(|(file, hash)| ((*file).to_owned(), json!(hash))).collect();
    let details = json!({ "name": name, "sha256": hashes, "int8": is_int8, "threads": threads, "vision_ms": (best * 1e3).round() / 1e3 });
    let found = format!(
        "{name}, {} files as in the manifest, vision network {best:.1} ms ({threads} threads)",
        files.len()
    );
    let check = Check::ok(NAME, found, details);
    if is_int8 {
        return Ok(check);
    }
    let why = format!(
        "vision.onnx runs in float, which is slow: {}; export it again with quantize/",
        float.join(", ")
    );
    Ok(check.but(State::Warning, why))
}
