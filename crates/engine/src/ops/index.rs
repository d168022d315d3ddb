//! What the rules need to know of an ONNX graph.

use std::collections::HashMap;

use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::constants;
use super::file::File;
use crate::refusal::Refusal;

/// A graph's nodes by what they make and read, and its constants.
pub(super) struct Index<'a> {
    file: &'a File,
    producers: HashMap<&'a str, &'a NodeProto>,
    readers: HashMap<&'a str, Vec<&'a NodeProto>>,
    constants: HashMap<&'a str, &'a TensorProto>,
    outputs: Vec<&'a str>,
}

impl<'a> Index<'a> {
    pub(super) fn new(file: &'a File, graph: &'a GraphProto) -> Self {
        let mut readers: HashMap<&str, Vec<&NodeProto>> = HashMap::new();
        for node in &graph.node {
            for input in &node.input {
                readers.entry(input).or_default().push(node);
            }
        }
        let made = |node: &'a NodeProto| node.output.iter().map(move |output| (output.as_str(), node));
        Self {
            file,
            producers: graph.node.iter().flat_map(made).collect(),
            readers,
            constants: graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect(),
            outputs: graph.output.iter().map(|output| output.name.as_str()).collect(),
        }
    }

    /// The constant that is input `input` of `node`.
    pub(super) fn constant(&self, node: &NodeProto, input: usize) -> Option<&'a TensorProto> {
        node.input.get(input).and_then(|name| self.named(name))
    }

    /// The values of input `input` of `node`, if it is a constant of f32.
    pub(super) fn floats(&self, node: &NodeProto, input: usize) -> Result<Option<Vec<f32>>, Refusal> {
        self.constant(node, input).map_or(Ok(None), |tensor| constants::f32(self.file, tensor))
    }

    /// The file that the graph is from.
    pub(super) fn file(&self) -> &'a File {
        self.file
    }

    /// The constant `name`.
    pub(super) fn named(&self, name: &str) -> Option<&'a TensorProto> {
        self.constants.get(name).copied()
    }

    /// The node that makes `name`, if it is a `kind`.
    pub(super) fn made_by(&self, name: &str, kind: &str) -> Option<&'a NodeProto> {
        self.producers.get(name).copied().filter(|node| node.op_type == kind)
    }

    /// The node that makes input `input` of `node`, if it is a `kind` that nobody else reads.
    pub(super) fn before(&self, node: &NodeProto, input: usize, kind: &str) -> Option<&'a NodeProto> {
        let name = node.input.get(input)?;
        self.only_reader(name)?;
        self.made_by(name, kind)
    }

    /// The inputs of an operation in which the order of two does not matter: what a `kind` makes that nobody
    /// else reads, and the other.
    pub(super) fn either(&self, node: &'a NodeProto, kind: &str) -> Option<(&'a NodeProto, usize)> {
        (0..2).find_map(|input| Some((self.before(node, input, kind)?, 1 - input)))
    }

    /// The node that alone reads `name`.
    pub(super) fn only_reader(&self, name: &str) -> Option<&'a NodeProto> {
        match self.readers.get(name).map(Vec::as_slice) {
            Some(&[reader]) if !self.outputs.contains(&name) => Some(reader),
            _ => None,
        }
    }
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// The attribute `name` as an integer.
pub(super) fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).map_or(default, |attribute| attribute.i)
}

/// The attribute `name` as a float.
pub(super) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    attribute(node, name).map_or(default, |attribute| attribute.f)
}

/// The attribute `name` as integers.
pub(super) fn list<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    attribute(node, name).map_or(&[], |attribute| &attribute.ints)
}
