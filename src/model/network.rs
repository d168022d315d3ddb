//! A network of one picture, ready to run: through the int8 kernels, or in float through tract where it cannot be lowered.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

use super::bundle::{Bundle, VISION};
use super::graph::{self, Graph};
use super::input::{Input, Values};
use super::lower::{self, Entry, Plan, StepReport};
use crate::error::{Error, ErrorKind, Result};
use crate::kernels::Isa;
use crate::kernels::team::Team;

/// A network that takes one picture.
pub struct Network {
    /// What errors call it.
    file: String,
    input: Input,
    body: Body,
}

/// How it runs.
enum Body {
    /// Through our kernels.
    Int8(Isa, Entry, Plan),
    /// Through tract.
    Float {
        graph: Graph,
        /// The first node that could not be lowered, and why; `None` if nobody tried.
        refusal: Option<String>,
    },
}

impl Network {
    /// Opens the ONNX file `path`, whose only input is a picture `[1, channels, height, width]` of a fixed size. It runs through
    /// the int8 kernels, on `threads` threads (at least 1), if it can be lowered to them, else in float through tract.
    ///
    /// # Errors
    /// [`Error::Model`] if the file cannot be read or the system has not so many threads, [`Error::Model`] if it is no such network,
    /// [`Error::Settings`] if `EDGECLIP_ISA` names no instruction set of this CPU.
    pub fn open(path: &Path, threads: usize) -> Result<Self> {
        let (file, proto) = read(path)?;
        Self::new(file, proto, threads)
    }

    /// The same of a bundle's vision network.
    ///
    /// # Errors
    /// As of [`Network::open`].
    pub fn of_bundle(bundle: &Bundle, threads: usize) -> Result<Self> {
        Self::new(bundle.path(VISION), graph::read(bundle, VISION)?, threads)
    }

    /// The same in float through tract alone, to compare with.
    ///
    /// # Errors
    /// As of [`Network::open`].
    pub fn open_float(path: &Path) -> Result<Self> {
        let (file, proto) = read(path)?;
        Self::float(file, proto, None)
    }

    /// The network that `file` held, lowered if it can be.
    pub(super) fn new(file: String, mut proto: ModelProto, threads: usize) -> Result<Self> {
        let isa = graph::isa()?;
        let input = Input::declared(&file, &proto)?;
        lower::prepare(&mut proto);
        lower::check(&file, &proto)?;
        let team = Team::new(threads)
            .map_err(|source| Error::io(ErrorKind::Device, format!("{threads} threads"), source))?;
        match lower::lower(&proto, &input, isa, team) {
            Ok((entry, plan)) => Ok(Self { file, input, body: Body::Int8(isa, entry, plan) }),
            Err(refusal) if refusal.broken => {
                let found = format!("node {} with {}", refusal.node, refusal.why);
                Err(Error::model(file, found, "shapes and types that fit"))
            }
            Err(refusal) => Self::float(file, proto, Some(refusal.to_string())),
        }
    }

    /// The network that `file` held, in tract alone.
    pub(super) fn float(file: String, proto: ModelProto, refusal: Option<String>) -> Result<Self> {
        let input = Input::declared(&file, &proto)?;
        let fact = input.element.datum_type().fact(input.shape);
        let graph = Graph::plan(file.clone(), proto, |_| vec![fact])?;
        Ok(Self { file, input, body: Body::Float { graph, refusal } })
    }

    /// Whether the int8 kernels run it.
    pub fn is_int8(&self) -> bool {
        matches!(self.body, Body::Int8(..))
    }

    /// The nodes that stay in float and why, one line each. If not even [`Network::is_int8`], the first that keeps the whole
    /// network in float.
    pub fn left_in_float(&self) -> Vec<String> {
        match &self.body {
            Body::Int8(_, _, plan) => plan.left_in_float().iter().map(ToString::to_string).collect(),
            Body::Float { refusal, .. } => refusal.iter().cloned().collect(),
        }
    }

    /// What it takes.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Names and shapes of its outputs, in the file's order.
    ///
    /// # Errors
    /// [`Error::Model`] naming the first output that is not of f32.
    pub fn outputs(&self) -> Result<Vec<(String, Vec<usize>)>> {
        match &self.body {
            Body::Int8(_, _, plan) => {
                Ok(plan.outputs().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect())
            }
            Body::Float { graph, .. } => graph.outputs(),
        }
    }

    /// Index and shape of the f32 output `name`.
    pub(super) fn output(&self, name: &str) -> Result<(usize, Vec<usize>)> {
        let outputs = self.outputs()?;
        let found = outputs.iter().enumerate().find(|(_, (output, _))| output == name);
        found.map(|(index, (_, shape))| (index, shape.clone())).ok_or_else(|| {
            let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
            let found = format!("outputs {}", names.join(", "));
            Error::model(&self.file, found, format!("an output called {name}"))
        })
    }

