//! Finding what is broken before anything is computed with it: a broken file is an error, never a wrong
//! number.

mod flaw;
mod quantisation;
mod structure;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};

use super::onnx::{Onnx, dims, list};
use crate::error::{Error, Result};
use flaw::{Flaw, RANK};
pub(crate) use structure::structure;

/// Checks the constants and all nodes that quantise, dequantise or multiply by weights, of `model` after
/// [`prepare`](super::prepare).
///
/// # Errors
/// [`Error::Model`] naming the first node or constant that is broken, or that neither the kernels nor tract
/// can compute.
pub(crate) fn check(file: &str, model: &ModelProto) -> Result<()> {
    let Some(graph) = &model.graph else { return Err(Error::model(file, "no graph", "an ONNX network")) };
    let onnx = Onnx::new(graph);
    for tensor in &graph.initializer {
        constant(tensor).map_err(|flaw| {
            let reader = graph.node.iter().find(|node| node.input.contains(&tensor.name));
            let reader = reader.map_or("no node", |node| node.name.as_str());
            let found = format!("constant {} of {reader} with {}", tensor.name, flaw.found);
            Error::model(file, found, flaw.expected)
        })?;
    }
    let broken = |node: &NodeProto, flaw: Flaw| {
        let found = format!("node {} ({}) with {}", node.name, node.op_type, flaw.found);
        Error::model(file, found, flaw.expected)
    };
    let known = tract_onnx::onnx().op_register.0;
    let mut made: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    made.extend(graph.input.iter().map(|input| input.name.as_str()));
    for node in &graph.node {
        if !known.contains_key(&node.op_type) {
            let found = format!("node {} with the unsupported op {}", node.name, node.op_type);
            return Err(Error::model(file, found, "ops of ONNX that tract or the int8 kernels know"));
        }
        if let Some(name) = node.input.iter().find(|name| !name.is_empty() && !made.contains(name.as_str())) {
            let flaw =
                Flaw::new(format!("an input {name} that nothing before it makes"), "nodes in their order");
            return Err(broken(node, flaw));
        }
        axes(&onnx, node).map_err(|flaw| broken(node, flaw))?;
        let checked = match node.op_type.as_str() {
            "QuantizeLinear" | "DequantizeLinear" => quantisation::check(&onnx, node),
            "Conv" => weights::conv(&onnx, node),
            "Gemm" => weights::gemm(&onnx, node),
            "MatMul" => weights::matmul(&onnx, node),
            "Reshape" => sizes(&onnx, node),
            "MaxPool" | "AveragePool" => weights::pooling(node),
            _ => Ok(()),
        };
        checked.map_err(|flaw| broken(node, flaw))?;
        made.extend(node.output.iter().map(String::as_str));
    }
    Ok(())
}

/// Axes that a tensor may have, each once.
fn axes(onnx: &Onnx<'_>, node: &NodeProto) -> std::result::Result<(), Flaw> {
    let axis = node.attribute.iter().find(|attribute| attribute.name == "axis").map(|attribute| attribute.i);
    let mut found: Vec<i64> = axis.into_iter().collect();
    let perm = list(node, "perm", &[]);
    if node.op_type == "Transpose" {
        found.extend(&perm);
    } else {
        found.extend(list(node, "axes", &[]));
    }
    if let ("ReduceMean" | "Squeeze" | "Unsqueeze", Some(name)) = (node.op_type.as_str(), node.input.get(1)) {
        found.extend(onnx.integers(name).map(|axes| axes.values).unwrap_or_default());
    }
    let once = found.iter().collect::<HashSet<_>>().len() == found.len();
    let complete = node.op_type != "Transpose" || (0..perm.len() as i64).all(|axis| perm.contains(&axis));
    if found.iter().all(|axis| (-RANK..RANK).contains(axis)) && once && complete {
        return Ok(());
    }
    Err(Flaw::new(format!("the axes {found:?}"), "axes of its tensor, each once"))
}

/// The constant sizes of a `Reshape`: 0 and −1 have a meaning, other negative numbers none.
fn sizes(onnx: &Onnx<'_>, node: &NodeProto) -> std::result::Result<(), Flaw> {
    let sizes = node.input.get(1).and_then(|name| onnx.integers(name).ok()).map(|sizes| sizes.values);
    match sizes {
        Some(sizes) if sizes.iter().any(|&size| size < -1) => {
            Err(Flaw::new(format!("the shape {sizes:?}"), "sizes, 0 or -1"))
        }
        _ => Ok(()),
    }
}

/// Data that fit the shape, numbers that fit the type, nothing that is not a number. Infinities are bounds and
/// masks. Nothing is copied: constants may be most of a file.
fn constant(tensor: &TensorProto) -> std::result::Result<(), Flaw> {
    if tensor.data_location == Some(DataLocation::External as i32) {
        return Err(Flaw::new("data in another file", "a network in one file"));
    }
    let fits = || {
        let unfit = |_| Flaw::new("data that do not fit its shape", "as many values as its shape has places");
        dims(tensor).map(drop).map_err(unfit)
    };
    match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => {
            fits()?;
            let (raw, _) = tensor.raw_data.as_chunks();
            let mut raw = raw.iter().map(|bytes| f32::from_le_bytes(*bytes));
            if raw.any(f32::is_nan) || tensor.float_data.iter().any(|value| value.is_nan()) {
                return Err(Flaw::new("a value of NaN", "numbers"));
            }
            Ok(())
        }
        Ok(kind @ (DataType::Int8 | DataType::Uint8)) => {
            fits()?;
            let range = if kind == DataType::Int8 { -128..=127 } else { 0..=255 };
            match tensor.int32_data.iter().find(|value| !range.contains(*value)) {
                Some(value) => {
                    Err(Flaw::new(format!("a value of {value}"), format!("{range:?} of its type")))
                }
                None => Ok(()),
            }
        }
        Ok(DataType::Int32 | DataType::Int64) => fits(),
        Ok(kind @ (DataType::String | DataType::Undefined | DataType::Complex64 | DataType::Complex128)) => {
            Err(Flaw::new(format!("values of {kind:?}"), "numbers"))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(Flaw::new(format!("values of type {}", tensor.data_type), "a type of ONNX")),
    }
}
