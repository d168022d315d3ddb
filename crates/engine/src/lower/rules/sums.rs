//! Sums of products that are not quantised by themselves.

use tract_onnx::pb::NodeProto;

use super::convolution::Stored16;
use super::{deconvolution, matrix, products};
use crate::lower::builder::Builder;
use crate::refusal::Refusal;
use crate::steps::{Order, Sum, View};
use edgeclip_kernels::wide::Wide;

/// A convolution, or a product.
pub(super) struct Sums {
    pub(super) sum: Sum,
    pub(super) from: Vec<View>,
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
    /// From sums to real numbers.
    pub(super) multipliers: Vec<f32>,
}

/// Whether a node sums products.
pub(super) fn is_sum(node: &NodeProto) -> bool {
    matches!(node.op_type.as_str(), "Conv" | "ConvTranspose" | "MatMul" | "Gemm")
}

/// What such a node sums of quantised tensors.
pub(super) fn sums(builder: &mut Builder, node: &NodeProto) -> Result<Sums, Refusal> {
    match node.op_type.as_str() {
        "Conv" => Ok(convolution(Stored16::new(builder, node)?)),
        "ConvTranspose" => Ok(convolution(deconvolution::stored(builder, node)?)),
        "MatMul" if products::joins(builder, node) => products::sums(builder, node),
        _ => matrix::sums(builder, node),
    }
}

fn convolution(stored: Stored16) -> Sums {
    let [height, width] = stored.window.output;
    let (outputs, zero) = (stored.bias.len(), stored.x.zero as i8);
    Sums {
        multipliers: stored.scales.iter().map(|scale| stored.x.scale * scale).collect(),
        from: vec![stored.x.tensor.view],
        shape: vec![1, outputs, height, width],
        order: Order::First,
        sum: Sum::Convolution(Wide::new(stored.window, stored.groups, zero, &stored.weights, stored.bias)),
    }
}
