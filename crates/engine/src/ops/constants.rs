//! Reading constants of an ONNX graph.

use std::borrow::Cow;

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::file::File;
use crate::refusal::Refusal;

/// Dimensions of a constant.
pub(super) fn dims(tensor: &TensorProto) -> Result<Vec<usize>, Refusal> {
    let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    dims.ok_or_else(|| refusal(tensor, "a negative dimension"))
}

/// Values of a constant of int8, as bytes; `None` if it has another type.
pub(super) fn int8<'a>(file: &'a File, tensor: &'a TensorProto) -> Result<Option<Cow<'a, [u8]>>, Refusal> {
    if tensor.data_type != DataType::Int8 as i32 {
        return Ok(None);
    }
    let values = match file.raw(tensor) {
        [] => Cow::Owned(tensor.int32_data.iter().map(|&value| value as u8).collect()),
        raw => Cow::Borrowed(raw),
    };
    fits(tensor, values.len())?;
    Ok(Some(values))
}

/// Values of a constant of int32; `None` if it has another type.
pub(super) fn int32(file: &File, tensor: &TensorProto) -> Result<Option<Vec<i32>>, Refusal> {
    if tensor.data_type != DataType::Int32 as i32 {
        return Ok(None);
    }
    values(file, tensor, &tensor.int32_data, i32::from_le_bytes).map(Some)
}

/// Values of a constant of int64; `None` if it has another type.
pub(super) fn int64(file: &File, tensor: &TensorProto) -> Result<Option<Vec<i64>>, Refusal> {
    if tensor.data_type != DataType::Int64 as i32 {
        return Ok(None);
    }
    values(file, tensor, &tensor.int64_data, i64::from_le_bytes).map(Some)
}

/// Values of a constant of f32, all of which must be finite; `None` if it has another type.
pub(super) fn f32(file: &File, tensor: &TensorProto) -> Result<Option<Vec<f32>>, Refusal> {
    if tensor.data_type != DataType::Float as i32 {
        return Ok(None);
    }
    let values = values(file, tensor, &tensor.float_data, f32::from_le_bytes)?;
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(refusal(tensor, &format!("a value of {value}"))),
        None => Ok(Some(values)),
    }
}

fn values<T: Copy, const N: usize>(
    file: &File,
    tensor: &TensorProto,
    typed: &[T],
    decode: fn([u8; N]) -> T,
) -> Result<Vec<T>, Refusal> {
    let (raw, rest) = file.raw(tensor).as_chunks::<N>();
    let values: Vec<T> =
        if raw.is_empty() { typed.to_vec() } else { raw.iter().map(|&bytes| decode(bytes)).collect() };
    // A rest makes a count that fits no shape.
    fits(tensor, values.len() + rest.len())?;
    Ok(values)
}

fn fits(tensor: &TensorProto, count: usize) -> Result<(), Refusal> {
    let dims = dims(tensor)?;
    let expected = dims.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
    if expected == Some(count) {
        return Ok(());
    }
    Err(refusal(tensor, &format!("{count} values for shape {dims:?}")))
}

fn refusal(tensor: &TensorProto, why: &str) -> Refusal {
    Refusal::broken(&tensor.name, why)
}
