//! Networks that tract schedules: those whose dimensions change from call to call, and pictures' networks in
//! float.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::{DimLike, Factoid};

use crate::error::{Error, Result};
use crate::input::{Element, Input, Values};
use crate::lower;
use crate::memory::Budget;
use crate::ops::{File, Ops, write_out};
use crate::proto::{not_onnx, output_names, parse};
use crate::signature::{Dim, Signature, Tensor as Given};
use crate::table;
use crate::tract::{Failure, floats, guarded, is_numeric, message, planned};
use edgeclip_kernels::Isa;

/// A network with any number of inputs, whose dimensions may change from call to call.
///
/// ```
/// use edgeclip_engine::{Dim, Graph, Isa, Signature, Tensor};
///
/// // A text tower: token ids and their mask, sentences by tokens.
/// let ids = Signature::Int64(&[Dim::Named("N"), Dim::Named("L")]);
/// let load = |bytes: Vec<u8>| Graph::load("text.onnx", bytes.into(), Some(Isa::SCALAR), &[ids; 2]);
/// let embed = |tower: &Graph| -> edgeclip_engine::Result<Vec<f32>> {
///     let (ids, mask) = ([101, 4937, 102], [1; 3]);
///     tower.run(&[Tensor::Int64(&[1, 3], &ids), Tensor::Int64(&[1, 3], &mask)])?.values(0)
/// };
/// # let _ = (load, embed);
/// ```
pub struct Graph {
    /// What errors call it.
    file: String,
    plan: Arc<TypedRunnableModel>,
    outputs: Vec<String>,
    left: Vec<String>,
    /// Rows of the table that each input indexes.
    rows: Vec<Option<usize>>,
}

