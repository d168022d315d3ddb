//! Constants, stored as they are or quantised.

use tract_onnx::pb::tensor_proto::DataType;

use crate::lower::builder::Builder;
use crate::lower::onnx::{Constant, integer};
use crate::refusal::Refusal;

/// The f32 values of the constant `name`: an initializer, or the `DequantizeLinear` of one. Truth is 1, falsehood 0.
pub(super) fn real(builder: &Builder, name: &str) -> Result<Constant<f32>, Refusal> {
    let Some(dq) = builder.onnx.made_by(name, "DequantizeLinear") else {
        let truths = builder.onnx.constant(name).filter(|tensor| tensor.data_type == DataType::Bool as i32);
        if truths.is_none() {
            return builder.onnx.floats(name);
        }
        let Constant { dims, values } = builder.onnx.integers(name)?;
        return Ok(Constant { dims, values: values.into_iter().map(|truth| truth as f32).collect() });
    };
    let input = |index: usize| dq.input.get(index).map_or("", String::as_str);
    let stored = builder.onnx.integers(input(0))?;
    let scales = builder.onnx.floats(input(1))?.values;
    let zeros =
        if input(2).is_empty() { vec![0; scales.len()] } else { builder.onnx.integers(input(2))?.values };
    let axis = integer(dq, "axis", 1);
    let axis = if axis < 0 { axis + stored.dims.len() as i64 } else { axis };
    let inner: usize = match scales.len() {
        1 => 1,
        _ => stored.dims.iter().skip(axis as usize + 1).product(),
    };
    let fits = zeros.len() == scales.len() && !scales.is_empty();
    if !fits {
        return Err(Refusal::float(&dq.name, "scales and zero points that do not fit"));
    }
    let value = |(at, &q): (usize, &i64)| {
        let channel = at / inner.max(1) % scales.len();
        (q - zeros[channel]) as f32 * scales[channel]
    };
    let values = stored.values.iter().enumerate().map(value).collect();
    Ok(Constant { dims: stored.dims, values })
}

/// Whether `name` is such a constant.
pub(super) fn is_constant(builder: &Builder, name: &str) -> bool {
    let stored = builder.onnx.made_by(name, "DequantizeLinear").and_then(|dq| dq.input.first());
    builder.onnx.constant(stored.map_or(name, String::as_str)).is_some()
}
