//! Lowering: from a QDQ graph to a list of steps that call the int8 kernels.
//!
//! Every chain of nodes between quantised tensors that a rule knows becomes one step; the nodes of any other chain become an
//! [island](island::Island) that tract runs in float. A graph whose outputs are not quantised, or whose input is not one int8
//! picture, is refused as a whole.

mod builder;
mod draft;
mod island;
mod onnx;
mod plan;
mod rules;
#[cfg(test)]
mod tests;

pub use plan::StepReport;
pub(super) use plan::{Pass, Plan};

use tract_onnx::pb::ModelProto;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value;

use crate::kernels::Isa;
use crate::kernels::team::Team;
use builder::Builder;
use onnx::Onnx;
use plan::Output;

/// Why a node stays in float.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The node's or tensor's name.
    pub(super) node: String,
    /// What cannot be lowered.
    pub(super) why: String,
}

impl Refusal {
    fn new(node: &str, why: impl Into<String>) -> Self {
        Self { node: node.to_owned(), why: why.into() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} stays in float: {}", self.node, self.why)
    }
}

/// Lowers a network whose only input is an int8 picture `[1, channels, height, width]`, to be run by `team`.
///
/// # Errors
/// The first node that keeps the whole network in float.
pub(super) fn lower(model: &ModelProto, size: [usize; 3], isa: Isa, team: Team) -> Result<Plan, Refusal> {
    let Some(graph) = &model.graph else { return Err(Refusal::new("graph", "none")) };
    let onnx = Onnx::new(graph);
    let mut inputs = graph.input.iter().filter(|input| onnx.constant(&input.name).is_none());
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err(Refusal::new("graph", "more or fewer than one input"));
    };
    let declared = input.r#type.as_ref().and_then(|declared| declared.value.as_ref());
    let is_picture = declared.is_some_and(|Value::TensorType(tensor)| {
        let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
        let expected = [1, size[0], size[1], size[2]];
        tensor.elem_type == tract_onnx::pb::tensor_proto::DataType::Int8 as i32
            && dims.len() == expected.len()
            && dims.iter().zip(expected).all(|(dim, n)| dim.value == Some(Dim::DimValue(n as i64)))
    });
    if !is_picture {
        return Err(Refusal::new(&input.name, format!("an input other than int8 of shape [1, {size:?}]")));
    }
    let mut builder = Builder::new(model, onnx);
    builder.input(&input.name, size);
    for node in graph.node.iter().filter(|node| node.op_type == "QuantizeLinear") {
        builder.quantize(node)?;
    }
    let outputs = graph.output.iter().map(|output| {
        let activation = builder.activation(&output.name)?;
        Ok(Output { name: output.name.clone(), activation })
    });
    let outputs = outputs.collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Plan::new(builder, size, outputs, isa, team))
}
