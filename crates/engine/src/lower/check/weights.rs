//! The weights of `Conv`, `Gemm` and `MatMul`.

use tract_onnx::pb::NodeProto;

use super::flaw::Flaw;
use crate::lower::onnx::{Onnx, integer, list};

/// Kernel, groups and bias of a convolution.
pub(super) fn conv(onnx: &Onnx<'_>, node: &NodeProto) -> Result<(), Flaw> {
    let Some(dims) = weights(onnx, node)? else { return Ok(()) };
    let [outputs, _, kernel @ ..] = &dims[..] else {
        return Err(Flaw::new(format!("weights of shape {dims:?}"), "[outputs, inputs, rows, columns]"));
    };
    let declared = list(node, "kernel_shape", kernel);
    if declared != kernel {
        return Err(Flaw::new(format!("weights of shape {dims:?}"), format!("a kernel of {declared:?}")));
    }
    windows(node, kernel.len())?;
    let group = integer(node, "group", 1);
    if group < 1 || outputs % group != 0 {
        return Err(Flaw::new(
            format!("{group} groups for {outputs} outputs"),
            "as many outputs in each group",
        ));
    }
    bias(onnx, node, &[*outputs])
}

/// The attributes of a convolution or pooling over `axes` axes: steps, gaps and paddings, as many as there
/// are axes.
fn windows(node: &NodeProto, axes: usize) -> Result<(), Flaw> {
    for (name, least, count) in [("strides", 1, axes), ("dilations", 1, axes), ("pads", 0, 2 * axes)] {
        let found = list(node, name, &vec![least; count]);
        if found.len() != count || found.iter().any(|&value| value < least) {
            let expected = format!("{count} numbers of at least {least}");
            return Err(Flaw::new(format!("{name} of {found:?}"), expected));
        }
    }
    Ok(())
}

/// The windows of a pooling.
pub(super) fn pooling(node: &NodeProto) -> Result<(), Flaw> {
    let kernel = list(node, "kernel_shape", &[]);
    if kernel.is_empty() || kernel.iter().any(|&side| side < 1) {
        return Err(Flaw::new(format!("a kernel of {kernel:?}"), "positive sides"));
    }
    windows(node, kernel.len())
}

/// Weights and bias of a `Gemm`.
pub(super) fn gemm(onnx: &Onnx<'_>, node: &NodeProto) -> Result<(), Flaw> {
    let axis = usize::from(integer(node, "transB", 0) == 0);
    let Some(dims) = weights(onnx, node)? else { return Ok(()) };
    match dims[..] {
        [_, _] => bias(onnx, node, &[-1, dims[axis]]),
        _ => Err(Flaw::new(format!("weights of shape {dims:?}"), "a matrix")),
    }
}

/// Weights of a `MatMul`.
pub(super) fn matmul(onnx: &Onnx<'_>, node: &NodeProto) -> Result<(), Flaw> {
    weights(onnx, node).map(drop)
}

/// The shape of a node's input 1, if constant.
fn weights(onnx: &Onnx<'_>, node: &NodeProto) -> Result<Option<Vec<i64>>, Flaw> {
    let Some(name) = node.input.get(1) else { return Err(Flaw::new("no weights", "two inputs")) };
    let Some(dq) = onnx.made_by(name, "DequantizeLinear") else {
        return Ok(onnx.constant(name).map(|tensor| tensor.dims.clone()));
    };
    let Some(tensor) = dq.input.first().and_then(|name| onnx.constant(name)) else { return Ok(None) };
    Ok(Some(tensor.dims.clone()))
}

/// A constant bias of a shape that broadcasts to `expected`; of which −1 is any size.
fn bias(onnx: &Onnx<'_>, node: &NodeProto, expected: &[i64]) -> Result<(), Flaw> {
    let Some(name) = node.input.get(2).filter(|name| !name.is_empty()) else { return Ok(()) };
    let stored = onnx.made_by(name, "DequantizeLinear").and_then(|dq| dq.input.first()).unwrap_or(name);
    let Some(tensor) = onnx.constant(stored) else { return Ok(()) };
    let (dims, outputs) = (&tensor.dims[..], expected.last().copied().unwrap_or(0));
    // Only a product's bias broadcasts.
    let broadcasts =
        |(&dim, &size): (&i64, &i64)| dim == size || (expected.len() > 1 && (dim == 1 || size == -1));
    let fits = dims.iter().rev().zip(expected.iter().rev()).all(broadcasts);
    if fits && dims.len() <= expected.len() && (expected.len() > 1 || dims.len() == 1) {
        return Ok(());
    }
    Err(Flaw::new(format!("a bias of shape {dims:?}"), format!("[{outputs}]")))
}
