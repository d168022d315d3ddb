//! `features.safetensors` of a bundle, checked.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::vector::{FeatureVector, table};
use crate::error::{Error, Result};
use edgeclip_kernels::Isa;
use edgeclip_kernels::product::Product;

/// Most values of a vector.
const MOST_VALUES: usize = 16_384;

/// `features.safetensors` while it is read.
pub(in crate::model) struct Tensors<'a> {
    pub(in crate::model) file: String,
    pub(in crate::model) tensors: SafeTensors<'a>,
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
    pub(in crate::model) fn length(&self, name: &str) -> Result<usize> {
        match self.tensor(name, Dtype::F32)?.shape() {
            [length] if (1..=MOST_VALUES).contains(length) => Ok(*length),
            shape => Err(self.wrong(format!("{name} of shape {shape:?}"), &format!("[1 to {MOST_VALUES}]"))),
        }
    }

    /// Columns of an int8 table.
    pub(in crate::model) fn columns(&self, name: &str) -> Result<usize> {
        match self.tensor(name, Dtype::I8)?.shape() {
            [_, columns] if (1..=MOST_VALUES).contains(columns) => Ok(*columns),
            shape => {
                Err(self.wrong(format!("{name} of shape {shape:?}"), &format!("[rows, 1 to {MOST_VALUES}]")))
            }
        }
    }

    /// A vector of so many finite numbers.
    pub(in crate::model) fn floats(&self, name: &str, length: usize) -> Result<Vec<f32>> {
        self.shaped(name, &[length])
    }

    /// So many finite numbers along each axis.
    pub(in crate::model) fn shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let view = self.tensor(name, Dtype::F32)?;
        if view.shape() != shape {
            return Err(self.wrong(format!("{name} of shape {:?}", view.shape()), &format!("{shape:?}")));
        }
        let (values, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|v| f32::from_le_bytes(*v)).collect();
        match values.iter().find(|v| !v.is_finite()) {
            Some(bad) => Err(self.wrong(format!("{name} with {bad}"), "finite numbers")),
            None => Ok(values),
        }
    }

    pub(in crate::model) fn positive(&self, name: &str, values: &[f32]) -> Result<()> {
        let bad = values.iter().find(|v| **v <= 0.0);
        bad.map_or(Ok(()), |bad| Err(self.wrong(format!("{name} with {bad}"), "positive numbers")))
    }

    /// int8 rows of so many values, with a scale for each, one by one.
    pub(in crate::model) fn rows(
        &self,
        rows: &str,
        scale: &str,
        values: usize,
    ) -> Result<Vec<FeatureVector>> {
        let factors = self.floats(scale, self.length(scale)?)?;
        let data = self.tensor(rows, Dtype::I8)?.data().chunks_exact(values);
        let row = |(data, scale): (&[u8], f32)| FeatureVector {
            values: data.iter().map(|value| value.cast_signed()).collect(),
            scale,
        };
        Ok(data.zip(factors).map(row).collect())
    }

    /// int8 rows of so many values, with a scale for each, and how many there are.
    pub(in crate::model) fn table(
        &self,
        isa: Isa,
        rows: &str,
        scale: &str,
        values: usize,
    ) -> Result<(Product, usize)> {
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
