//! The vision network: one int8 picture in, embeddings, boxes and feature maps out.

use edgeclip_engine::{Element, Engine, Options, StepReport};

use super::bundle::{Bundle, VISION};
use super::manifest::{ExampleSettings, Manifest, Pool};
use super::output::{FeatureMap, Level, VisionOutput};
use crate::error::{Error, Result};

/// The vision network of a bundle.
pub(crate) struct Vision {
    network: Engine,
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
    /// Loads `vision.onnx` and checks its outputs against the manifest. It runs through the int8 kernels, on `threads` threads
    /// (at least 1), if it can be lowered to them, else in float through tract.
    ///
    /// # Errors
    /// Those of [`Options::open`]; an output that the manifest does not explain.
    pub(crate) fn load(bundle: &Bundle, threads: usize) -> Result<Self> {
        Self::new(bundle, Self::engine(bundle, threads)?)
    }

    /// `vision.onnx` on its own, of whose outputs nothing is expected.
    ///
    /// # Errors
    /// Those of [`Options::open`].
    pub(crate) fn engine(bundle: &Bundle, threads: usize) -> Result<Engine> {
        open(bundle, &Engine::options().threads(threads))
    }

    /// The same in float through tract alone, to compare with.
    ///
    /// # Errors
    /// Those of [`Options::open`]; an output that the manifest does not explain.
    #[cfg(test)]
    pub(crate) fn load_float(bundle: &Bundle) -> Result<Self> {
        Self::new(bundle, open(bundle, &Engine::options().in_float())?)
    }

    /// Whether the int8 kernels run it.
    pub(crate) fn is_int8(&self) -> bool {
        self.network.is_int8()
    }

    /// The nodes that stay in float and why, one line each. If not even [`Vision::is_int8`], the first that keeps the whole
    /// network in float.
    pub(crate) fn left_in_float(&self) -> Vec<String> {
        self.network.left_in_float()
    }

    fn new(bundle: &Bundle, network: Engine) -> Result<Self> {
        let (manifest, file) = (&bundle.manifest, bundle.path(VISION));
        let size = manifest.input.size as usize;
        let input = network.input();
        if (input.element, input.shape) != (Element::Int8, [1, 3, size, size]) {
            let (what, expected) =
                (format!("input {} of {:?}", input.name, input.element), [1, 3, size, size]);
            let expected = format!("Int8 {expected:?} by the manifest's input.size");
            return Err(shape_error(&file, &what, &input.shape, expected));
        }
        let (image, shape) = network.output("image_embedding")?;
        if shape != [1, manifest.embedding] {
            let expected = format!("[1, {}] by the manifest's embedding", manifest.embedding);
            return Err(shape_error(&file, "output image_embedding", &shape, expected));
        }
        let bins = manifest.detection.bins;
        let mut levels = Vec::new();
        for &stride in &manifest.detection.strides {
            let stride = stride as usize;
            let name = format!("level{stride}");
            let found = plane(&network, &file, &name)?;
            let (channels, side) = (1 + 4 * bins, size / stride);
            if (found.channels, found.height, found.width) != (channels, side, side) {
                let expected =
                    format!("[1, {channels}, {side}, {side}] by the manifest's bins and input.size");
                return Err(shape_error(&file, &format!("output {name}"), &found.shape(), expected));
            }
            levels.push((stride, found));
        }
        let dense = plane(&network, &file, "dense")?;
        if dense.channels != manifest.embedding {
            let expected = format!("{} channels by the manifest's embedding", manifest.embedding);
            return Err(shape_error(&file, "output dense", &dense.shape(), expected));
        }
        let mut maps: Vec<(String, Plane)> = Vec::new();
        for name in map_names(manifest) {
            if maps.iter().all(|(known, _)| *known != name) {
                let plane = plane(&network, &file, &name)?;
                maps.push((name, plane));
            }
        }
        let of_classes = manifest.classes.iter().flat_map(|classes| &classes.maps).zip(&levels);
        for (name, (_, level)) in of_classes {
            let map = maps.iter().find(|(known, _)| known == name).map(|(_, plane)| plane);
            if let Some(map) = map.filter(|map| (map.height, map.width) != (level.height, level.width)) {
                let expected = format!("{} x {} cells, as its level has", level.height, level.width);
                return Err(shape_error(&file, &format!("output {name}"), &map.shape(), expected));
            }
        }
        Ok(Self { network, bins, image, levels, maps, dense })
    }

