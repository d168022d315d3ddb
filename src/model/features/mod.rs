//! The space in which examples are compared: what the trunk's own feature maps hold in a box or in the whole
//! picture, standardised and projected, beside the embedding that words are compared with.

mod file;
mod regression;
mod vector;

#[cfg(test)]
pub(super) mod tests;

pub(super) use file::Tensors;
pub(super) use vector::push_rounded;
pub(crate) use vector::{FeatureVector, cosines};

use std::slice;
use std::sync::OnceLock;

use safetensors::tensor::SafeTensors;

use self::regression::Regression;
use self::vector::table;
use super::bundle::{Bundle, FEATURES};
use super::manifest::{ExamplePool, ExampleSettings, Pool};
use super::output::VisionOutput;
use super::region::{self, Pooled};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use edgeclip_kernels::product::{Product, Scratch};
use edgeclip_kernels::{Isa, normalise};

/// The space of a bundle.
pub(crate) struct FeatureSpace {
    isa: Isa,
    settings: ExampleSettings,
    region: Pool,
    size: u32,
    mean: Vec<f32>,
    deviation: Vec<f32>,
    projection: Product,
    region_centre: Vec<f32>,
    picture_centre: Vec<f32>,
    /// Vectors of everyday things: "none of these".
    bank: Product,
    /// The same, one by one.
    everyday: Vec<FeatureVector>,
    /// Made when a name is first taught.
    regression: OnceLock<Regression>,
}

