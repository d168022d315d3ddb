//! From nodes to steps: every `QuantizeLinear` ends a chain that a rule recognises from behind.

use std::collections::HashMap;

use tract_onnx::pb::{ModelProto, NodeProto};

use super::Refusal;
use super::draft::{Draft, Op, View};
use super::island::Island;
use super::onnx::Onnx;
use super::rules;
use crate::kernels::table::Table;

/// An int8 tensor of the graph: where it lies and its shape there.
#[derive(Debug, Clone)]
pub(super) struct Quantised {
    pub(super) view: View,
    /// `[1, C, H, W]` or `[1, C]`.
    pub(super) shape: Vec<usize>,
}

/// A float tensor of the graph as its quantised form.
#[derive(Debug, Clone)]
pub(super) struct Activation {
    pub(super) tensor: Quantised,
    pub(super) scale: f32,
    pub(super) zero: i32,
}

/// The scale, zero point and bounds that a chain ends with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) scale: f32,
    pub(super) zero: i32,
    pub(super) low: i32,
    pub(super) high: i32,
}

/// The steps so far.
pub(super) struct Builder<'a> {
    pub(super) onnx: Onnx<'a>,
    pub(super) model: &'a ModelProto,
    pub(super) steps: Vec<Draft>,
    tensors: HashMap<String, Quantised>,
    buffers: usize,
    /// Why nodes were left in float.
    pub(super) left: Vec<Refusal>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(model: &'a ModelProto, onnx: Onnx<'a>) -> Self {
        Self { onnx, model, steps: Vec::new(), tensors: HashMap::new(), buffers: 0, left: Vec::new() }
    }

    /// Declares the graph's input; it is buffer 0.
    pub(super) fn input(&mut self, name: &str, [channels, height, width]: [usize; 3]) {
        let view = self.buffer(channels, height, width);
        self.tensors.insert(name.to_owned(), Quantised { view, shape: vec![1, channels, height, width] });
    }

    /// A new buffer.
    pub(super) fn buffer(&mut self, channels: usize, height: usize, width: usize) -> View {
        self.buffers += 1;
        View::whole(self.buffers - 1, channels, height, width)
    }

    /// Adds a step; its result has the rank of `shape`.
    pub(super) fn push(&mut self, name: &str, op: Op, from: Vec<View>, to: View) {
        self.steps.push(Draft { name: name.to_owned(), op, from, to });
    }

    /// Whether some node other than a `DequantizeLinear` that feeds `node` alone reads the tensor.
    pub(super) fn readers(&self, name: &str) -> usize {
        let nodes = self.onnx.graph.node.iter().filter(|node| node.input.iter().any(|input| input == name));
        nodes.count() + self.onnx.graph.output.iter().filter(|output| output.name == name).count()
    }

    /// The view with its channels side by side.
    pub(super) fn dense(&mut self, name: &str, view: View) -> View {
        if view.is_dense() {
            return view;
        }
        let to = self.buffer(view.channels, view.height, view.width);
        self.push(name, Op::Table(Table::new(|q| q)), vec![view], to);
        to
    }

    /// What `name`, a float tensor, is the `DequantizeLinear` of.
    pub(super) fn activation(&self, name: &str) -> Result<Activation, Refusal> {
        let Some(node) = self.onnx.made_by(name, "DequantizeLinear") else {
            return Err(Refusal::new(name, "an input that is not dequantised"));
        };
        let (scale, zero) = self.scale(node)?;
        match node.input.first().and_then(|input| self.tensors.get(input)) {
            Some(tensor) => Ok(Activation { tensor: tensor.clone(), scale, zero }),
            None => Err(Refusal::new(&node.name, "an input that was not lowered")),
        }
    }

    /// Scale and zero point of a `QuantizeLinear` or `DequantizeLinear` of a whole int8 tensor.
    pub(super) fn scale(&self, node: &NodeProto) -> Result<(f32, i32), Refusal> {
        let name = |index: usize| node.input.get(index).map_or("", String::as_str);
        let scale = self.onnx.floats(name(1))?;
        let (&[scale], true) = (&scale.values[..], scale.dims.iter().all(|&dim| dim == 1)) else {
            return Err(Refusal::new(&node.name, "activations with one scale a channel"));
        };
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Refusal::new(&node.name, format!("a scale of {scale}")));
        }
        let zero = self.onnx.integers(name(2))?;
        match zero.values[..] {
            [zero @ -128..=127] if self.onnx.constant(name(2)).is_some_and(is_int8) => {
                Ok((scale, zero as i32))
            }
            _ => Err(Refusal::new(&node.name, "a zero point that is not one int8")),
        }
    }

    /// Lowers the chain that ends in `node`, a `QuantizeLinear`.
    pub(super) fn quantize(&mut self, node: &NodeProto) -> Result<(), Refusal> {
        let [Some(input), Some(output)] = [node.input.first(), node.output.first()] else {
            return Err(Refusal::new(&node.name, "no input or output"));
        };
        let (scale, zero) = self.scale(node)?;
        let target = Target { scale, zero, low: -128, high: 127 };
        match rules::lower(self, input, target) {
            Ok(Some(tensor)) => {
                self.tensors.insert(output.clone(), tensor);
                Ok(())
            }
            // A link of a chain that a later rule takes as a whole.
            Ok(None) => Ok(()),
            Err(refusal) => {
                let tensor = self.island(node, output)?;
                self.tensors.insert(output.clone(), tensor);
                self.left.push(refusal);
                Ok(())
            }
        }
    }

    /// Leaves all nodes between `node` and the quantised tensors before it to tract.
    fn island(&mut self, node: &NodeProto, output: &str) -> Result<Quantised, Refusal> {
        let mut wanted = vec![output.to_owned()];
        let (mut nodes, mut constants, mut inputs) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(name) = wanted.pop() {
            if let Some(tensor) = self.tensors.get(&name) {
                if inputs.iter().all(|(known, _, _)| *known != name) {
                    inputs.push((name, tensor.shape.clone(), tensor.view));
                }
            } else if let Some(constant) = self.onnx.constant(&name) {
                if !constants.contains(constant) {
                    constants.push(constant.clone());
                }
            } else if let Some(index) = self.onnx.producer(&name) {
                if !nodes.contains(&index) {
                    nodes.push(index);
                    wanted
                        .extend(self.onnx.graph.node[index].input.iter().filter(|i| !i.is_empty()).cloned());
                }
            } else {
                return Err(Refusal::new(&node.name, format!("an input {name} that no node makes")));
            }
        }
        nodes.sort_unstable();
        let nodes = nodes.iter().map(|&index| self.onnx.graph.node[index].clone()).collect();
        let named: Vec<_> = inputs.iter().map(|(name, shape, _)| (name.clone(), shape.clone())).collect();
        let island = Island::new(self.model, nodes, constants, &named, output);
        let island = island.map_err(|error| Refusal::new(&node.name, format!("{error:#}")))?;
        let shape = island.output.clone();
        let (channels, height, width) = match shape[..] {
            [1, channels] => (channels, 1, 1),
            [1, channels, height, width] => (channels, height, width),
            _ => return Err(Refusal::new(&node.name, format!("shape {shape:?}"))),
        };
        let from = inputs.into_iter().map(|(_, _, view)| view).collect();
        let view = self.buffer(channels, height, width);
        self.push(&node.name, Op::Island(Box::new(island)), from, view);
        Ok(Quantised { view, shape })
    }
}

fn is_int8(tensor: &tract_onnx::pb::TensorProto) -> bool {
    tensor.data_type == tract_onnx::pb::tensor_proto::DataType::Int8 as i32
}
