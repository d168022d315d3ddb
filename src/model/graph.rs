//! What the three networks share: reading an ONNX file into tract, outputs by name, errors of one line.

use std::collections::BTreeSet;
use std::sync::Arc;

use prost::Message;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::{DimLike, Factoid};

use super::bundle::Bundle;
use super::ops::{File, Ops};
use crate::error::{Error, Result};
use crate::kernels::Isa;

/// Longest message of tract that is worth a line.
const MESSAGE: usize = 300;

/// Most values of a tensor that tract may compute.
const LARGEST: usize = 1 << 28;

/// A network ready to run.
pub(super) struct Graph {
    /// What errors call it.
    file: String,
    plan: Arc<TypedRunnableModel>,
    outputs: Vec<String>,
    left: Vec<String>,
}

impl Graph {
    /// Loads the bundle's ONNX file `name`, whose inputs get the facts that `inputs` makes, in order. With `isa`, what
    /// [`Ops`] knows runs through our kernels.
    pub(super) fn load(
        bundle: &Bundle,
        name: &str,
        isa: Option<Isa>,
        inputs: impl FnOnce(&InferenceModel) -> Vec<TypedFact>,
    ) -> Result<Self> {
        let file = bundle.path(name);
        let Some(isa) = isa else { return Self::plan(file, read(bundle, name)?, inputs) };
        let decoded = File::decode(bundle.file(name)?);
        let (mut proto, data) = decoded.map_err(|error| not_onnx(&file, &error))?;
        let ops = Ops::take(&data, &mut proto, isa).map_err(|refusal| {
            Error::model(&file, format!("{}: {}", refusal.node, refusal.why), "constants that make sense")
        })?;
        drop(data);
        let left = ops.left_in_float().iter().map(ToString::to_string).collect();
        let graph = Self::build(file, proto, |model| ops.install(model), inputs)?;
        Ok(Self { left, ..graph })
    }

    /// A graph, read by [`read`] and called `file` in errors, that tract runs alone.
    pub(super) fn plan(
        file: String,
        proto: ModelProto,
        inputs: impl FnOnce(&InferenceModel) -> Vec<TypedFact>,
    ) -> Result<Self> {
        Self::build(file, proto, |_| (), inputs)
    }

    /// Plans a graph, after `change` has put other ops into it.
    fn build(
        file: String,
        proto: ModelProto,
        change: impl FnOnce(&mut InferenceModel),
        inputs: impl FnOnce(&InferenceModel) -> Vec<TypedFact>,
    ) -> Result<Self> {
        let broken =
            |error: TractError| Error::model(&file, message(&error), "an ONNX network that tract can run");
        let outputs = output_names(&file, &proto)?;
        let mut model = tract_onnx::onnx().model_for_proto_model(&proto).map_err(broken)?;
        drop(proto);
        change(&mut model);
        let facts = inputs(&model);
        if model.inputs.len() != facts.len() {
            let expected = format!("{} inputs", facts.len());
            return Err(Error::model(file, format!("{} inputs", model.inputs.len()), expected));
        }
        for (index, fact) in facts.into_iter().enumerate() {
            let declared = model.input_fact(index).map_err(broken)?;
            if contradicts(declared, &fact) {
                let found = format!("input {index} of shape and type {declared:?}");
                return Err(Error::model(file, found, format!("{fact:?}")));
            }
            model.set_input_fact(index, fact.into()).map_err(broken)?;
        }
        let model = model.into_optimized().map_err(broken)?;
        bounded(&model).map_err(broken)?;
        let plan = model.into_runnable().map_err(broken)?;
        Ok(Self { file, plan, outputs, left: Vec::new() })
    }

    /// Products with int8 weights that stay in float and why, one line each.
    pub(super) fn left_in_float(&self) -> &[String] {
        &self.left
    }

    /// Shape of input `index`; symbolic dimensions count as 0.
    pub(super) fn input(&self, index: usize) -> Result<Vec<usize>> {
        let fact = self.plan.model().input_fact(index).map_err(|error| self.internal(&error))?;
        Ok(fact.shape.iter().map(|dim| dim.to_usize().unwrap_or(0)).collect())
    }

    /// Names and shapes of the outputs, in the file's order; symbolic dimensions count as 0.
    pub(super) fn outputs(&self) -> Result<Vec<(String, Vec<usize>)>> {
        let names = self.outputs.iter();
        names.map(|name| self.output(name).map(|(_, shape)| (name.clone(), shape))).collect()
    }

