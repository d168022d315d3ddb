//! The space in which examples are compared: what the trunk's own feature maps hold in a box or in the whole
//! picture, standardised and projected, beside the embedding that words are compared with.

use std::slice;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::bundle::{Bundle, FEATURES};
use super::manifest::{ExamplePool, ExampleSettings};
use super::output::VisionOutput;
use super::region;
use crate::error::{Error, Result};
use crate::geometry::Rect;
use edgeclip_kernels::product::{Columns, Product, Scratch};
use edgeclip_kernels::{Isa, normalise};

/// Most values of a vector.
const MOST_VALUES: usize = 16_384;

/// A unit vector in int8: value k is `values[k] · scale`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureVector {
    /// −127 to 127; the largest magnitude is 127.
    pub values: Vec<i8>,
    /// Positive.
    pub scale: f32,
}

/// The space of a bundle.
pub(crate) struct FeatureSpace {
    isa: Isa,
    settings: ExampleSettings,
    size: u32,
    mean: Vec<f32>,
    deviation: Vec<f32>,
    projection: Product,
    region_centre: Vec<f32>,
    picture_centre: Vec<f32>,
    /// Vectors of everyday things: "none of these".
    bank: Product,
}

impl FeatureVector {
    /// Scales `vector` to unit length and rounds it: `q = round_half_even(x · (127 / max |x|))`. `None` if its
    /// length is zero or not finite.
    pub(crate) fn quantised(vector: &[f32]) -> Option<Self> {
        let norm = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        let most = vector.iter().fold(0f32, |most, x| most.max(x.abs()));
        let factor = 127.0 / most;
        if !(norm > 0.0 && norm.is_finite() && factor.is_finite()) {
            return None;
        }
        let round = |x: &f32| (x * factor).round_ties_even().clamp(-127.0, 127.0) as i8;
        let scale = (f64::from(most) / 127.0 / norm) as f32;
        Some(Self { values: vector.iter().map(round).collect(), scale })
    }