    /// One pass over `input`, the int8 tensor `[3, S, S]` of `preprocess`.
    ///
    /// # Errors
    /// [`Error::Bug`](crate::error::Error::Bug) if `input` has another length.
    pub(crate) fn run(&self, input: &[i8]) -> Result<VisionOutput> {
        let map = |plane: &Plane| FeatureMap {
            channels: plane.channels,
            width: plane.width,
            height: plane.height,
            data: Vec::new(),
        };
        let level = |&(stride, Plane { width, height, .. }): &(usize, Plane)| Level {
            stride,
            width,
            height,
            bins: self.bins,
            data: Vec::new(),
        };
        let mut output = VisionOutput {
            image: Vec::new(),
            levels: self.levels.iter().map(level).collect(),
            maps: self.maps.iter().map(|(name, plane)| (name.clone(), map(plane))).collect(),
            dense: map(&self.dense),
        };
        self.run_into(input, &mut output)?;
        Ok(output)
    }

    /// The same into the output of an earlier pass of this network: the int8 kernels then allocate no memory.
    ///
    /// # Errors
    /// As [`Vision::run`].
    pub(crate) fn run_into(&self, input: &[i8], output: &mut VisionOutput) -> Result<()> {
        let mut pass = self.network.pass(input)?;
        pass.read(self.image, &mut output.image)?;
        for (level, (_, plane)) in output.levels.iter_mut().zip(&self.levels) {
            pass.read(plane.index, &mut level.data)?;
        }
        for (name, plane) in &self.maps {
            if let Some(map) = output.maps.get_mut(name) {
                pass.read_pixels(plane.index, &mut map.data)?;
            }
        }
        Ok(pass.read_pixels(self.dense.index, &mut output.dense.data)?)
    }

    /// What the network consists of, in the order in which it runs; empty if not even [`Vision::is_int8`].
    pub(crate) fn steps(&self) -> Vec<StepReport> {
        self.network.steps()
    }
}

/// The feature maps that are read, some of them several times.
fn map_names(manifest: &Manifest) -> Vec<String> {
    let examples: Vec<Pool> = manifest.examples.iter().flat_map(ExampleSettings::pools).collect();
    let pooled = manifest.region.pool.iter().chain(&examples).flat_map(|pool| &pool.maps);
    pooled.chain(manifest.classes.iter().flat_map(|classes| &classes.maps)).cloned().collect()
}

/// The output `name`, which must have shape `[1, channels, height, width]`.
fn plane(network: &Engine, file: &str, name: &str) -> Result<Plane> {
    let (index, shape) = network.output(name)?;
    match shape[..] {
        [1, channels, height, width] if channels.min(height).min(width) > 0 => {
            Ok(Plane { index, channels, height, width })
        }
        _ => {
            let expected = "[1, channels, height, width]".to_owned();
            Err(shape_error(file, &format!("output {name}"), &shape, expected))
        }
    }
}

/// The error of an input or output whose shape the manifest does not explain.
fn shape_error(file: &str, what: &str, found: &[usize], expected: String) -> Error {
    Error::model(file, format!("{what} of shape {found:?}"), expected)
}

/// The bundle's vision network on its own.
fn open(bundle: &Bundle, options: &Options) -> Result<Engine> {
    Ok(options.load(&bundle.path(VISION), &bundle.file(VISION)?)?)
}