    /// Index and shape of the f32 output `name`; symbolic dimensions count as 0.
    pub(super) fn output(&self, name: &str) -> Result<(usize, Vec<usize>)> {
        let found = || format!("outputs {}", self.outputs.join(", "));
        let index = self.outputs.iter().position(|output| output == name);
        let index =
            index.ok_or_else(|| Error::model(&self.file, found(), format!("an output called {name}")))?;
        let fact = self.plan.model().output_fact(index).map_err(|error| self.internal(&error))?;
        if fact.datum_type != f32::datum_type() {
            let found = format!("output {name} of type {:?}", fact.datum_type);
            return Err(Error::model(&self.file, found, "type F32"));
        }
        Ok((index, fact.shape.iter().map(|dim| dim.to_usize().unwrap_or(0)).collect()))
    }

    /// The error of an output whose shape the manifest does not explain.
    pub(super) fn shape_error(&self, name: &str, found: &[usize], expected: String) -> Error {
        Error::model(&self.file, format!("output {name} of shape {found:?}"), expected)
    }

    /// One pass; the values of all outputs, in the file's order.
    pub(super) fn run(&self, inputs: TVec<TValue>) -> Result<TVec<TValue>> {
        self.plan.run(inputs).map_err(|error| self.internal(&error))
    }

    /// One output of a pass, row-major.
    pub(super) fn values(&self, output: &TValue) -> Result<Vec<f32>> {
        let view = output.to_plain_array_view::<f32>().map_err(|error| self.internal(&error))?;
        Ok(view.iter().copied().collect())
    }

    /// A tensor for [`Graph::run`].
    pub(super) fn tensor<T: Datum + Copy>(&self, shape: &[usize], data: &[T]) -> Result<TValue> {
        Tensor::from_shape(shape, data).map(Into::into).map_err(|error| self.internal(&error))
    }

    fn internal(&self, error: &TractError) -> Error {
        Error::bug(format!("{}: {}", self.file, message(error)))
    }
}

/// The instruction set of this run.
///
/// # Errors
/// [`Error::Settings`] if `EDGECLIP_ISA` names none of this CPU.
pub(super) fn isa() -> Result<Isa> {
    Isa::chosen().map_err(|unknown| {
        Error::settings("EDGECLIP_ISA", unknown.wanted, format!("one of {}", unknown.available.join(", ")))
    })
}

/// Reads the bundle's ONNX file `name`.
pub(super) fn read(bundle: &Bundle, name: &str) -> Result<ModelProto> {
    parse(&bundle.path(name), bundle.file(name)?.as_ref())
}

/// Reads the ONNX file `file`, which holds `bytes`.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<ModelProto> {
    ModelProto::decode(bytes).map_err(|error| not_onnx(file, &error))
}

fn not_onnx(file: &str, error: &prost::DecodeError) -> Error {
    Error::model(file, error.to_string(), "an ONNX network")
}

/// Whether a file declares another type, rank or number for its input than `fact`. Symbols may have any name.
fn contradicts(declared: &InferenceFact, fact: &TypedFact) -> bool {
    let number = |dim: &TDim| dim.to_usize().ok();
    let differs = |(axis, dim): (usize, &TDim)| {
        let declared = declared.shape.dim(axis).and_then(|dim| dim.concretize());
        declared.as_ref().and_then(number).zip(number(dim)).is_some_and(|(a, b)| a != b)
    };
    declared.datum_type.concretize().is_some_and(|datum_type| datum_type != fact.datum_type)
        || declared.shape.rank().concretize().is_some_and(|rank| rank != fact.rank() as i64)
        || fact.shape.iter().enumerate().any(differs)
}

/// Names of the outputs, each of which some node, constant or input provides: tract would panic otherwise.
fn output_names(file: &str, proto: &ModelProto) -> Result<Vec<String>> {
    let Some(graph) = &proto.graph else {
        return Err(Error::model(file, "no graph", "an ONNX network"));
    };
    let provided: BTreeSet<&str> = (graph.node.iter().flat_map(|node| &node.output).map(String::as_str))
        .chain(graph.initializer.iter().map(|tensor| tensor.name.as_str()))
        .chain(graph.input.iter().map(|input| input.name.as_str()))
        .collect();
    let names: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    match names.iter().find(|name| !provided.contains(name.as_str())) {
        Some(name) => {
            Err(Error::model(file, format!("output {name} without a node"), "a node for each output"))
        }
        None => Ok(names),
    }
}

/// Refuses a graph with a tensor of known size that no memory holds: tract would ask for it and be ended.
pub(super) fn bounded(model: &TypedModel) -> TractResult<()> {
    for node in model.nodes() {
        for output in &node.outputs {
            if let Some(shape) = output.fact.shape.as_concrete()
                && shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n)).is_none_or(|n| n > LARGEST)
            {
                return Err(TractError::msg(format!("{} makes a tensor of shape {shape:?}", node.name)));
            }
        }
    }
    Ok(())
}

/// A tract error and its causes, shortened: tract prints whole nodes.
pub(super) fn message(error: &TractError) -> String {
    let full = format!("{error:#}");
    match full.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &full[..end]),
        None => full,
    }
}
