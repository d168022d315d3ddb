//! Rows of the joint embedding space.

use edgeclip_kernels::dot;
use edgeclip_kernels::normalise;

/// Embeddings of one dimension D, row after row in one buffer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Embeddings {
    dimension: usize,
    data: Vec<f32>,
}

impl Embeddings {
    /// No rows yet; each will have `dimension` values. A dimension of zero counts as one.
    pub(crate) fn new(dimension: usize) -> Self {
        Self { dimension: dimension.max(1), data: Vec::new() }
    }

    /// Splits `data` into rows of `dimension` values; `None` if it does not divide evenly or `dimension` is
    /// zero.
    pub(crate) fn from_data(dimension: usize, data: Vec<f32>) -> Option<Self> {
        (dimension > 0 && data.len().is_multiple_of(dimension)).then_some(Self { dimension, data })
    }

    /// Appends `row`; returns false and changes nothing if it does not have `dimension` values.
    #[must_use]
    pub(crate) fn push(&mut self, row: &[f32]) -> bool {
        let fits = row.len() == self.dimension;
        if fits {
            self.data.extend_from_slice(row);
        }
        fits
    }

    /// Values per row, D.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.data.len() / self.dimension
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The rows in order, D values each.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> + Clone {
        self.data.chunks_exact(self.dimension)
    }

    /// All values, row after row.
    pub(crate) fn data(&self) -> &[f32] {
        &self.data
    }

    /// The dot product of `vector` with each row, in order.
    pub(crate) fn dots<'a>(&'a self, vector: &'a [f32]) -> impl ExactSizeIterator<Item = f32> + 'a {
        self.rows().map(|row| dot::of_floats(row, vector))
    }
}

/// `vector` divided by its length; `None` if the length is zero or not a finite number.
pub(crate) fn normalised(vector: &[f32]) -> Option<Vec<f32>> {
    let mut unit = vector.to_vec();
    normalise::l2(&mut unit);
    // The kernel leaves what it cannot scale as it was; NaN fails the comparison as well.
    ((dot::of_floats(&unit, &unit) - 1.0).abs() < 0.01).then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_vectors_with_a_direction_are_normalised() {
        assert_eq!(normalised(&[3.0, 0.0, -4.0]), Some(vec![0.6, 0.0, -0.8]));
        assert_eq!(normalised(&[0.0; 4]), None);
        assert_eq!(normalised(&[]), None);
        assert_eq!(normalised(&[1.0, f32::NAN]), None);
        assert_eq!(normalised(&[1.0, f32::INFINITY]), None);
    }

    #[test]
    fn rows_must_fit() {
        let mut rows = Embeddings::new(2);
        assert!(rows.push(&[1.0, 2.0]));
        assert!(!rows.push(&[1.0]));
        assert_eq!((rows.len(), rows.dots(&[10.0, 1.0]).collect::<Vec<_>>()), (1, vec![12.0]));
        assert!(Embeddings::from_data(2, vec![0.0; 3]).is_none());
        assert!(Embeddings::from_data(0, vec![]).is_none());
    }
}
