//! The vision network: one int8 picture in, embeddings, boxes and feature maps out.

use tract_onnx::prelude::*;

use super::bundle::{self, Bundle};
use super::graph::Graph;
use super::output::{FeatureMap, Level, VisionOutput};
use crate::error::{Error, Result};

/// The vision network of a bundle.
pub struct Vision {
    graph: Graph,
    size: usize,
    bins: usize,
    image: usize,
    levels: Vec<(usize, Plane)>,
    maps: Vec<(String, Plane)>,
    dense: Plane,
}

/// Where a `[1, channels, height, width]` output lies.
#[derive(Clone, Copy)]
struct Plane {
    index: usize,
    channels: usize,
    height: usize,
    width: usize,
}

impl Plane {
    fn shape(&self) -> [usize; 4] {
        [1, self.channels, self.height, self.width]
    }
}

impl Vision {
    /// Loads `vision.onnx` and checks its outputs against the manifest.
    ///
    /// # Errors
    /// [`Error::Model`] naming the file and the output.
    pub fn load(bundle: &Bundle) -> Result<Self> {
        let manifest = &bundle.manifest;
        let size = manifest.input.size as usize;
        let graph = Graph::load(bundle, bundle::VISION, |_| vec![i8::fact([1, 3, size, size])])?;
        let (image, shape) = graph.output("image_embedding")?;
        if shape != [1, manifest.embedding] {
            let expected = format!("[1, {}] by the manifest's embedding", manifest.embedding);
            return Err(graph.shape_error("image_embedding", &shape, expected));
        }
        let bins = manifest.detection.bins;
        let mut levels = Vec::new();
        for &stride in &manifest.detection.strides {
            let stride = stride as usize;
            let name = format!("level{stride}");
            let found = plane(&graph, &name)?;
            let (channels, side) = (1 + 4 * bins, size / stride);
            if (found.channels, found.height, found.width) != (channels, side, side) {
                let expected =
                    format!("[1, {channels}, {side}, {side}] by the manifest's bins and input.size");
                return Err(graph.shape_error(&name, &found.shape(), expected));
            }
            levels.push((stride, found));
        }
        let dense = plane(&graph, "dense")?;
        if dense.channels != manifest.embedding {
            let expected = format!("{} channels by the manifest's embedding", manifest.embedding);
            return Err(graph.shape_error("dense", &dense.shape(), expected));
        }
        let mut maps: Vec<(String, Plane)> = Vec::new();
        for name in manifest.region.pool.iter().flat_map(|pool| &pool.maps) {
            if maps.iter().all(|(known, _)| known != name) {
                maps.push((name.clone(), plane(&graph, name)?));
            }
        }
        Ok(Self { graph, size, bins, image, levels, maps, dense })
    }

    /// One pass over `input`, the int8 tensor `[3, S, S]` of `preprocess`.
    ///
    /// # Errors
    /// [`Error::Internal`] if `input` has another length.
    pub fn run(&self, input: &[i8]) -> Result<VisionOutput> {
        let shape = [1, 3, self.size, self.size];
        if input.len() != shape.iter().product::<usize>() {
            return Err(Error::Internal(format!(
                "a vision input of {} values for shape {shape:?}",
                input.len()
            )));
        }
        let values = self.graph.run(tvec!(self.graph.tensor(&shape, input)?))?;
        let map = |plane: Plane| -> Result<FeatureMap> {
            let Plane { index, channels, height, width } = plane;
            Ok(FeatureMap { channels, width, height, data: self.graph.values(&values[index])? })
        };
        let levels = self.levels.iter().map(|&(stride, plane)| {
            let FeatureMap { width, height, data, .. } = map(plane)?;
            Ok(Level { stride, width, height, bins: self.bins, data })
        });
        let maps = self.maps.iter().map(|(name, plane)| Ok((name.clone(), map(*plane)?)));
        Ok(VisionOutput {
            image: self.graph.values(&values[self.image])?,
            levels: levels.collect::<Result<_>>()?,
            maps: maps.collect::<Result<_>>()?,
            dense: map(self.dense)?,
        })
    }
}

/// The output `name`, which must have shape `[1, channels, height, width]`.
fn plane(graph: &Graph, name: &str) -> Result<Plane> {
    let (index, shape) = graph.output(name)?;
    match shape[..] {
        [1, channels, height, width] if channels.min(height).min(width) > 0 => {
            Ok(Plane { index, channels, height, width })
        }
        _ => Err(graph.shape_error(name, &shape, "[1, channels, height, width]".into())),
    }
}
