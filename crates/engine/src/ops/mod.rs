//! Parts of a graph become tract ops that run our kernels: products with constant int8 weights, and the float
//! parts of a transformer around them. Everything else stays with tract.
//!
//! The rules work on the ONNX file before tract sees it: tract would otherwise turn the weights into floats.
//! Each part becomes a node of an op that tract does not know; once tract has built its model, our op takes
//! that node's place.

mod activations;
mod constants;
mod file;
mod found;
mod index;
mod kernel;
mod op;
mod products;
#[cfg(test)]
mod tests;
mod transformer;
mod written_out;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::InferenceModel;

use crate::refusal::{Reason, Refusal};
use edgeclip_kernels::Isa;
pub(super) use file::File;
use found::Found;
use index::Index;
use kernel::Kernel;
use op::Ours;
use products::Products;
pub(super) use written_out::write_out;

/// The parts that were taken out of a graph.
#[derive(Debug)]
pub(super) struct Ops {
    isa: Isa,
    kernels: HashMap<String, Kernel>,
    left: Vec<Reason>,
}

impl Ops {
    /// Takes what the rules know out of `model`, decoded from `file`, and whatever only that needed.
    ///
    /// # Errors
    /// The first node whose constants make no sense: scales that are not positive, data that do not fit their
    /// shape.
    pub(super) fn take(file: &File, model: &mut ModelProto, isa: Isa) -> Result<Self, Refusal> {
        let mut ops = Self { isa, kernels: HashMap::new(), left: Vec::new() };
        let Some(graph) = &mut model.graph else { return Ok(ops) };
        let mut replaced = Vec::new();
        let index = Index::new(file, graph);
        let products = Products { index: &index, isa };
        for (position, node) in graph.node.iter().enumerate() {
            let found = match products.apply(node) {
                Ok(None) => transformer::apply(&index, node)?,
                Err(Refusal::Float(reason)) => {
                    ops.left.push(reason);
                    None
                }
                answer => answer?,
            };
            if let Some(Found { node, kernel }) = found {
                ops.kernels.insert(node.name.clone(), kernel);
                replaced.push((position, node));
            }
        }
        let made: HashSet<&String> = replaced.iter().flat_map(|(_, node)| &node.output).collect();
        let mut changes = Vec::new();
        for (position, node) in graph.node.iter().enumerate() {
            if node.output.iter().any(|output| made.contains(output)) {
                continue;
            }
            if let Some(Found { node, kernel }) = activations::apply(&products, node)? {
                ops.kernels.insert(node.name.clone(), kernel);
                changes.push((position, node));
            }
        }
        replaced.extend(changes);
        // The last node of a part, where another one stands for it, gives way.
        let outputs: HashSet<String> = replaced.iter().flat_map(|(_, node)| node.output.clone()).collect();
        for node in &mut graph.node {
            if node.output.iter().any(|output| outputs.contains(output)) {
                node.output.clear();
            }
        }
        for (position, node) in replaced {
            graph.node[position] = node;
        }
        prune(graph);
        graph.initializer.iter_mut().for_each(|tensor| file.restore(tensor));
        Ok(ops)
    }

    /// Puts our ops into the model that tract built.
    pub(super) fn install(self, model: &mut InferenceModel) {
        let mut kernels = self.kernels;
        for node in model.nodes_mut() {
            if let Some(kernel) = kernels.remove(&node.name) {
                node.op = Ours::new(kernel, self.isa).inference();
            }
        }
    }

    /// Products with int8 weights that stay in float, and why.
    pub(super) fn left_in_float(&self) -> &[Reason] {
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
