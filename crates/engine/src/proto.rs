//! Reading an ONNX file as it is written, before anything is made of it.

use std::collections::BTreeSet;

use prost::{DecodeError, Message};
use tract_onnx::pb::ModelProto;

use crate::error::{Error, Result};

/// Reads the ONNX file `file`, which holds `bytes`.
pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<ModelProto> {
    ModelProto::decode(bytes).map_err(|error| not_onnx(file, &error))
}

/// The error of bytes that are no ONNX file.
pub(crate) fn not_onnx(file: &str, error: &DecodeError) -> Error {
    Error::model(file, error.to_string(), "an ONNX network")
}

/// Names of the outputs, each of which some node, constant or input provides: tract would panic otherwise.
pub(crate) fn output_names(file: &str, proto: &ModelProto) -> Result<Vec<String>> {
    let Some(graph) = &proto.graph else {
        return Err(Error::model(file, "no graph", "an ONNX network"));
    };
    let provided: BTreeSet<&str> = (graph.node.iter().flat_map(|node| &node.output).map(String::as_str))
        .chain(graph.initializer.iter().map(|tensor| tensor.name.as_str()))
        .chain(graph.input.iter().map(|input| input.name.as_str()))
        .collect();
    let names: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    match names.iter().find(|name| !provided.contains(name.as_str())) {
        Some(name) => {
            Err(Error::model(file, format!("output {name} without a node"), "a node for each output"))
        }
        None => Ok(names),
    }
}
