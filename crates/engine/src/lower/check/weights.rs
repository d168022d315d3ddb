//! The weights of `Conv`, `Gemm` and `MatMul`.

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::flaw::Flaw;
use crate::lower::onnx::{Onnx, integer, list};

/// Kernel, groups and bias of a convolution.
pub(super) fn conv(onnx: &Onnx<'_>, node: &NodeProto) -> Result<(), Flaw> {
    let Some(dims) = weights(onnx, node, 0)? else { return Ok(()) };
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
    let Some(dims) = weights(onnx, node, axis)? else { return Ok(()) };
    match dims[..] {
        [_, _] => bias(onnx, node, &[1, dims[axis]]),
        _ => Err(Flaw::new(format!("weights of shape {dims:?}"), "a matrix")),
    }
}

/// Weights of a `MatMul`.
pub(super) fn matmul(onnx: &Onnx<'_>, node: &NodeProto) -> Result<(), Flaw> {
    weights(onnx, node, 1).map(drop)
}

/// The shape of a node's input 1, if constant. Where it is quantised, it is symmetric, and its scales lie
/// along `outputs`.
fn weights(onnx: &Onnx<'_>, node: &NodeProto, outputs: usize) -> Result<Option<Vec<i64>>, Flaw> {
    let Some(name) = node.input.get(1) else { return Err(Flaw::new("no weights", "two inputs")) };
    let Some(dq) = onnx.made_by(name, "DequantizeLinear") else {
        return Ok(onnx.constant(name).map(|tensor| tensor.dims.clone()));
    };
    let Some(tensor) = dq.input.first().and_then(|name| onnx.constant(name)) else { return Ok(None) };
    let symmetric = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Uint8) => 128,
        _ => 0,
    };
    if let Some(zeros) = dq.input.get(2).and_then(|name| onnx.integers(name).ok()) {
        if let Some(zero) = zeros.values.iter().find(|zero| **zero != symmetric) {
            let found = format!("weights with a zero point of {zero}");
            return Err(Flaw::new(found, format!("symmetric weights, {symmetric}")));
        }
    } else if symmetric != 0 {
        return Err(Flaw::new("uint8 weights with a zero point of 0", "symmetric weights, 128"));
    }
    let scales = dq.input.get(1).and_then(|name| onnx.constant(name)).and_then(|tensor| tensor.dims.first());
    if tensor.dims.len() > outputs && scales.is_some_and(|&count| count > 1) {
        let axis = integer(dq, "axis", 1);
        let rank = tensor.dims.len() as i64;
        if (if axis < 0 { axis + rank } else { axis }) != outputs as i64 {
            let found = format!("weights with scales along axis {axis}");
            return Err(Flaw::new(found, format!("axis {outputs}, the outputs")));
        }
    }
    Ok(Some(tensor.dims.clone()))
}

/// A constant bias of the shape `expected`, leading ones left out or not, or of one number where a batch axis
/// is expected.
fn bias(onnx: &Onnx<'_>, node: &NodeProto, expected: &[i64]) -> Result<(), Flaw> {
    let Some(name) = node.input.get(2).filter(|name| !name.is_empty()) else { return Ok(()) };
    let stored = onnx.made_by(name, "DequantizeLinear").and_then(|dq| dq.input.first()).unwrap_or(name);
    let Some(tensor) = onnx.constant(stored) else { return Ok(()) };
    let (dims, outputs) = (&tensor.dims[..], expected.last().copied().unwrap_or(0));
    let one = expected.len() > 1 && dims.iter().all(|&dim| dim == 1);
    if one || dims == [outputs] || dims == expected {
        return Ok(());
    }
    Err(Flaw::new(format!("a bias of shape {dims:?}"), format!("[{outputs}]")))
}