impl FeatureSpace {
    /// The space of `bundle`; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Model`] if `features.safetensors` is broken, [`Error::Settings`] if `EDGECLIP_ISA` names no
    /// instruction set of this CPU.
    pub(crate) fn load(bundle: &Bundle) -> Result<Option<Self>> {
        let Some(settings) = &bundle.manifest.examples else { return Ok(None) };
        let isa = Isa::chosen().map_err(edgeclip_engine::Error::from)?;
        let file = bundle.path(FEATURES);
        let bytes = bundle.file(FEATURES)?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| {
            Error::model(&file, format!("{} bytes ({error})", bytes.len()), "a safetensors file")
        })?;
        let file = Tensors { file, tensors };
        let (features, embedding) = (file.length("mean")?, bundle.manifest.embedding);
        let deviation = file.floats("deviation", features)?;
        file.positive("deviation", &deviation)?;
        let (projection, projected) = file.table(isa, "projection", "projection_scale", features)?;
        let (bank, _) = file.table(isa, "bank", "bank_scale", projected + embedding)?;
        let everyday = file.rows("bank", "bank_scale", projected + embedding)?;
        Ok(Some(Self {
            isa,
            settings: settings.clone(),
            region: settings.region.pool(),
            size: bundle.manifest.input.size,
            mean: file.floats("mean", features)?,
            deviation,
            projection,
            region_centre: file.floats("region_centre", embedding)?,
            picture_centre: file.floats("picture_centre", embedding)?,
            bank,
            everyday,
            regression: OnceLock::new(),
        }))
    }

    /// How its cosines become evidence.
    pub(crate) fn settings(&self) -> &ExampleSettings {
        &self.settings
    }

    /// Number of values of a vector.
    pub(crate) fn values(&self) -> usize {
        self.bank.inputs()
    }

    /// The vector of each box in pixels of the network's input, given with its embedding of unit norm; `None`
    /// where nothing is. `content` is where the picture lies in the input; `pooled` is what [`FeatureSpace::pool`]
    /// holds of the boxes, if that is known.
    ///
    /// # Errors
    /// [`Error::Settings`] if a box is empty or not finite; [`Error::Model`] if the maps have other channels.
    pub(crate) fn of_boxes(
        &self,
        out: &VisionOutput,
        content: &Rect,
        boxes: &[(Rect, &[f32])],
        pooled: Option<&Pooled>,
    ) -> Result<Vec<Option<FeatureVector>>> {
        self.vectors(out, &self.settings.region, &self.region_centre, content, boxes, pooled)
    }

    /// What is pooled of boxes.
    pub(crate) fn pool(&self) -> &Pool {
        &self.region
    }

    /// The vector of the whole picture.
    ///
    /// # Errors
    /// Same as [`FeatureSpace::of_boxes`].
    pub(crate) fn of_picture(&self, out: &VisionOutput, content: &Rect) -> Result<Option<FeatureVector>> {
        let mut embedding = out.image.clone();
        normalise::l2(&mut embedding);
        let whole = [(*content, embedding.as_slice())];
        let vectors =
            self.vectors(out, &self.settings.picture, &self.picture_centre, content, &whole, None)?;
        Ok(vectors.into_iter().next().flatten())
    }

    fn vectors(
        &self,
        out: &VisionOutput,
        kind: &ExamplePool,
        centre: &[f32],
        content: &Rect,
        boxes: &[(Rect, &[f32])],
        pooled: Option<&Pooled>,
    ) -> Result<Vec<Option<FeatureVector>>> {
        let pool = kind.pool();
        let mut rows: Vec<i8> = Vec::with_capacity(boxes.len() * self.mean.len());
        let mut seen = Vec::with_capacity(boxes.len());
        let (mut own, mut standardised) = (Vec::new(), Vec::new());
        for (index, (rect, _)) in boxes.iter().enumerate() {
            let features = if let Some(features) = pooled.and_then(|pooled| pooled.of(index)) {
                features
            } else {
                own.clear();
                region::pooled(self.isa, out, slice::from_ref(&pool), self.size, content, rect, &mut own)?;
                &own
            };
            if features.len() != self.mean.len() {
                let found = format!("mean of {} values", self.mean.len());
                return Err(Error::model(FEATURES, found, format!("{} as in the maps", features.len())));
            }
            let standards = self.mean.iter().zip(&self.deviation);
            standardised.clear();
            standardised
                .extend(features.iter().zip(standards).map(|(x, (mean, deviation))| (x - mean) / deviation));
            seen.push(push_rounded(&standardised, &mut rows));
        }
        let width = self.projection.outputs();
        let mut projected = vec![0.0; rows.len() / self.mean.len() * width];
        self.projection.run_int8(&mut Scratch::default(), &rows, &mut projected);
        let mut projected = projected.chunks_exact(width);
        let vectors = seen.iter().zip(boxes).map(|(seen, (_, embedding))| {
            seen.as_ref()?;
            let mut vector = projected.next()?.to_vec();
            let length =
                |part: &[f32]| part.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
            let norm = length(&vector);
            if !(norm > 0.0 && norm.is_finite()) {
                return None;
            }
            vector.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
            let said: Vec<f32> = embedding.iter().zip(centre).map(|(e, centre)| e - centre).collect();
            let norm = length(&said);
            let weight = f64::from(kind.embedding);
            let weighed = |v: f32| if norm > 0.0 { (f64::from(v) / norm * weight) as f32 } else { 0.0 };
            vector.extend(said.into_iter().map(weighed));
            FeatureVector::quantised(&vector)
        });
        Ok(vectors.collect())
    }

    /// The embedding of unit norm that a vector was made of, as far as its int8 values tell; `whole` if it is a picture's.
    /// It lies from the centre of its kind in the direction of the vector's second part.
    pub(crate) fn embedding(&self, vector: &FeatureVector, whole: bool) -> Vec<f32> {
        let centre = if whole { &self.picture_centre } else { &self.region_centre };
        let said = vector.values.get(self.projection.outputs()..).unwrap_or_default();
        let sum = |products: &mut dyn Iterator<Item = f64>| products.sum::<f64>();
        let length = sum(&mut said.iter().map(|v| f64::from(*v).powi(2))).sqrt().max(f64::MIN_POSITIVE);
        let along = sum(&mut said.iter().zip(centre).map(|(v, c)| f64::from(*v) / length * f64::from(*c)));
        let centred = sum(&mut centre.iter().map(|c| f64::from(*c).powi(2)));
        let far = (along * along + 1.0 - centred).max(0.0).sqrt() - along;
        said.iter().zip(centre).map(|(v, c)| (f64::from(*c) + far * f64::from(*v) / length) as f32).collect()
    }

    /// A vector as states are compared by: what is compared with words weighs half, since it follows the light more than
    /// what the trunk sees does. A lamp that is off at dusk resembles one that is on in the dark.
    pub(crate) fn of_state(&self, vector: &FeatureVector) -> FeatureVector {
        let mut values = vector.values.clone();
        values.iter_mut().skip(self.projection.outputs()).for_each(|said| *said /= 2);
        let square: i32 = values.iter().map(|value| i32::from(*value).pow(2)).sum();
        FeatureVector { values, scale: f64::from(square.max(1)).sqrt().recip() as f32 }
    }

    /// What examples are compared by, whose sum is `sum` and which are `count`: their unit mean or, where the manifest has a
    /// `ridge`, what tells that from everyday things. `None` where they cancel.
    pub(crate) fn prototype(&self, sum: &[f64], count: usize) -> Option<FeatureVector> {
        let rounded = |vector: &[f64]| vector.iter().map(|value| *value as f32).collect::<Vec<f32>>();
        let unit = FeatureVector::quantised(&rounded(sum))?;
        let Some(ridge) = self.settings.ridge else { return Some(unit) };
        let mean: Vec<f64> = sum.iter().map(|value| value / count as f64).collect();
        let regression = self.regression.get_or_init(|| Regression::new(&self.everyday, ridge));
        FeatureVector::of_own_length(&rounded(&regression.of(&self.everyday, &mean)))
    }

    /// How like everyday things each vector is: `ln mean_n exp(scale · cos(f, bank_n))`.
    pub(crate) fn everyday(&self, vectors: &[&FeatureVector]) -> Vec<f64> {
        let scale = self.settings.scale;
        let cosines = cosines(&self.bank, vectors);
        let everyday = cosines.chunks_exact(self.bank.outputs()).map(|row| {
            let logits = row.iter().map(|cosine| f64::from(scale * cosine));
            let most = logits.clone().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logits.map(|logit| (logit - most).exp()).sum();
            most + (sum / row.len() as f64).ln()
        });
        everyday.collect()
    }

    /// `rows` packed for [`cosines`].
    pub(crate) fn table(&self, rows: &[FeatureVector]) -> Product {
        let scale = rows.iter().map(|row| row.scale).collect();
        table(self.isa, self.values(), scale, |input, row| {
            rows.get(row).and_then(|row| row.values.get(input)).copied().unwrap_or_default()
        })
    }
}
