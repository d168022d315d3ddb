//! Lowering: from a QDQ graph to a list of steps that call the int8 kernels.
//!
//! Every chain of nodes between quantised tensors that a rule knows becomes one step; the nodes of any other
//! chain become an island that tract runs in float. A graph of which nothing is left then, or whose picture
//! is not quantised first of all, is refused as a whole.

mod arrange;
mod builder;
mod check;
mod entry;
mod fuse;
mod grid;
mod islands;
mod moves;
mod onnx;
mod prepare;
mod rules;
#[cfg(test)]
mod tests;

pub(super) use check::check;
pub(super) use entry::Entry;
pub(super) use prepare::prepare;

use tract_onnx::pb::{ModelProto, NodeProto};

use crate::input::Input;
use crate::refusal::{Reason, Refusal};
use crate::steps::{Lowered, Op, Output, Quantised, Source, Target, View};
use builder::Builder;
use onnx::Onnx;

/// Lowers a network that takes `input`.
///
/// # Errors
/// The first node that keeps the whole network in float or is broken.
pub(super) fn lower(model: &ModelProto, input: &Input) -> Result<(Entry, Lowered), Refusal> {
    let Some(graph) = &model.graph else { return Err(Refusal::float("graph", "none")) };
    let mut builder = Builder::new(model, Onnx::new(graph));
    let entry = entry::lower(&mut builder, input)?;
    for node in graph.node.iter().filter(|node| node.op_type == "QuantizeLinear") {
        quantise(&mut builder, node)?;
    }
    let outputs = graph.output.iter().map(|output| {
        let name = output.name.clone();
        if let Ok(mut activation) = builder.any_activation(&name) {
            activation.tensor.view = builder.in_graph_order(&name, &activation.tensor);
            return Ok(Output { name, source: Source::Dequantised(activation) });
        }
        let (island, from) = builder.cut(&name)?;
        let node = builder.onnx.title(&name).to_owned();
        builder.left.push(Reason { node, why: "an output that is not dequantised".to_owned() });
        Ok(Output { name, source: Source::Float { island: Box::new(island), from } })
    });
    let outputs = outputs.collect::<Result<Vec<_>, Refusal>>()?;
    let Builder { mut steps, left, .. } = builder;
    if steps.iter().all(|step| matches!(step.op, Op::Island(..))) {
        let first = left.first().cloned().map(Refusal::Float);
        return Err(first.unwrap_or_else(|| Refusal::float("graph", "nothing to compute")));
    }
    let views: Vec<View> = outputs.iter().flat_map(Output::views).copied().collect();
    fuse::drop_unread(&mut steps, &views);
    fuse::fuse_tables(&mut steps, &views);
    let [_, channels, height, width] = input.shape;
    Ok((entry, Lowered { size: [channels, height, width], steps, outputs, left }))
}

/// Lowers the chain that ends in `node`, a `QuantizeLinear`.
fn quantise(builder: &mut Builder, node: &NodeProto) -> Result<(), Refusal> {
    let [Some(input), Some(output)] = [node.input.first(), node.output.first()] else {
        return Err(Refusal::float(&node.name, "no input or output"));
    };
    if builder.tensors.contains_key(output) {
        return Ok(());
    }
    let (scale, zero, unsigned) = builder.unit(node, true)?;
    let target = Target { scale, zero, low: -128, high: 127 };
    let tensor = match rules::lower(builder, input, target) {
        Ok(tensor) => tensor,
        Err(Refusal::Float(reason)) => {
            let tensor = builder.island(input, (scale, zero))?;
            builder.left.push(reason);
            tensor
        }
        Err(broken) => return Err(broken),
    };
    builder.tensors.insert(output.clone(), Quantised { unsigned, ..tensor });
    Ok(())
}
