//! Lowering: from a QDQ graph to a list of steps that call the int8 kernels.
//!
//! Every chain of nodes between quantised tensors that a rule knows becomes one step; the nodes of any other
//! chain become an island that tract runs in float. tract never quantises: it would compute some operators
//! between quantised tensors in integers of its own, and wrongly. A graph that quantises nothing is left to it
//! as a whole.

mod arrange;
mod asymmetric;
mod builder;
mod check;
mod entry;
mod fuse;
mod grid;
mod islands;
mod moves;
mod numbers;
mod one_axis;
mod onnx;
mod prepare;
mod rules;
#[cfg(test)]
mod tests;

pub(super) use check::{check, structure};
pub(super) use entry::Entry;
pub(super) use prepare::{distinct, prepare};

use tract_onnx::pb::{ModelProto, NodeProto};

use crate::input::{Element, Input};
use crate::memory::Budget;
use crate::refusal::{Reason, Refusal};
use crate::steps::{Activation, Lowered, Output, Quantised, Source, Target, View};
use builder::Builder;
use onnx::Onnx;

/// Lowers a network that takes `input`, within `budget`; with `int8`, through the rules.
///
/// # Errors
/// [`Refusal::Float`] if nothing is quantised; the first node that is broken, that tract cannot run, or that is
/// too large.
pub(super) fn lower(
    model: &ModelProto,
    input: &Input,
    int8: bool,
    budget: Budget,
) -> Result<(Entry, Lowered), Refusal> {
    let Some(graph) = &model.graph else { return Err(Refusal::float("graph", "none")) };
    if graph.node.iter().all(|node| node.op_type != "QuantizeLinear") && input.element == Element::Float {
        return Err(Refusal::float("graph", "a network that quantises nothing"));
    }
    let mut builder = Builder::new(model, Onnx::new(graph), int8, budget, rules::real);
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
        // Its integers.
        if let Some(mut tensor) = builder.tensors.get(&name).cloned() {
            tensor.view = builder.in_graph_order(&name, &tensor);
            let zero = if tensor.unsigned { -128 } else { 0 };
            return Ok(Output { name, source: Source::Dequantised(Activation { tensor, scale: 1.0, zero }) });
        }
        if builder.int8
            && let Ok(real) = builder.attempt(|builder| rules::output(builder, &name))
        {
            builder.within_budget(&name)?;
            return Ok(Output { name, source: Source::Real(real) });
        }
        let (island, from) = builder.cut(&name)?;
        let node = builder.onnx.title(&name).to_owned();
        builder.left.push(Reason { node, why: "an output that is not dequantised".to_owned() });
        Ok(Output { name, source: Source::Float { island: Box::new(island), from } })
    });
    let outputs = outputs.collect::<Result<Vec<_>, Refusal>>()?;
    let Builder { mut steps, left, .. } = builder;
    let views: Vec<View> = outputs.iter().flat_map(Output::views).copied().collect();
    fuse::drop_unread(&mut steps, &views);
    fuse::fuse_tables(&mut steps, &views);
    let [_, channels, height, width] = input.shape;
    Ok((entry, Lowered { size: [channels, height, width], steps, outputs, left }))
}

/// Lowers the chain that ends in `node`, a `QuantizeLinear`.
fn quantise(builder: &mut Builder, node: &NodeProto) -> Result<(), Refusal> {
    let [Some(input), Some(output)] = [node.input.first(), node.output.first()] else {
        return Err(Refusal::broken(&node.name, "no input or output"));
    };
    if builder.tensors.contains_key(output) {
        return Ok(());
    }
    let unit = builder.unit(node, true);
    let lowered = match &unit {
        Ok((scale, zero, _)) if builder.int8 => {
            rules::lower(builder, input, Target { scale: *scale, zero: *zero, low: -128, high: 127 })
        }
        Ok(_) => Err(Refusal::float(&node.name, "asked for")),
        Err(refusal) => Err(refusal.clone()),
    };
    builder.within_budget(&node.name)?;
    match lowered {
        Ok(tensor) => {
            let unsigned = unit.is_ok_and(|(_, _, unsigned)| unsigned);
            builder.tensors.insert(output.clone(), Quantised { unsigned, ..tensor });
            Ok(())
        }
        Err(Refusal::Float(reason)) => builder.leave(node, reason),
        Err(broken) => Err(broken),
    }
}
