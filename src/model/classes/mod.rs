//! What the detector itself calls a candidate: the logits of the classes that it was trained on, which a feature map's
//! values at the candidate's cell hold.

#[cfg(test)]
mod tests;

use safetensors::tensor::SafeTensors;

use super::bundle::{Bundle, CLASSES};
use super::features::{Tensors, push_rounded};
use super::manifest::ClassSettings;
use super::output::VisionOutput;
use crate::error::{Error, Result};
use edgeclip_kernels::Isa;
use edgeclip_kernels::product::{Product, Scratch};

/// A cell of the vision network's levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    /// Place of the level among [`VisionOutput::levels`].
    pub level: usize,
    /// Place of the cell in the level, row by row.
    pub index: usize,
}

/// The class head of a bundle.
pub(crate) struct Classes {
    settings: ClassSettings,
    /// One a level.
    heads: Vec<Head>,
    /// Dimension of the joint space.
    dimension: usize,
    /// The classes' names in the joint space, at unit length, one after another.
    embeddings: Vec<f32>,
}

/// From a cell's values to logits.
struct Head {
    map: String,
    channels: usize,
    weights: Product,
    bias: Vec<f32>,
}

impl Classes {
    /// The class head of `bundle`; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Model`] if `classes.safetensors` is broken, [`Error::Settings`] if `EDGECLIP_ISA` names no
    /// instruction set of this CPU.
    pub(crate) fn load(bundle: &Bundle) -> Result<Option<Self>> {
        let Some(settings) = &bundle.manifest.classes else { return Ok(None) };
        let bytes = bundle.file(CLASSES)?;
        Self::read(settings, bundle.manifest.embedding, bundle.path(CLASSES), &bytes).map(Some)
    }

    fn read(settings: &ClassSettings, dimension: usize, file: String, bytes: &[u8]) -> Result<Self> {
        let isa = Isa::chosen().map_err(edgeclip_engine::Error::from)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| {
            Error::model(&file, format!("{} bytes ({error})", bytes.len()), "a safetensors file")
        })?;
        let file = Tensors { file, tensors };
        let mut heads = Vec::new();
        let mut classes = None;
        for map in &settings.maps {
            let name = |part: &str| format!("{map}.{part}");
            let count = file.length(&name("bias"))?;
            let count = *classes.get_or_insert(count);
            let bias = file.floats(&name("bias"), count)?;
            let channels = file.columns(&name("weight"))?;
            let (weights, _) = file.table(isa, &name("weight"), &name("scale"), channels)?;
            if weights.outputs() != count {
                let found = format!("{} of {} rows", name("weight"), weights.outputs());
                return Err(Error::model(&file.file, found, format!("{count}, one for each class")));
            }
            heads.push(Head { map: map.clone(), channels, weights, bias });
        }
        let embeddings = file.shaped("embeddings", &[classes.unwrap_or_default(), dimension])?;
        Ok(Self { settings: settings.clone(), heads, dimension, embeddings })
    }

    /// How classes count beside words.
    pub(crate) fn settings(&self) -> &ClassSettings {
        &self.settings
    }

    /// The classes' names in the joint space, at unit length.
    pub(crate) fn embeddings(&self) -> impl Iterator<Item = &[f32]> {
        self.embeddings.chunks_exact(self.dimension)
    }

    /// The logit of each class at each of `cells`.
    ///
    /// # Errors
    /// [`Error::Model`] if the maps have other channels, [`Error::Bug`] if there is no such cell.
    pub(crate) fn logits(&self, out: &VisionOutput, cells: &[Cell]) -> Result<Vec<Vec<f32>>> {
        let (mut row, mut scratch) = (Vec::new(), Scratch::default());
        let logits = cells.iter().map(|cell| {
            let head =
                self.heads.get(cell.level).ok_or_else(|| Error::bug("a level without a class head"))?;
            let map = out.maps.get(&head.map);
            let map = map.ok_or_else(|| Error::bug(format!("the map {} is not there", head.map)))?;
            if map.channels != head.channels {
                let found = format!("{}.weight of {} columns", head.map, head.channels);
                return Err(Error::model(CLASSES, found, format!("{} as in the map", map.channels)));
            }
            let values = map.data.chunks_exact(map.channels).nth(cell.index);
            let values = values.ok_or_else(|| Error::bug("a cell outside its map"))?;
            row.clear();
            let Some(most) = push_rounded(values, &mut row) else { return Ok(head.bias.clone()) };
            let mut logits = vec![0.0; head.bias.len()];
            head.weights.run_int8(&mut scratch, &row, &mut logits);
            let scale = most / 127.0;
            logits.iter_mut().zip(&head.bias).for_each(|(logit, bias)| *logit = *logit * scale + bias);
            Ok(logits)
        });
        logits.collect()
    }
}
