//! `edgeclip embed`

use std::collections::HashMap;
use std::path::PathBuf;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::Failures;
use super::boxes::Boxes;
use super::limits::LimitArgs;
use super::model::{ModelArgs, networks};
use super::words::prompts_of;
use crate::error::{Error, Result};
use crate::model::FeatureMap;
use crate::pipeline::Pipeline;
use crate::sinks::{PRIVATE, Target};
use crate::source::apart::Pictures;
use crate::source::{Picture, expand};
use crate::vocabulary::{Embedder, Prompt};
use edgeclip_kernels::normalise;

/// Metadata value of `format`.
const FORMAT: &str = "edgeclip-embeddings-1";

/// Write embeddings of pictures, boxes, places and texts into a safetensors file
///
/// docs/output.md describes the file. All embeddings have unit norm and live in the space of the prompts.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip embed photos/ --out photos.safetensors
  edgeclip embed a.jpg b.jpg --boxes boxes.json --out regions.safetensors
    where boxes.json holds {\"a.jpg\": [[10, 20, 110, 220]], \"b.jpg\": []}
  edgeclip embed --text \"a red car\" --text \"a dog on grass\" --out words.safetensors")]
pub(crate) struct Args {
    /// Picture files, folders of pictures, or glob patterns
    #[arg(value_name = "PATH", required_unless_present = "text")]
    paths: Vec<PathBuf>,
    /// JSON object from a picture's path to [x0, y0, x1, y1] boxes in its pixels, which are embedded as well
    #[arg(long, value_name = "FILE")]
    boxes: Option<PathBuf>,
    /// Embed every place of the picture as well
    #[arg(long)]
    dense: bool,
    /// A text to embed, as a prompt is; may be repeated
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a file that is there already, except for inputs
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// The tensors of the file, one picture after the other.
#[derive(Default)]
struct Tensors {
    paths: Vec<String>,
    images: Vec<f32>,
    regions: Vec<f32>,
    region_picture: Vec<i32>,
    dense: Vec<f32>,
    /// Channels, rows and columns of one picture's dense embeddings.
    dense_shape: [usize; 3],
    content: Vec<f32>,
    texts: Vec<f32>,
}

/// Embeds every picture that can be read; the others are counted as failures.
///
/// # Errors
/// What makes the whole call fail: flags, boxes file, model, output file.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    args.limits.apply();
    let decoder = Pictures::start();
    let pictures = expand(&args.paths);
    let mut inputs = args.model.inputs();
    inputs.add_pictures(&args.paths);
    args.boxes.iter().for_each(|file| inputs.add_file(file));
    let out = Target::new(&args.out, "--out", PRIVATE, args.force, &inputs)?;
    let boxes = args.boxes.as_deref().map(|file| Boxes::open(file, &pictures)).transpose()?;
    let mut failures = Failures::default();
    let mut tensors = Tensors::default();
    if !args.text.is_empty() {
        let mut embedder = Embedder::new(args.model.bundle()?);
        for text in &args.text {
            prompts_of(text).map_err(|error| error.renamed("--text"))?;
            // One sentence, commas and all.
            let words = embedder.embed(&[Prompt { name: text.clone(), text: text.clone() }])?;
            tensors.texts.extend(words.embeddings().data());
        }
    }
    let bundle = args.model.bundle()?;
    let pipeline = match pictures.is_empty() {
        true => None,
        false => {
            Some(Pipeline::new(networks(&bundle, false, args.model.threads())?, bundle.manifest.clone()))
        }
    };
    for (path, pipeline) in pictures.into_iter().zip(pipeline.iter().cycle()) {
        let added =
            path.and_then(|path| tensors.add(&decoder.open(&path)?, pipeline, boxes.as_ref(), args.dense));
        if let Err(error) = added {
            failures.add(error);
        }
    }
    if !tensors.paths.is_empty() || !tensors.texts.is_empty() {
        let bytes = tensors.to_bytes(args, bundle.manifest.embedding)?;
        out.write(&bytes)?;
    }
    Ok(failures)
}