impl Graph {
    /// Loads the ONNX file in `bytes`, called `file` in errors, whose inputs are as `inputs` says, in order.
    /// With an instruction set, products with constant int8 weights and the float parts of a transformer run
    /// through our kernels; without, tract runs everything, in float.
    ///
    /// # Errors
    /// [`Error::Model`] if `bytes` hold no such network.
    pub fn load(
        file: &str,
        bytes: Cow<'static, [u8]>,
        isa: Option<Isa>,
        inputs: &[Signature<'_>],
    ) -> Result<Self> {
        guarded(file, || Self::loaded(file, bytes, isa, inputs), |panic| broken(file, panic))
    }

    fn loaded(
        file: &str,
        bytes: Cow<'static, [u8]>,
        isa: Option<Isa>,
        inputs: &[Signature<'_>],
    ) -> Result<Self> {
        let facts = |model: &InferenceModel| {
            inputs.iter().enumerate().map(|(index, input)| fact(file, model, index, input)).collect()
        };
        let budget = Budget::default();
        let Some(isa) = isa else {
            let proto = parse(file, &bytes)?;
            lower::structure(file, &proto)?;
            return Self::build(file, proto, |_| (), facts, budget);
        };
        let (mut proto, data) = File::decode(bytes).map_err(|error| not_onnx(file, &error))?;
        lower::structure(file, &proto)?;
        let rows = table::rows(&proto);
        proto.graph.iter_mut().for_each(lower::distinct);
        let ops = Ops::take(&data, &mut proto, isa).map_err(|refusal| {
            let reason = refusal.reason();
            Error::model(file, format!("{}: {}", reason.node, reason.why), "constants that make sense")
        })?;
        drop(data);
        let left = ops.left_in_float().iter().map(ToString::to_string).collect();
        let graph = Self::build(file, proto, |model| ops.install(model), facts, budget)?;
        Ok(Self { left, rows, ..graph })
    }

    /// A picture's network that tract runs alone.
    pub(crate) fn of_picture(file: &str, proto: ModelProto, input: &Input, budget: Budget) -> Result<Self> {
        let kind = match input.element {
            Element::Int8 => i8::datum_type(),
            Element::Uint8 => u8::datum_type(),
            Element::Float => f32::datum_type(),
        };
        Self::build(file, proto, |_| (), |_| Ok(vec![kind.fact(input.shape)]), budget)
    }

    /// Plans a graph, after `change` has put other ops into it.
    fn build(
        file: &str,
        mut proto: ModelProto,
        change: impl FnOnce(&mut InferenceModel),
        inputs: impl FnOnce(&InferenceModel) -> Result<Vec<TypedFact>>,
        budget: Budget,
    ) -> Result<Self> {
        let broken = |error: TractError| broken(file, message(&error));
        let outputs = output_names(file, &proto)?;
        proto.graph.iter_mut().for_each(write_out);
        let mut model = tract_onnx::onnx().model_for_proto_model(&proto).map_err(broken)?;
        drop(proto);
        change(&mut model);
        let facts = inputs(&model)?;
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
        let plan = planned(model, budget).map_err(|failure| match failure {
            Failure::Memory(why) => Error::model(file, format!("node {why}"), budget.expected()),
            Failure::Tract(why) => self::broken(file, why),
        })?;
        Ok(Self { file: file.to_owned(), plan, outputs, left: Vec::new(), rows: Vec::new() })
    }

    /// Products with int8 weights that stay in float and why, one line each.
    pub fn left_in_float(&self) -> &[String] {
        &self.left
    }

    /// How many rows the constant table has that input `index` picks from, such as the embeddings of tokens;
    /// `None` if it picks from none, or without an instruction set.
    pub fn rows(&self, index: usize) -> Option<usize> {
        self.rows.get(index).copied().flatten()
    }

    /// Shape of input `index`; named dimensions count as 0.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no such input.
    pub fn input(&self, index: usize) -> Result<Vec<usize>> {
        let fact = self.plan.model().input_fact(index).map_err(|error| self.internal(&error))?;
        Ok(sizes(fact))
    }

    /// Names and shapes of the outputs, in the file's order; named dimensions count as 0.
    ///
    /// # Errors
    /// [`Error::Model`] naming the first output that is not of numbers.
    pub fn outputs(&self) -> Result<Vec<(String, Vec<usize>)>> {
        let names = self.outputs.iter();
        names.map(|name| self.output(name).map(|(_, shape)| (name.clone(), shape))).collect()
    }

    /// Index and shape of the output `name`; named dimensions count as 0.
    ///
    /// # Errors
    /// [`Error::Model`] if there is no such output, or if it is not of numbers.
    pub fn output(&self, name: &str) -> Result<(usize, Vec<usize>)> {
        let found = || format!("outputs {}", self.outputs.join(", "));
        let index = self.outputs.iter().position(|output| output == name);
        let index =
            index.ok_or_else(|| Error::model(&self.file, found(), format!("an output called {name}")))?;
        let fact = self.plan.model().output_fact(index).map_err(|error| self.internal(&error))?;
        if !is_numeric(fact.datum_type) {
            let found = format!("output {name} of type {:?}", fact.datum_type);
            return Err(Error::model(&self.file, found, "numbers"));
        }
        Ok((index, sizes(fact)))
    }

    /// One pass.
    ///
    /// # Errors
    /// [`Error::Input`] if a tensor has more or fewer values than its shape, [`Error::Model`] if the network
    /// cannot compute with them.
    pub fn run(&self, inputs: &[Given<'_>]) -> Result<Outputs<'_>> {
        let tensors = inputs.iter().map(|input| match *input {
            Given::Float(shape, values) => self.tensor(shape, values),
            Given::Int64(shape, values) => self.tensor(shape, values),
        });
        self.pass(tensors.collect::<Result<_>>()?)
    }

    /// One pass over a picture.
    pub(crate) fn look(&self, shape: &[usize; 4], values: Values<'_>) -> Result<Outputs<'_>> {
        let tensor = match values {
            Values::Int8(values) => self.tensor(shape, values),
            Values::Uint8(values) => self.tensor(shape, values),
            Values::Float(values) => self.tensor(shape, values),
        };
        self.pass(tvec!(tensor?))
    }

    fn pass(&self, inputs: TVec<TValue>) -> Result<Outputs<'_>> {
        let run = || self.plan.run(inputs).map_err(|error| broken(&self.file, message(&error)));
        let values = guarded(&self.file, run, |panic| broken(&self.file, panic))?;
        Ok(Outputs { graph: self, values })
    }

    fn tensor<T: Datum + Copy>(&self, shape: &[usize], data: &[T]) -> Result<TValue> {
        let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        if count != Some(data.len()) {
            return Err(Error::Input(format!("{}: {} values of shape {shape:?}", self.file, data.len())));
        }
        Tensor::from_shape(shape, data).map(Into::into).map_err(|error| self.internal(&error))
    }

    fn internal(&self, error: &TractError) -> Error {
        Error::Internal(format!("{}: {}", self.file, message(error)))
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Graph({} → {})", self.file, self.outputs.join(", "))
    }
}

/// The outputs of one pass.
#[derive(Debug)]
pub struct Outputs<'a> {
    graph: &'a Graph,
    values: TVec<TValue>,
}

impl Outputs<'_> {
    /// The values of output `index`, in the file's order, row-major; integers as the nearest f32.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no such output, [`Error::Internal`] if it is not of numbers.
    pub fn values(&self, index: usize) -> Result<Vec<f32>> {
        floats(self.get(index)?).map_err(|error| self.graph.internal(&error))
    }

    /// The shape of output `index`, in the file's order.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no such output.
    pub fn shape(&self, index: usize) -> Result<&[usize]> {
        Ok(self.get(index)?.shape())
    }

    fn get(&self, index: usize) -> Result<&TValue> {
        let missing = || Error::Input(format!("{}: no output {index}", self.graph.file));
        self.values.get(index).ok_or_else(missing)
    }
}

/// The error of a network that tract cannot run.
fn broken(file: &str, found: String) -> Error {
    Error::model(file, found, "an ONNX network that tract can run")
}

fn sizes(fact: &TypedFact) -> Vec<usize> {
    fact.shape.iter().map(|dim| dim.to_usize().unwrap_or(0)).collect()
}

/// What input `index` of `model` is, by its signature.
fn fact(file: &str, model: &InferenceModel, index: usize, input: &Signature<'_>) -> Result<TypedFact> {
    let (kind, dims) = match input {
        Signature::Float(dims) => (f32::datum_type(), dims),
        Signature::Int64(dims) => (i64::datum_type(), dims),
    };
    let declared = |axis: usize| {
        let fact = (index < model.inputs.len()).then(|| model.input_fact(index).ok()).flatten();
        let dim = fact.and_then(|fact| fact.shape.dim(axis)).and_then(|dim| dim.concretize());
        dim.and_then(|dim| dim.to_usize().ok()).ok_or_else(|| {
            Error::model(file, format!("no size of input {index} on axis {axis}"), "a size that is declared")
        })
    };
    let dims = dims.iter().enumerate().map(|(axis, dim)| match dim {
        Dim::Fixed(size) => Ok(size.to_dim()),
        Dim::Named(name) => Ok(model.symbols.sym(name).to_dim()),
        Dim::Declared => declared(axis).map(|size| size.to_dim()),
    });
    Ok(kind.fact(dims.collect::<Result<TVec<TDim>>>()?))
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
