//! `QuantizeLinear` and `DequantizeLinear`.

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::flaw::{Flaw, RANK};
use crate::lower::onnx::{Onnx, integer};

/// Scale and zero point: positive, of one shape, of a type and number that fit the tensor.
pub(super) fn check(onnx: &Onnx<'_>, node: &NodeProto) -> Result<(), Flaw> {
    let input = |index: usize| node.input.get(index).map(String::as_str).filter(|name| !name.is_empty());
    let (Some(tensor), Some(scale), Some(_)) = (input(0), input(1), node.output.first()) else {
        return Err(Flaw::new(format!("{} inputs", node.input.len()), "a tensor, a scale and a zero point"));
    };
    if onnx.constant(scale).is_none() {
        return Err(Flaw::new(
            format!("a scale {scale} that is computed"),
            "a constant: static quantisation",
        ));
    }
    let scales =
        onnx.floats(scale).map_err(|_| Flaw::new(format!("a scale {scale} that is not f32"), "f32"))?;
    if let Some(value) = scales.values.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
        return Err(Flaw::new(format!("a scale of {value}"), "a positive number"));
    }
    if integer(node, "block_size", 0) != 0 || scales.dims.len() > 1 {
        return Err(Flaw::new(format!("scales of shape {:?}", scales.dims), "one scale, or one a channel"));
    }
    let kind = match input(2) {
        Some(zero) => Some(zero_point(onnx, node, zero, scales.values.len())?),
        None => None,
    };
    if node.op_type == "DequantizeLinear" {
        let kind = kind.unwrap_or(DataType::Uint8);
        match stored_as(onnx, tensor) {
            Some(found) if found != kind && input(2).is_some() => {
                let found = format!("a zero point of {kind:?} for a tensor of {found:?}");
                return Err(Flaw::new(found, "one type for both"));
            }
            _ => {}
        }
    }
    if scales.values.len() > 1 { axis(onnx, node, tensor, scales.values.len()) } else { Ok(()) }
}

/// The type of the zero point `name`, of which there must be `count`.
fn zero_point(onnx: &Onnx<'_>, node: &NodeProto, name: &str, count: usize) -> Result<DataType, Flaw> {
    let Some(tensor) = onnx.constant(name) else {
        return Err(Flaw::new(format!("a zero point {name} that is computed"), "a constant"));
    };
    let kind = DataType::try_from(tensor.data_type).unwrap_or(DataType::Undefined);
    let fits = match kind {
        DataType::Int8 | DataType::Uint8 => true,
        DataType::Int32 => node.op_type == "DequantizeLinear",
        _ => false,
    };
    let expected = "a zero point of int8 or uint8";
    let zeros = match onnx.integers(name) {
        Ok(zeros) if fits => zeros.values,
        _ => return Err(Flaw::new(format!("a zero point of {kind:?}"), expected)),
    };
    if zeros.len() != count {
        let found = format!("{} zero points for {count} scales", zeros.len());
        return Err(Flaw::new(found, "as many of either"));
    }
    match zeros.iter().find(|zero| kind == DataType::Int32 && **zero != 0) {
        Some(zero) => Err(Flaw::new(format!("an int32 zero point of {zero}"), "0")),
        None => Ok(kind),
    }
}

/// The type in which the tensor `name` is stored, where it is a constant or comes from a `QuantizeLinear`.
fn stored_as(onnx: &Onnx<'_>, name: &str) -> Option<DataType> {
    let zero_of = |node: &NodeProto| match node.input.get(2).filter(|name| !name.is_empty()) {
        Some(zero) => onnx.constant(zero).map(|tensor| tensor.data_type),
        None => Some(DataType::Uint8 as i32),
    };
    let stored = onnx.constant(name).map(|tensor| tensor.data_type);
    let stored = stored.or_else(|| onnx.made_by(name, "QuantizeLinear").and_then(zero_of));
    stored.and_then(|kind| DataType::try_from(kind).ok())
}

/// The axis of more than one scale is one of the tensor's, as long as there are scales.
fn axis(onnx: &Onnx<'_>, node: &NodeProto, tensor: &str, count: usize) -> Result<(), Flaw> {
    let axis = integer(node, "axis", 1);
    let dims = onnx.constant(tensor).map(|tensor| &tensor.dims);
    let rank = dims.map_or(RANK, |dims| dims.len() as i64);
    let at = if axis < 0 { axis + rank } else { axis };
    if !(0..rank).contains(&at) {
        let found = format!("{count} scales along axis {axis} of {rank}");
        return Err(Flaw::new(found, "an axis of the tensor"));
    }
    match dims.and_then(|dims| dims.get(at as usize)) {
        Some(&size) if size != count as i64 => {
            let found = format!("{count} scales along axis {axis} of size {size}");
            Err(Flaw::new(found, "one scale, or one a channel of that axis"))
        }
        _ => Ok(()),
    }
}
