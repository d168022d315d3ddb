//! `QuantizeLinear` and `DequantizeLinear` of activations that lie between parts which tract runs: one pass over a tensor each, where
//! [`super::write_out`] would make six.

use tract_onnx::pb::NodeProto;

use super::found::Found;
use super::kernel::Kernel;
use super::products::Products;
use crate::refusal::Refusal;

/// The change of type that `node` is, if it is one between f32 and int8 with one scale for a whole tensor. Constants are left to
/// tract, which folds them.
///
/// # Errors
/// Constants that make no sense.
pub(super) fn apply(products: &Products<'_>, node: &NodeProto) -> Result<Option<Found>, Refusal> {
    let kind = node.op_type.as_str();
    let ([from, ..], [to]) = (&node.input[..], &node.output[..]) else { return Ok(None) };
    if !["QuantizeLinear", "DequantizeLinear"].contains(&kind) || products.index.named(from).is_some() {
        return Ok(None);
    }
    let Some(quantisation) = products.quantisation(node)? else { return Ok(None) };
    let kernel = match kind {
        "QuantizeLinear" => Kernel::Quantise(quantisation),
        _ => Kernel::Dequantise(quantisation),
    };
    Ok(Some(Found::new(node, &[from], to, kernel)))
}
