//! A network of one picture, ready to run: through the int8 kernels, or in float through tract where it
//! cannot be lowered.

use std::fmt;
use std::time::Duration;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::TractError;

use crate::error::{Error, Result};
use crate::graph::{Graph, Outputs};
use crate::input::{Input, Values};
use crate::lower::{self, Entry};
use crate::memory::Budget;
use crate::plan::{self, Plan, StepReport, by_pixel};
use crate::refusal::{Reason, Refusal};
use crate::tract::{guarded, message};
use edgeclip_kernels::Isa;
use edgeclip_kernels::team::Team;

/// A network that takes one picture.
pub struct Engine {
    /// What errors call it.
    file: String,
    input: Input,
    body: Body,
}

/// How it runs.
enum Body {
    /// Through our kernels.
    Int8(Isa, Entry, Box<Plan>),
    /// Through tract.
    Float {
        graph: Graph,
        /// The first node that could not be lowered, and why; `None` if nobody tried.
        refusal: Option<Reason>,
    },
}

impl Engine {
    /// The network that `file` held: lowered if `int8` and if it can be, else in tract.
    pub(crate) fn new(
        file: String,
        proto: ModelProto,
        isa: Isa,
        threads: usize,
        int8: bool,
        budget: Budget,
    ) -> Result<Self> {
        let panicked = |panic| Error::model(&file, panic, "an ONNX network that tract can run");
        guarded(&file, || Self::planned(&file, proto, isa, threads, int8, budget), panicked)
    }

    fn planned(
        file: &str,
        mut proto: ModelProto,
        isa: Isa,
        threads: usize,
        int8: bool,
        budget: Budget,
    ) -> Result<Self> {
        let input = Input::declared(file, &proto)?;
        lower::structure(file, &proto)?;
        lower::prepare(&mut proto);
        lower::check(file, &proto)?;
        let team = Team::new(threads).map_err(|source| Error::Threads { count: threads, source })?;
        let lowered = lower::lower(&proto, &input, int8, budget);
        let body =
            match lowered.and_then(|(entry, lowered)| Ok((entry, Plan::new(lowered, isa, team, budget)?))) {
                Ok((entry, plan)) => Body::Int8(isa, entry, Box::new(plan)),
                Err(Refusal::Float(reason)) => {
                    let graph = Graph::of_picture(file, proto, &input, budget)?;
                    Body::Float { graph, refusal: int8.then_some(reason) }
                }
                Err(refusal) => return Err(refusal.error(file, budget)),
            };
        Ok(Self { file: file.to_owned(), input, body })
    }

    /// Whether the int8 kernels run it, or parts of it.
    pub fn is_int8(&self) -> bool {
        matches!(&self.body, Body::Int8(_, _, plan) if plan.has_kernels())
    }

    /// The nodes that stay in float and why, one line each. If not even [`Engine::is_int8`], the first that
    /// keeps the whole network in float.
    pub fn left_in_float(&self) -> Vec<String> {
        match &self.body {
            Body::Int8(_, _, plan) => {
                let count = if plan.has_kernels() { usize::MAX } else { 1 };
                plan.left_in_float().iter().take(count).map(ToString::to_string).collect()
            }
            Body::Float { refusal, .. } => refusal.iter().map(ToString::to_string).collect(),
        }
    }

    /// What it takes.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Names and shapes of its outputs, in the file's order.
    ///
    /// # Errors
    /// [`Error::Model`] naming the first output that is not of numbers.
    pub fn outputs(&self) -> Result<Vec<(String, Vec<usize>)>> {
        match &self.body {
            Body::Int8(_, _, plan) => {
                Ok(plan.outputs().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect())
            }
            Body::Float { graph, .. } => graph.outputs(),
        }
    }

    /// Index and shape of the output `name`.
    ///
    /// # Errors
    /// [`Error::Model`] if there is no such output, or if one is not of numbers.
    pub fn output(&self, name: &str) -> Result<(usize, Vec<usize>)> {
        let outputs = self.outputs()?;
        let found = outputs.iter().enumerate().find(|(_, (output, _))| output == name);
        found.map(|(index, (_, shape))| (index, shape.clone())).ok_or_else(|| {
            let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
            let found = format!("outputs {}", names.join(", "));
            Error::model(&self.file, found, format!("an output called {name}"))
        })
    }

