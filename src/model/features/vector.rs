//! Vectors in int8, and their products.

use edgeclip_kernels::Isa;
use edgeclip_kernels::product::{Columns, Product, Scratch};

/// A vector in int8, of unit length but for prototypes: value k is `values[k] · scale`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureVector {
    /// −127 to 127; the largest magnitude is 127.
    pub values: Vec<i8>,
    /// Positive.
    pub scale: f32,
}

impl FeatureVector {
    /// Scales `vector` to unit length and rounds it: `q = round_half_even(x · (127 / max |x|))`. `None` if its
    /// length is zero or not finite.
    pub(crate) fn quantised(vector: &[f32]) -> Option<Self> {
        let norm = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        Self::of_length(vector, norm)
    }

    /// The same of the length that `vector` has.
    pub(super) fn of_own_length(vector: &[f32]) -> Option<Self> {
        Self::of_length(vector, 1.0)
    }

    fn of_length(vector: &[f32], length: f64) -> Option<Self> {
        let mut values = Vec::with_capacity(vector.len());
        let most = push_rounded(vector, &mut values)?;
        let scale = (f64::from(most) / 127.0 / length) as f32;
        Some(Self { values, scale })
    }

    /// Cosine with another vector of the same space.
    pub(crate) fn cosine(&self, other: &Self) -> f32 {
        let products = self.values.iter().zip(&other.values);
        let sum: i32 = products.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        sum as f32 * other.scale * self.scale
    }
}

/// Added to a number of a smaller magnitude than 2²², it leaves that, rounded half to even, in the lowest bits.
const TO_INTEGER: f32 = 12_582_912.0;

/// Appends `round_half_even(x · (127 / max |x|))` of all values and gives `max |x|`; `None`, and nothing is appended,
/// if that is zero or any value is not finite. In lanes, since comparisons in order cannot be done side by side.
pub(in crate::model) fn push_rounded(values: &[f32], rows: &mut Vec<i8>) -> Option<f32> {
    const LANES: usize = 16;
    let (mut most, mut finite) = ([0f32; LANES], [0f32; LANES]);
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks.iter().map(<[f32; LANES]>::as_slice).chain([rest]) {
        for ((most, finite), value) in most.iter_mut().zip(&mut finite).zip(chunk) {
            *most = if value.abs() > *most { value.abs() } else { *most };
            *finite += value * 0.0;
        }
    }
    let most = most.into_iter().fold(0f32, f32::max);
    let factor = 127.0 / most;
    if !(finite.into_iter().sum::<f32>() == 0.0 && factor.is_finite()) {
        return None;
    }
    rows.extend(values.iter().map(|x| ((x * factor + TO_INTEGER).to_bits() as u8).cast_signed()));
    Some(most)
}

/// int8 rows packed for one instruction set.
pub(super) fn table(isa: Isa, values: usize, scale: Vec<f32>, value: impl Fn(usize, usize) -> i8) -> Product {
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
