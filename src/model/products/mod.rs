//! Products with constant int8 weights become tract ops that run our kernels, everything around them stays with tract.
//!
//! The rules work on the ONNX file before tract sees it: tract would otherwise turn the weights into floats. Each product becomes a
//! node of an op that tract does not know; once tract has built its model, our op takes that node's place.

mod constants;
mod op;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::InferenceModel;

use super::lower::Refusal;
use crate::kernels::Isa;
use op::Kernel;
use rules::Rules;

/// Op type of the nodes that stand for our ops.
const OP: &str = "EdgeclipProduct";

/// The products that were taken out of a graph.
#[derive(Debug, Default)]
pub(super) struct Products {
    kernels: HashMap<String, Kernel>,
    left: Vec<Refusal>,
}

impl Products {
    /// Takes the products out of `model`, and whatever only they needed.
    ///
    /// # Errors
    /// The first node whose constants make no sense: scales that are not positive, data that do not fit their shape.
    pub(super) fn take(model: &mut ModelProto, isa: Isa) -> Result<Self, Refusal> {
        let Some(graph) = &mut model.graph else { return Ok(Self::default()) };
        let mut products = Self::default();
        let mut replaced = Vec::new();
        let rules = Rules::new(graph, isa);
        for (index, node) in graph.node.iter().enumerate() {
            match rules.apply(node)? {
                None => {}
                Some(Err(refusal)) => products.left.push(refusal),
                Some(Ok(found)) => {
                    products.kernels.insert(found.node.name.clone(), found.kernel);
                    replaced.push((index, found.node));
                }
            }
        }
        drop(rules);
        // The node that made the output before, if another one, gives way.
        let outputs: HashSet<String> = replaced.iter().flat_map(|(_, node)| node.output.clone()).collect();
        for node in &mut graph.node {
            if node.output.iter().any(|output| outputs.contains(output)) {
                node.output.clear();
            }
        }
        for (index, node) in replaced {
            graph.node[index] = node;
        }
        prune(graph);
        Ok(products)
    }

    /// Puts our ops into the model that tract built.
    pub(super) fn install(self, model: &mut InferenceModel) {
        let mut kernels = self.kernels;
        for node in model.nodes_mut() {
            if let Some(kernel) = kernels.remove(&node.name) {
                node.op = op::Int8::new(kernel).inference();
            }
        }
    }

    /// Products with int8 weights that stay in float, and why.
    pub(super) fn left_in_float(&self) -> &[Refusal] {
        &self.left
    }
}

/// Removes nodes and constants that nobody reads.
fn prune(graph: &mut GraphProto) {
    loop {
        let outputs = graph.output.iter().map(|output| output.name.clone());
        let read: HashSet<String> =
            graph.node.iter().flat_map(|node| node.input.iter().cloned()).chain(outputs).collect();
        let nodes = graph.node.len();
        graph.node.retain(|node| node.output.iter().any(|output| read.contains(output)));
        if graph.node.len() == nodes {
            graph.initializer.retain(|tensor| read.contains(&tensor.name));
            return;
        }
    }
}
