//! The steps and tensors that lowering has made so far, and the questions that rules ask about them.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, NodeProto};

use super::arrange::{in_order, whole};
use super::onnx::{Constant, Onnx, integer};
use crate::memory::Budget;
use crate::refusal::{Reason, Refusal};
use crate::steps::{Activation, Draft, Op, Order, Quantised, Real, Target, Unit, View};
use edgeclip_kernels::table::Table;

/// Longest row of chains in float of which each starts from the one before it.
const DEPTH: usize = 48;

/// What computes a float tensor: a rule, which builders know by this alone, as rules build on each other's results.
type Compute = for<'b> fn(&mut Builder<'b>, &str) -> Result<Real, Refusal>;

/// The steps so far.
pub(super) struct Builder<'a> {
    pub(super) onnx: Onnx<'a>,
    pub(super) model: &'a ModelProto,
    pub(super) steps: Vec<Draft>,
    pub(super) tensors: HashMap<String, Quantised>,
    /// Float tensors that steps compute.
    pub(super) reals: HashMap<String, Real>,
    compute: Compute,
    /// Chains in float that are being lowered, each for the one before it.
    depth: usize,
    buffers: usize,
    /// Name and shape of the graph's input, where it is in float.
    pub(super) float: Option<(String, [usize; 4])>,
    /// Whether the rules are asked.
    pub(super) int8: bool,
    pub(super) budget: Budget,
    /// Bytes of the largest buffer.
    largest: usize,
    /// Why nodes were left in float, in the graph's order.
    pub(super) left: Vec<Reason>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        model: &'a ModelProto,
        onnx: Onnx<'a>,
        int8: bool,
        budget: Budget,
        compute: Compute,
    ) -> Self {
        let (steps, tensors, left) = (Vec::new(), HashMap::new(), Vec::new());
        let (reals, depth, float) = (HashMap::new(), 0, None);
        Self {
            onnx,
            model,
            steps,
            tensors,
            reals,
            compute,
            depth,
            buffers: 0,
            float,
            int8,
            budget,
            largest: 0,
            left,
        }
    }

    /// Name and shape of the graph's input, where it is in float.
    pub(super) fn picture(&self) -> Option<(String, [usize; 4])> {
        self.float.clone()
    }

    /// Declares the graph's input, buffer 0, as the quantised tensor `name`.
    pub(super) fn input(&mut self, name: &str, [channels, height, width]: [usize; 3], unsigned: bool) {
        let view = self.buffer(channels, height, width);
        let tensor = Quantised::picture(view);
        self.tensors.insert(name.to_owned(), Quantised { unsigned, ..tensor });
    }

    /// A new buffer.
    pub(super) fn buffer(&mut self, channels: usize, height: usize, width: usize) -> View {
        self.buffers += 1;
        let view = View::whole(self.buffers - 1, channels, height, width);
        self.largest = self.largest.max(view.len());
        view
    }

    /// Whether every buffer so far fits into the memory; the last one belongs to `node`.
    pub(super) fn within_budget(&self, node: &str) -> Result<(), Refusal> {
        if self.largest <= self.budget.bytes() {
            return Ok(());
        }
        Err(Refusal::memory(node, format!("a tensor of {} MB", self.largest >> 20)))
    }

    /// Adds a step.
    pub(super) fn push(&mut self, name: &str, op: Op, from: Vec<View>, to: View) {
        self.steps.push(Draft { name: name.to_owned(), op, from, to });
    }

    /// How many nodes and outputs of the graph read the tensor.
    pub(super) fn readers(&self, name: &str) -> usize {
        let nodes = self.onnx.graph.node.iter().filter(|node| node.input.iter().any(|input| input == name));
        nodes.count() + self.onnx.graph.output.iter().filter(|output| output.name == name).count()
    }

    /// The float tensor `name`, computed once.
    pub(super) fn real(&mut self, name: &str) -> Result<Real, Refusal> {
        if let Some(real) = self.reals.get(name) {
            return Ok(real.clone());
        }
        if self.depth >= DEPTH {
            return Err(Refusal::float(self.onnx.title(name), "too many nodes in float"));
        }
        self.depth += 1;
        let made = (self.compute)(self, name);
        self.depth -= 1;
        let made = made?;
        self.reals.insert(name.to_owned(), made.clone());
        Ok(made)
    }

    /// Whether other nodes than quantising ones read the tensor, too.
    pub(super) fn is_read_in_float(&self, name: &str) -> bool {
        let reads = |node: &&NodeProto| node.input.iter().any(|input| input == name);
        let values = |op: &str| !matches!(op, "QuantizeLinear" | "Shape");
        self.onnx.graph.node.iter().filter(reads).any(|node| values(&node.op_type))
    }

    /// Whether other nodes than these, by index, read the tensor's values.
    pub(super) fn readers_beyond(&self, name: &str, nodes: &HashSet<usize>) -> bool {
        let mut others = self.onnx.graph.node.iter().enumerate().filter(|(at, _)| !nodes.contains(at));
        others.any(|(_, node)| node.op_type != "Shape" && node.input.iter().any(|input| input == name))
    }

    /// Does what `lower` does, or nothing where it is refused.
    pub(super) fn attempt<T>(
        &mut self,
        lower: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (steps, left) = (self.steps.len(), self.left.len());
        let (first, largest) = (self.buffers, self.largest);
        let done = lower(self);
        if done.is_err() {
            self.steps.truncate(steps);
            self.left.truncate(left);
            self.largest = largest;
            self.reals.retain(|_, real| real.view.buffer < first);
            self.tensors.retain(|_, tensor| tensor.view.buffer < first);
        }
        done
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

    /// `tensor`, whose values the step of `node` does not clip, within the bounds of `target`.
    pub(super) fn within(&mut self, node: &NodeProto, tensor: Quantised, target: Target) -> Quantised {
        if target.is_open() {
            return tensor;
        }
        let clip = Table::new(|q| i32::from(q).clamp(target.low, target.high) as i8);
        let to = self.buffer(tensor.view.channels, tensor.view.height, tensor.view.width);
        self.push(&node.name, Op::Table(clip), vec![tensor.view], to);
        tensor.at(to)
    }

    /// What `name`, a float tensor with the channels on axis 1, is the `DequantizeLinear` of; copied where in memory
    /// they do not lie side by side.
    pub(super) fn activation(&mut self, name: &str) -> Result<Activation, Refusal> {
        let mut x = self.any_activation(name)?;
        if x.tensor.order == Order::Last {
            if x.tensor.shape.len() < 2 || x.tensor.shape[0] != 1 {
                return Err(Refusal::float(name, format!("channels of a tensor {:?}", x.tensor.shape)));
            }
            x.tensor = in_order(self, name, &x.tensor, Order::First);
        }
        Ok(x)
    }

    /// Where `name` dequantises a constant, a step that gives it.
    pub(super) fn stored(&mut self, name: &str) -> Result<(), Refusal> {
        let Some(node) = self.onnx.made_by(name, "DequantizeLinear") else { return Ok(()) };
        let stored = node.input.first().map_or("", String::as_str);
        let kind = self.onnx.constant(stored).map(|tensor| tensor.data_type);
        let unsigned = kind == Some(DataType::Uint8 as i32);
        if self.tensors.contains_key(stored) || !(unsigned || kind == Some(DataType::Int8 as i32)) {
            return Ok(());
        }
        let Constant { dims, values } = self.onnx.integers(stored)?;
        let shift = if unsigned { 128 } else { 0 };
        let values = values.iter().map(|q| (q - shift) as i8).collect();
        let made = whole(0, dims, Order::Last, unsigned);
        let to = self.buffer(made.view.channels, made.view.height, made.view.width);
        self.push(name, Op::Constant(values), Vec::new(), to);
        self.tensors.insert(stored.to_owned(), made.at(to));
        Ok(())
    }

    /// The same wherever the channels are.
    pub(super) fn any_activation(&self, name: &str) -> Result<Activation, Refusal> {
        let copied = self.onnx.made_by(name, "Identity").and_then(|copy| copy.input.first());
        let name = copied.map_or(name, String::as_str);
        let Some(node) = self.onnx.made_by(name, "DequantizeLinear") else {
            return Err(Refusal::float(self.onnx.title(name), "an input that is not dequantised"));
        };
        match node.input.first().and_then(|input| self.tensors.get(input)) {
            Some(tensor) => {
                let (scale, zero, unsigned) = self.unit(node, tensor.unsigned)?;
                if unsigned != tensor.unsigned {
                    return Err(Refusal::broken(&node.name, "a zero point of another type than the tensor"));
                }
                Ok(Activation { tensor: tensor.clone(), scale, zero })
            }
            None => Err(Refusal::float(&node.name, "an input that was not lowered")),
        }
    }

    /// Scales and zero points of a `QuantizeLinear`, whose result has the shape `shape`.
    pub(super) fn units(&self, node: &NodeProto, shape: &[usize]) -> Result<(Unit, bool), Refusal> {
        if let Ok((scale, zero, unsigned)) = self.unit(node, true) {
            return Ok((Unit::whole((scale, zero)), unsigned));
        }
        let name = |index: usize| node.input.get(index).map_or("", String::as_str);
        let scales = self.onnx.floats(name(1))?.values;
        let zeros = self.onnx.integers(name(2))?.values;
        let unsigned =
            self.onnx.constant(name(2)).is_some_and(|zero| zero.data_type == DataType::Uint8 as i32);
        let rank = shape.len() as i64;
        let axis = integer(node, "axis", 1);
        let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok();
        let size = axis.and_then(|axis| shape.get(axis));
        if size != Some(&scales.len()) || zeros.len() != scales.len() {
            let found = format!("{} scales for a tensor of shape {shape:?}", scales.len());
            return Err(Refusal::broken(&node.name, found));
        }
        let run = shape.iter().skip(axis.unwrap_or(0) + 1).product();
        let zeros = zeros.iter().map(|&zero| zero as i32 - if unsigned { 128 } else { 0 }).collect();
        Ok((Unit { scales, zeros, run }, unsigned))
    }

    /// Scale, zero point as of int8 and whether it is of uint8, of a `QuantizeLinear` or `DequantizeLinear`
    /// of a whole tensor. Without a zero point the type is that of `unsigned`.
    pub(super) fn unit(&self, node: &NodeProto, unsigned: bool) -> Result<(f32, i32, bool), Refusal> {
        let name = |index: usize| node.input.get(index).map_or("", String::as_str);
        let scale = self.onnx.floats(name(1))?;
        let &[scale] = &scale.values[..] else {
            return Err(Refusal::float(&node.name, "activations with one scale a channel"));
        };
        if name(2).is_empty() {
            return Ok((scale, if unsigned { -128 } else { 0 }, unsigned));
        }
        let kind = self.onnx.constant(name(2)).map(|zero| zero.data_type);
        let unsigned = kind == Some(DataType::Uint8 as i32);
        match self.onnx.integers(name(2))?.values[..] {
            [zero] if unsigned => Ok((scale, zero as i32 - 128, true)),
            [zero] if kind == Some(DataType::Int8 as i32) => Ok((scale, zero as i32, false)),
            _ => Err(Refusal::float(&node.name, "a zero point of neither int8 nor uint8")),
        }
    }
}
