//! Cutting out the parts of a graph that stay in float.

use tract_onnx::pb::{NodeProto, TensorProto};
use tract_onnx::prelude::{Datum, DatumType};

use super::arrange::{real_copied, real_strides, usual, whole};
use super::builder::Builder;
use crate::refusal::{Reason, Refusal};
use crate::steps::{Island, Op, Order, Quantised, Real, View};

/// The nodes between quantised tensors and one other.
#[derive(Default)]
struct Part {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    inputs: Vec<(String, Quantised)>,
    /// Float tensors that steps compute.
    reals: Vec<(String, Real)>,
    /// Whether one of them reads the graph's float input.
    picture: bool,
}

impl Builder<'_> {
    /// Leaves all nodes between `node`, a `QuantizeLinear`, and the quantised tensors before it to tract for
    /// this reason, and quantises what comes of them. (tract 0.23.9 scales a softmax wrongly, and makes the
    /// largest int8 of −∞, where it quantises itself.)
    pub(super) fn leave(&mut self, node: &NodeProto, reason: Reason) -> Result<(), Refusal> {
        let [Some(name), Some(output)] = [node.input.first(), node.output.first()] else {
            return Err(Refusal::broken(&node.name, "no input or output"));
        };
        let (island, from) = self.cut(name)?;
        let shape = island.output.clone();
        let (unit, unsigned) = self.units(node, &shape)?;
        let tensor = match shape[..] {
            [1, channels] => Quantised::vector(self.buffer(channels, 1, 1)),
            [1, channels, height, width] => Quantised::picture(self.buffer(channels, height, width)),
            _ => {
                let channels = shape.last().copied().unwrap_or(1);
                let view = self.buffer(channels, shape.iter().product::<usize>() / channels.max(1), 1);
                Quantised { shape, order: Order::Last, ..Quantised::picture(view) }
            }
        };
        self.within_budget(&node.name)?;
        let to = if tensor.order == Order::Last { flat(tensor.view) } else { tensor.view };
        let title = self.onnx.title(name).to_owned();
        self.push(&title, Op::Island(Box::new(island), Some(unit)), from, to);
        self.left.push(reason);
        self.tensors.insert(output.clone(), Quantised { unsigned, ..tensor });
        Ok(())
    }

    /// Leaves all nodes between the float tensor `name` and what steps compute before it to tract for this reason.
    pub(super) fn leave_real(&mut self, name: &str, reason: Reason) -> Result<Real, Refusal> {
        if self.onnx.producer(name).is_none() {
            return Err(Refusal::Float(reason));
        }
        let (island, from) = self.cut(name)?;
        let shape = island.output.clone();
        let order = usual(&shape);
        let made = whole(0, shape.clone(), order, false).view;
        let to = self.buffer(made.channels.saturating_mul(size_of::<f32>()), made.height, made.width);
        let title = self.onnx.title(name).to_owned();
        self.within_budget(&title)?;
        let flat = View::whole(to.buffer, size_of::<f32>(), made.len(), 1);
        let lies = order == Order::Last || made.pixels() == 1 || made.channels == 1;
        let written = if lies { flat } else { to };
        self.push(&title, Op::Island(Box::new(island), None), from, written);
        self.left.push(reason);
        Ok(Real { view: to, shape, order })
    }

    /// All nodes between the float tensor `output` and the quantised ones before it, for tract, with the
    /// views that they read.
    pub(super) fn cut(&mut self, output: &str) -> Result<(Island, Vec<View>), Refusal> {
        let mut part = self.part(output)?;
        // A link of a chain that no rule took as a whole after all.
        while let Some(link) = part.nodes.iter().find(|node| node.op_type == "QuantizeLinear") {
            let reason =
                Reason { node: link.name.clone(), why: "a part of a chain that no rule knows".into() };
            self.leave(&link.clone(), reason)?;
            part = self.part(output)?;
        }
        let quantised = part.inputs.iter().map(|(name, tensor)| {
            let kind = if tensor.unsigned { u8::datum_type() } else { i8::datum_type() };
            (name.clone(), kind, tensor.shape.clone())
        });
        let reals =
            part.reals.iter().map(|(name, real)| (name.clone(), f32::datum_type(), real.shape.clone()));
        let inputs: Vec<(String, DatumType, Vec<usize>)> = quantised.chain(reals).collect();
        let picture = part.picture.then(|| self.picture()).flatten();
        let picture = picture.as_ref().map(|(name, shape)| (name.as_str(), *shape));
        let island =
            Island::new(self.model, part.nodes, part.constants, picture, &inputs, output, self.budget);
        let island = island.map_err(|failure| Refusal::unplanned(self.onnx.title(output), failure))?;
        if island.output.contains(&0) {
            return Err(Refusal::broken(output, format!("no values, a shape of {:?}", island.output)));
        }
        let mut views: Vec<View> =
            part.inputs.iter().map(|(name, tensor)| self.in_graph_order(name, tensor)).collect();
        for (name, real) in &part.reals {
            // Rows as the graph has them.
            let places = (real.shape.clone(), &real_strides(real)[..], 0);
            let view = real_copied(self, name, real.view, places, Order::Last).view;
            views.push(View::whole(view.buffer, 1, view.len(), 1));
        }
        Ok((island, views))
    }

    /// A view whose planes lie as the graph's tensor does.
    pub(super) fn in_graph_order(&mut self, name: &str, tensor: &Quantised) -> View {
        if tensor.order == Order::First { tensor.view } else { flat(self.dense(name, tensor.view)) }
    }

    fn part(&self, output: &str) -> Result<Part, Refusal> {
        let mut part = Part::default();
        let (mut wanted, mut indices) = (vec![output.to_owned()], Vec::new());
        while let Some(name) = wanted.pop() {
            if let Some(tensor) = self.tensors.get(&name) {
                if part.inputs.iter().all(|(known, _)| *known != name) {
                    part.inputs.push((name, tensor.clone()));
                }
            } else if let Some(real) = self.reals.get(&name).filter(|_| name != output) {
                if part.reals.iter().all(|(known, _)| *known != name) {
                    part.reals.push((name, real.clone()));
                }
            } else if let Some(constant) = self.onnx.constant(&name) {
                if part.constants.iter().all(|known| known.name != name) {
                    part.constants.push(constant.clone());
                }
            } else if let Some(index) = self.onnx.producer(&name) {
                if !indices.contains(&index) {
                    indices.push(index);
                    let inputs = &self.onnx.graph.node[index].input;
                    wanted.extend(inputs.iter().filter(|input| !input.is_empty()).cloned());
                }
            } else if self.picture().is_some_and(|(picture, _)| picture == name) {
                part.picture = true;
            } else {
                return Err(Refusal::broken(output, format!("an input {name} that nothing makes")));
            }
        }
        indices.sort_unstable();
        part.nodes = indices.iter().map(|&index| self.onnx.graph.node[index].clone()).collect();
        Ok(part)
    }
}

/// A dense view as one channel: what lies channel by channel in memory, row-major.
fn flat(view: View) -> View {
    View::whole(view.buffer, 1, view.len(), 1)
}