    /// One pass over a picture, the values of [`Engine::input`] row-major; the values of all outputs
    /// likewise, in the file's order. An output of integers gives them as they are stored, not dequantised, each
    /// as the nearest f32: exactly up to 2²⁴.
    ///
    /// # Errors
    /// [`Error::Input`] if `input` has another type or length than [`Engine::input`].
    pub fn run<'a>(&self, input: impl Into<Values<'a>>) -> Result<Vec<Vec<f32>>> {
        let mut outputs = vec![Vec::new(); self.outputs()?.len()];
        self.run_into(input, &mut outputs)?;
        Ok(outputs)
    }

    /// The same into the outputs of an earlier pass of this network: the int8 kernels then allocate no
    /// memory.
    ///
    /// # Errors
    /// Same as [`Engine::run`].
    pub fn run_into<'a>(&self, input: impl Into<Values<'a>>, outputs: &mut [Vec<f32>]) -> Result<()> {
        let input: Values<'_> = input.into();
        let mut pass = self.pass(input)?;
        outputs.iter_mut().enumerate().try_for_each(|(index, values)| pass.read(index, values))
    }

    /// One pass, whose outputs are read one by one: those that are not read cost nothing.
    ///
    /// # Errors
    /// Same as [`Engine::run`].
    pub fn pass<'a>(&'a self, input: impl Into<Values<'a>>) -> Result<Pass<'a>> {
        let input = self.checked(input.into())?;
        match &self.body {
            Body::Int8(isa, entry, plan) => {
                let results = plan.run(entry.picture(*isa, input)).map_err(|error| self.failed(&error))?;
                Ok(Pass { engine: self, results: Results::Int8(results) })
            }
            Body::Float { graph, .. } => {
                let results = graph.look(&self.input.shape, input)?;
                Ok(Pass { engine: self, results: Results::Float(results) })
            }
        }
    }

    /// The steps of an int8 network, in order; none of one in float.
    pub fn steps(&self) -> Vec<StepReport> {
        match &self.body {
            Body::Int8(_, _, plan) => plan.report(),
            Body::Float { .. } => Vec::new(),
        }
    }

    /// One pass; the time of each of [`Engine::steps`].
    ///
    /// # Errors
    /// Same as [`Engine::run`].
    pub fn step_times<'a>(&self, input: impl Into<Values<'a>>) -> Result<Vec<Duration>> {
        let input = self.checked(input.into())?;
        match &self.body {
            Body::Int8(isa, entry, plan) => {
                plan.timed(entry.picture(*isa, input)).map_err(|error| self.failed(&error))
            }
            Body::Float { .. } => Ok(Vec::new()),
        }
    }

    /// `input`, if it is what the network takes.
    fn checked<'a>(&self, input: Values<'a>) -> Result<Values<'a>> {
        let Input { element, shape, .. } = &self.input;
        if (input.element(), input.len()) == (*element, shape.iter().product()) {
            return Ok(input);
        }
        let (found, length) = (input.element(), input.len());
        Err(Error::Input(format!("an input of {length} {found:?} for {element:?} {shape:?}")))
    }

    /// Whether there is an output `index` among `count`.
    fn has(&self, index: usize, count: usize) -> Result<()> {
        if index < count { Ok(()) } else { Err(Error::Input(format!("{}: no output {index}", self.file))) }
    }

    /// Only what tract runs can fail.
    fn failed(&self, error: &TractError) -> Error {
        Error::model(&self.file, message(error), "an ONNX network that tract can run")
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = if self.is_int8() { "int8" } else { "float" };
        write!(formatter, "Engine({}, {:?}, {body})", self.file, self.input)
    }
}

/// The results of one pass. Their memory serves other passes once it is dropped.
pub struct Pass<'a> {
    engine: &'a Engine,
    results: Results<'a>,
}

enum Results<'a> {
    /// Of our kernels.
    Int8(plan::Pass<'a>),
    /// Of tract.
    Float(Outputs<'a>),
}

impl Pass<'_> {
    /// Writes the values of output `index`, in the file's order, row-major, to `values`, whose memory is used
    /// again.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no such output.
    pub fn read(&mut self, index: usize, values: &mut Vec<f32>) -> Result<()> {
        match &mut self.results {
            Results::Int8(pass) => {
                self.engine.has(index, pass.outputs())?;
                pass.read(index, values).map_err(|error| self.engine.failed(&error))
            }
            Results::Float(outputs) => {
                *values = outputs.values(index)?;
                Ok(())
            }
        }
    }

    /// The same of an output `[1, channels, height, width]`, pixel after pixel: `[height, width, channels]`.
    ///
    /// # Errors
    /// Same as [`Pass::read`].
    pub fn read_pixels(&mut self, index: usize, values: &mut Vec<f32>) -> Result<()> {
        match &mut self.results {
            Results::Int8(pass) => {
                self.engine.has(index, pass.outputs())?;
                pass.read_pixels(index, values).map_err(|error| self.engine.failed(&error))
            }
            Results::Float(outputs) => {
                let channels = outputs.shape(index)?.get(1).copied().unwrap_or(1);
                *values = by_pixel(&outputs.values(index)?, channels);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pass of {:?}", self.engine)
    }
}