    /// Cosine with another vector of the same space.
    pub(crate) fn cosine(&self, other: &Self) -> f32 {
        let products = self.values.iter().zip(&other.values);
        let sum: i32 = products.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        sum as f32 * other.scale * self.scale
    }
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
        Ok(Some(Self {
            isa,
            settings: settings.clone(),
            size: bundle.manifest.input.size,
            mean: file.floats("mean", features)?,
            deviation,
            projection,
            region_centre: file.floats("region_centre", embedding)?,
            picture_centre: file.floats("picture_centre", embedding)?,
            bank,
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
    /// where nothing is. `content` is where the picture lies in the input.
    ///
    /// # Errors
    /// [`Error::Settings`] if a box is empty or not finite; [`Error::Model`] if the maps have other channels.
    pub(crate) fn of_boxes(
        &self,
        out: &VisionOutput,
        content: &Rect,
        boxes: &[(Rect, &[f32])],
    ) -> Result<Vec<Option<FeatureVector>>> {
        self.vectors(out, &self.settings.region, &self.region_centre, content, boxes)
    }

    /// The vector of the whole picture.
    ///
    /// # Errors
    /// Same as [`FeatureSpace::of_boxes`].
    pub(crate) fn of_picture(&self, out: &VisionOutput, content: &Rect) -> Result<Option<FeatureVector>> {
        let mut embedding = out.image.clone();
        normalise::l2(&mut embedding);
        let whole = [(*content, embedding.as_slice())];
        let vectors = self.vectors(out, &self.settings.picture, &self.picture_centre, content, &whole)?;
        Ok(vectors.into_iter().next().flatten())
    }

    fn vectors(
        &self,
        out: &VisionOutput,
        kind: &ExamplePool,
        centre: &[f32],
        content: &Rect,
        boxes: &[(Rect, &[f32])],
    ) -> Result<Vec<Option<FeatureVector>>> {
        let pool = kind.pool();
        let seen = boxes.iter().map(|(rect, _)| {
            let mut features = Vec::with_capacity(self.mean.len());
            region::pooled(self.isa, out, slice::from_ref(&pool), self.size, content, rect, &mut features)?;
            if features.len() != self.mean.len() {
                let found = format!("mean of {} values", self.mean.len());
                return Err(Error::model(FEATURES, found, format!("{} as in the maps", features.len())));
            }
            let standards = self.mean.iter().zip(&self.deviation);
            for (x, (mean, deviation)) in features.iter_mut().zip(standards) {
                *x = (*x - mean) / deviation;
            }
            Ok(FeatureVector::quantised(&features))
        });
        let seen = seen.collect::<Result<Vec<_>>>()?;
        let rows: Vec<i8> = seen.iter().flatten().flat_map(|vector| &vector.values).copied().collect();
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

/// `features.safetensors` while it is read.
struct Tensors<'a> {
    file: String,
    tensors: SafeTensors<'a>,
}

impl Tensors<'_> {
    fn wrong(&self, found: String, expected: &str) -> Error {
        Error::model(&self.file, found, expected)
    }

    fn tensor(&self, name: &str, kind: Dtype) -> Result<TensorView<'_>> {
        let expected = format!("{name} of type {kind:?}");
        let view = self.tensors.tensor(name);
        let view = view.map_err(|_| self.wrong(format!("no tensor {name}"), &expected))?;
        if view.dtype() != kind {
            return Err(self.wrong(format!("{name} of type {:?}", view.dtype()), &expected));
        }
        Ok(view)
    }

    /// Length of a vector.
    fn length(&self, name: &str) -> Result<usize> {
        match self.tensor(name, Dtype::F32)?.shape() {
            [length] if (1..=MOST_VALUES).contains(length) => Ok(*length),
            shape => Err(self.wrong(format!("{name} of shape {shape:?}"), &format!("[1 to {MOST_VALUES}]"))),
        }
    }

    /// A vector of so many finite numbers.
    fn floats(&self, name: &str, length: usize) -> Result<Vec<f32>> {
        let view = self.tensor(name, Dtype::F32)?;
        if view.shape() != [length] {
            return Err(self.wrong(format!("{name} of shape {:?}", view.shape()), &format!("[{length}]")));
        }
        let (values, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|v| f32::from_le_bytes(*v)).collect();
        match values.iter().find(|v| !v.is_finite()) {
            Some(bad) => Err(self.wrong(format!("{name} with {bad}"), "finite numbers")),
            None => Ok(values),
        }
    }

    fn positive(&self, name: &str, values: &[f32]) -> Result<()> {
        let bad = values.iter().find(|v| **v <= 0.0);
        bad.map_or(Ok(()), |bad| Err(self.wrong(format!("{name} with {bad}"), "positive numbers")))
    }

    /// int8 rows of so many values, with a scale for each, and how many there are.
    fn table(&self, isa: Isa, rows: &str, scale: &str, values: usize) -> Result<(Product, usize)> {
        let count = self.length(scale)?;
        let factors = self.floats(scale, count)?;
        self.positive(scale, &factors)?;
        let view = self.tensor(rows, Dtype::I8)?;
        if view.shape() != [count, values] {
            return Err(
                self.wrong(format!("{rows} of shape {:?}", view.shape()), &format!("[{count}, {values}]"))
            );
        }
        let data = view.data();
        let value = |input: usize, row: usize| {
            data.get(row * values + input).copied().unwrap_or_default().cast_signed()
        };
        Ok((table(isa, values, factors, value), count))
    }
}

/// int8 rows packed for one instruction set.
fn table(isa: Isa, values: usize, scale: Vec<f32>, value: impl Fn(usize, usize) -> i8) -> Product {
    let bias = vec![0.0; scale.len()];
    Product::new(isa, values, Columns { scale, bias }, value)
}

/// The cosine of each vector with each row of `table`, vector after vector.
pub(crate) fn cosines(table: &Product, vectors: &[&FeatureVector]) -> Vec<f32> {
    let rows: Vec<i8> = vectors.iter().flat_map(|vector| &vector.values).copied().collect();
    let mut cosines = vec![0.0; vectors.len() * table.outputs()];
    table.run_int8(&mut Scratch::default(), &rows, &mut cosines);
    if table.outputs() > 0 {
        for (row, vector) in cosines.chunks_exact_mut(table.outputs()).zip(vectors) {
            row.iter_mut().for_each(|cosine| *cosine *= vector.scale);
        }
    }
    cosines
}

#[cfg(test)]
#[path = "features_tests.rs"]
pub(super) mod tests;