impl Tensors {
    /// Adds all of one picture, or nothing.
    fn add(
        &mut self,
        picture: &Picture,
        pipeline: &Pipeline,
        boxes: Option<&Boxes>,
        dense: bool,
    ) -> Result<()> {
        let rects = boxes.map(|boxes| boxes.of(&picture.name, picture.width, picture.height)).transpose()?;
        let mut encoded = pipeline.encode(&picture.frame()?)?;
        let regions = pipeline.embed_boxes(&encoded, &rects.unwrap_or_default())?;

        self.region_picture.extend(vec![self.paths.len() as i32; regions.len()]);
        self.regions.extend(regions.into_iter().flatten());
        normalise::l2(&mut encoded.output.image);
        self.images.extend(encoded.output.image);
        if dense {
            let map = encoded.output.dense;
            self.dense_shape = [map.channels, map.height, map.width];
            self.dense.extend(unit_places(map));
            let content = encoded.letterbox.content();
            self.content.extend([content.x0, content.y0, content.x1, content.y1]);
        }
        self.paths.push(picture.name.clone());
        Ok(())
    }

    fn to_bytes(&self, args: &Args, embedding: usize) -> Result<Vec<u8>> {
        let internal = |error: &dyn std::fmt::Display| Error::bug(format!("embeddings: {error}"));
        let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (pictures, regions) = (self.paths.len(), self.region_picture.len());
        let mut parts = Vec::new();
        if pictures > 0 {
            parts.push(("images", Dtype::F32, vec![pictures, embedding], floats(&self.images)));
        }
        if !args.text.is_empty() {
            parts.push(("texts", Dtype::F32, vec![args.text.len(), embedding], floats(&self.texts)));
        }
        if args.boxes.is_some() && pictures > 0 {
            let owners = self.region_picture.iter().flat_map(|v| v.to_le_bytes()).collect();
            parts.push(("regions", Dtype::F32, vec![regions, embedding], floats(&self.regions)));
            parts.push(("region_picture", Dtype::I32, vec![regions], owners));
        }
        if args.dense && pictures > 0 {
            let [channels, height, width] = self.dense_shape;
            parts.push(("dense", Dtype::F32, vec![pictures, channels, height, width], floats(&self.dense)));
            parts.push(("content", Dtype::F32, vec![pictures, 4], floats(&self.content)));
        }
        let mut views = Vec::new();
        for (name, dtype, shape, data) in &parts {
            views.push((*name, TensorView::new(*dtype, shape.clone(), data).map_err(|e| internal(&e))?));
        }
        let list = |names: &[String]| serde_json::to_string(names).map_err(|e| internal(&e));
        let mut metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("paths".to_owned(), list(&self.paths)?),
        ]);
        if !args.text.is_empty() {
            metadata.insert("texts".to_owned(), list(&args.text)?);
        }
        serialize(views, Some(metadata)).map_err(|e| internal(&e))
    }
}

/// The map's values, CHW, with the vector of each place scaled to unit length.
pub(crate) fn unit_places(map: FeatureMap) -> Vec<f32> {
    let places = map.width * map.height;
    let mut planes = vec![0.0; map.data.len()];
    let mut data = map.data;
    for (place, vector) in data.chunks_exact_mut(map.channels).enumerate() {
        normalise::l2(vector);
        for (to, value) in planes.iter_mut().skip(place).step_by(places).zip(vector) {
            *to = *value;
        }
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_unit_length() {
        let map = FeatureMap { channels: 2, width: 3, height: 1, data: vec![3.0, 4.0, 0.0, 0.0, -1.0, 0.0] };
        assert_eq!(unit_places(map), [0.6, 0.0, -1.0, 0.8, 0.0, 0.0]);
    }
}
