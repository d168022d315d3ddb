//! Lowering: from a QDQ graph to a list of steps that call the int8 kernels.
//!
//! Every chain of nodes between quantised tensors that a rule knows becomes one step; the nodes of any other chain become an
//! [island](island::Island) that tract runs in float. A graph of which nothing is left then, or whose picture is not quantised
//! first of all, is refused as a whole.

mod builder;
mod check;
mod draft;
mod entry;
mod island;
mod islands;
mod onnx;
mod plan;
mod prepare;
mod rules;
mod tensor;
#[cfg(test)]
mod tests;

pub(super) use check::check;
pub(super) use entry::Entry;
pub use plan::StepReport;
pub(super) use plan::{Pass, Plan, by_pixel};
pub(super) use prepare::prepare;

use tract_onnx::pb::ModelProto;

use crate::kernels::Isa;
use crate::kernels::team::Team;
use crate::model::input::Input;
use builder::Builder;
use draft::Op;
use onnx::Onnx;
use plan::{Output, Values};

/// Why a node stays in float, or why it is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The node's or tensor's name.
    pub(super) node: String,
    /// What cannot be lowered, or is broken.
    pub(super) why: String,
    /// Whether not even tract may run it.
    pub(super) broken: bool,
}

impl Refusal {
    pub(super) fn new(node: &str, why: impl Into<String>) -> Self {
        Self { node: node.to_owned(), why: why.into(), broken: false }
    }

    fn broken(node: &str, why: impl Into<String>) -> Self {
        Self { broken: true, ..Self::new(node, why) }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} stays in float: {}", self.node, self.why)
    }
}

/// Lowers a network that takes `input`, to be run by `team`.
///
/// # Errors
/// The first node that keeps the whole network in float or is broken.
pub(super) fn lower(
    model: &ModelProto,
    input: &Input,
    isa: Isa,
    team: Team,
) -> Result<(Entry, Plan), Refusal> {
    let Some(graph) = &model.graph else { return Err(Refusal::new("graph", "none")) };
    let mut builder = Builder::new(model, Onnx::new(graph));
    let entry = entry::lower(&mut builder, input)?;
    for node in graph.node.iter().filter(|node| node.op_type == "QuantizeLinear") {
        builder.quantize(node)?;
    }
    let outputs = graph.output.iter().map(|output| {
        let name = output.name.clone();
        if let Ok(mut activation) = builder.any_activation(&name) {
            activation.tensor.view = builder.in_graph_order(&name, &activation.tensor);
            return Ok(Output { name, values: Values::Dequantised(activation) });
        }
        let (island, from) = builder.cut(&name)?;
        builder.left.push(Refusal::new(builder.onnx.title(&name), "an output that is not dequantised"));
        Ok(Output { name, values: Values::Float { island: Box::new(island), from } })
    });
    let outputs = outputs.collect::<Result<Vec<_>, Refusal>>()?;
    if builder.steps.iter().all(|step| matches!(step.op, Op::Island(..))) {
        let first = builder.left.first().cloned();
        return Err(first.unwrap_or_else(|| Refusal::new("graph", "nothing to compute")));
    }
    let [_, channels, height, width] = input.shape;
    Ok(Plan::new(builder, [channels, height, width], outputs, isa, team)).map(|plan| (entry, plan))
}
