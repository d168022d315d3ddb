//! What one pass of the vision network yields, as plain data.

use std::collections::BTreeMap;

/// Box predictions of one stride.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Level {
    /// Input pixels a cell.
    pub stride: usize,
    /// Cells a row.
    pub width: usize,
    /// Rows of cells.
    pub height: usize,
    /// Distance bins a side of the box.
    pub bins: usize,
    /// CHW, `1 + 4 · bins` channels: the objectness logit, then bin logits for left, top, right, bottom.
    pub data: Vec<f32>,
}

/// A feature map, HWC.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureMap {
    /// Number of channels.
    pub channels: usize,
    /// Cells a row.
    pub width: usize,
    /// Rows of cells.
    pub height: usize,
    /// `height · width · channels` values, place after place.
    pub data: Vec<f32>,
}

/// Everything that one pass of the vision network yields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VisionOutput {
    /// Embedding of the whole picture, not normalised, `embedding` values.
    pub image: Vec<f32>,
    /// Box predictions, in the order of the manifest's strides.
    pub levels: Vec<Level>,
    /// Feature maps that region pools read, by their name in the manifest.
    pub maps: BTreeMap<String, FeatureMap>,
    /// Dense embeddings, not normalised, `embedding` channels.
    pub dense: FeatureMap,
}