    /// The error of an input or output whose shape is not what others expect.
    pub(super) fn shape_error(&self, what: &str, found: &[usize], expected: String) -> Error {
        Error::model(&self.file, format!("{what} of shape {found:?}"), expected)
    }

    /// One pass over a picture, the values of [`Network::input`] row-major; the values of all outputs likewise, in the file's
    /// order.
    ///
    /// # Errors
    /// [`Error::Bug`] if `input` has another type or length than [`Network::input`].
    pub fn run<'a>(&self, input: impl Into<Values<'a>>) -> Result<Vec<Vec<f32>>> {
        let mut outputs = vec![Vec::new(); self.outputs()?.len()];
        self.run_into(input, &mut outputs)?;
        Ok(outputs)
    }

    /// The same into the outputs of an earlier pass of this network: the int8 kernels then allocate no memory.
    ///
    /// # Errors
    /// As of [`Network::run`].
    pub fn run_into<'a>(&self, input: impl Into<Values<'a>>, outputs: &mut [Vec<f32>]) -> Result<()> {
        let mut pass = self.pass(input.into())?;
        outputs.iter_mut().enumerate().try_for_each(|(index, values)| pass.read(index, values))
    }

    /// The steps of an int8 network, in order; none of one in float.
    pub fn steps(&self) -> Vec<StepReport> {
        match &self.body {
            Body::Int8(_, _, plan) => plan.report(),
            Body::Float { .. } => Vec::new(),
        }
    }

    /// One pass; the time of each of [`Network::steps`].
    ///
    /// # Errors
    /// As of [`Network::run`].
    pub fn step_times<'a>(&self, input: impl Into<Values<'a>>) -> Result<Vec<Duration>> {
        let input = self.checked(input.into())?;
        match &self.body {
            Body::Int8(isa, entry, plan) => {
                let values = entry.quantised(*isa, input);
                plan.timed(&values).map_err(|error| failed(&self.file, &error))
            }
            Body::Float { .. } => Ok(Vec::new()),
        }
    }

    /// One pass, whose results are read one by one.
    pub(super) fn pass(&self, input: Values) -> Result<Pass<'_>> {
        let (input, shape) = (self.checked(input)?, &self.input.shape);
        match &self.body {
            Body::Int8(isa, entry, plan) => {
                let pass = plan.run(&entry.quantised(*isa, input));
                Ok(Pass::Int8(&self.file, pass.map_err(|error| failed(&self.file, &error))?))
            }
            Body::Float { graph, .. } => {
                let tensor = match input {
                    Values::Int8(values) => graph.tensor(shape, values),
                    Values::Uint8(values) => graph.tensor(shape, values),
                    Values::Float(values) => graph.tensor(shape, values),
                };
                Ok(Pass::Float { graph, values: graph.run(tvec!(tensor?))? })
            }
        }
    }

    /// `input`, if it is what the network takes.
    fn checked<'a>(&self, input: Values<'a>) -> Result<Values<'a>> {
        let Input { element, shape, .. } = &self.input;
        if (input.element(), input.len()) == (*element, shape.iter().product()) {
            return Ok(input);
        }
        let (found, length) = (input.element(), input.len());
        Err(Error::bug(format!("an input of {length} {found:?} for {element:?} {shape:?}")))
    }
}

/// The results of one pass.
pub(super) enum Pass<'a> {
    /// Of our kernels, and what errors call the file.
    Int8(&'a str, lower::Pass<'a>),
    /// Of tract.
    Float {
        /// The graph.
        graph: &'a Graph,
        /// Its outputs.
        values: TVec<TValue>,
    },
}

impl Pass<'_> {
    /// The values of output `index`, in the file's order.
    pub(super) fn read(&mut self, index: usize, to: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Int8(file, pass) => pass.read(index, to).map_err(|error| failed(file, &error))?,
            Self::Float { graph, values } => *to = graph.values(&values[index])?,
        }
        Ok(())
    }

    /// The same of an output `[1, channels, height, width]`, pixel after pixel.
    pub(super) fn read_pixels(&mut self, index: usize, to: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Int8(file, pass) => pass.read_pixels(index, to).map_err(|error| failed(file, &error))?,
            Self::Float { graph, values } => {
                let channels = values[index].shape().get(1).copied().unwrap_or(1);
                *to = lower::by_pixel(&graph.values(&values[index])?, channels);
            }
        }
        Ok(())
    }
}

fn failed(file: &str, error: &TractError) -> Error {
    Error::bug(format!("{file}: {}", graph::message(error)))
}

/// The network in a file, and what errors call it.
fn read(path: &Path) -> Result<(String, ModelProto)> {
    let file = path.display().to_string();
    let bytes = fs::read(path).map_err(|source| Error::io(ErrorKind::Model, file.clone(), source))?;
    let proto = graph::parse(&file, &bytes)?;
    Ok((file, proto))
}
