//! Tables that a network's inputs index.

use std::collections::HashMap;

use tract_onnx::pb::{ModelProto, NodeProto};

/// Rows of the constant that each input of `model` picks from by a `Gather`.
pub(crate) fn rows(model: &ModelProto) -> Vec<Option<usize>> {
    let Some(graph) = &model.graph else { return Vec::new() };
    let makers: HashMap<&str, &NodeProto> = graph
        .node
        .iter()
        .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)))
        .collect();
    let sizes: HashMap<&str, &[i64]> =
        graph.initializer.iter().map(|tensor| (tensor.name.as_str(), &tensor.dims[..])).collect();
    // What a node that changes no index reads.
    let before = |name: &str, kinds: &[&str]| {
        let maker = makers.get(name).filter(|node| kinds.contains(&node.op_type.as_str()));
        maker.and_then(|node| node.input.first()).map(String::as_str)
    };
    let picked = |node: &NodeProto, input: &str| {
        let [table, index, ..] = &node.input[..] else { return None };
        let mut index = index.as_str();
        while let Some(earlier) = before(index, &["Cast", "Identity"]).filter(|_| index != input) {
            index = earlier;
        }
        let table = before(table, &["DequantizeLinear", "Cast", "Identity"]).unwrap_or(table);
        let rows = sizes.get(table)?.first()?;
        (index == input).then(|| usize::try_from(*rows).ok()).flatten()
    };
    let inputs = graph.input.iter().filter(|input| !sizes.contains_key(input.name.as_str()));
    let gathers: Vec<&NodeProto> = graph.node.iter().filter(|node| node.op_type == "Gather").collect();
    inputs.map(|input| gathers.iter().filter_map(|node| picked(node, &input.name)).min()).collect()
}
