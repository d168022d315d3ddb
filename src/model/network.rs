//! The vision graph, ready to run: through the int8 kernels, or in float through tract where it cannot be lowered.

use std::time::Duration;

use tract_onnx::prelude::*;

use super::bundle::{self, Bundle};
use super::graph::{self, Graph};
use super::lower::{self, Plan, StepReport};
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::kernels::team::Team;

/// How the vision graph runs.
pub(super) enum Network {
    /// Through our kernels.
    Int8 {
        /// What errors call the file.
        file: String,
        /// The steps.
        plan: Plan,
    },
    /// Through tract.
    Float {
        /// The graph.
        graph: Graph,
        /// The first node that could not be lowered, and why; `None` if nobody tried.
        refusal: Option<String>,
    },
}

impl Network {
    /// Loads the vision graph for pictures of `size` × `size` pixels, lowered if it can be and then run by `threads`.
    pub(super) fn load(bundle: &Bundle, size: usize, threads: usize) -> Result<Self> {
        let isa = Isa::chosen().map_err(|unknown| {
            Error::input("EDGECLIP_ISA", unknown.wanted, format!("one of {}", unknown.available.join(", ")))
        })?;
        let team =
            Team::new(threads).map_err(|source| Error::Io { name: format!("{threads} threads"), source })?;
        let proto = graph::read(bundle, bundle::VISION)?;
        let file = bundle.path(bundle::VISION);
        match lower::lower(&proto, [3, size, size], isa, team) {
            Ok(plan) => Ok(Self::Int8 { file, plan }),
            Err(refusal) => {
                let graph = Graph::plan(file, proto, |_| facts(size))?;
                Ok(Self::Float { graph, refusal: Some(refusal.to_string()) })
            }
        }
    }

    /// Loads the vision graph into tract alone.
    pub(super) fn load_float(bundle: &Bundle, size: usize) -> Result<Self> {
        let graph = Graph::load(bundle, bundle::VISION, |_| facts(size))?;
        Ok(Self::Float { graph, refusal: None })
    }

    /// Index and shape of the f32 output `name`; symbolic dimensions count as 0.
    pub(super) fn output(&self, name: &str) -> Result<(usize, Vec<usize>)> {
        let (file, plan) = match self {
            Self::Int8 { file, plan } => (file, plan),
            Self::Float { graph, .. } => return graph.output(name),
        };
        let found = plan.outputs().enumerate().find(|(_, (output, _))| *output == name);
        found.map(|(index, (_, shape))| (index, shape.to_vec())).ok_or_else(|| {
            let names: Vec<&str> = plan.outputs().map(|(name, _)| name).collect();
            let found = format!("outputs {}", names.join(", "));
            Error::model(file, found, format!("an output called {name}"))
        })
    }

    /// The error of an output whose shape the manifest does not explain.
    pub(super) fn shape_error(&self, name: &str, found: &[usize], expected: String) -> Error {
        match self {
            Self::Int8 { file, .. } => {
                Error::model(file, format!("output {name} of shape {found:?}"), expected)
            }
            Self::Float { graph, .. } => graph.shape_error(name, found, expected),
        }
    }

    /// One pass over an int8 picture of `shape`.
    pub(super) fn run(&self, shape: &[usize], input: &[i8]) -> Result<Pass<'_>> {
        match self {
            Self::Int8 { file, plan } => {
                plan.run(input).map(Pass::Int8).map_err(|error| failed(file, &error))
            }
            Self::Float { graph, .. } => {
                let values = graph.run(tvec!(graph.tensor(shape, input)?))?;
                Ok(Pass::Float { graph, values })
            }
        }
    }

    /// The steps of an int8 network, in order; none of one in float.
    pub(super) fn report(&self) -> Vec<StepReport> {
        match self {
            Self::Int8 { plan, .. } => plan.report(),
            Self::Float { .. } => Vec::new(),
        }
    }

    /// One pass; the time of each step of [`Network::report`].
    pub(super) fn timed(&self, input: &[i8]) -> Result<Vec<Duration>> {
        match self {
            Self::Int8 { file, plan } => plan.timed(input).map_err(|error| failed(file, &error)),
            Self::Float { .. } => Ok(Vec::new()),
        }
    }

    /// What stays in float, one line a part.
    pub(super) fn left_in_float(&self) -> Vec<String> {
        match self {
            Self::Int8 { plan, .. } => plan.left_in_float().iter().map(ToString::to_string).collect(),
            Self::Float { refusal, .. } => refusal.iter().cloned().collect(),
        }
    }
}

/// The results of one pass.
pub(super) enum Pass<'a> {
    /// Of our kernels.
    Int8(lower::Pass<'a>),
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
            Self::Int8(pass) => pass.read(index, to),
            Self::Float { graph, values } => *to = graph.values(&values[index])?,
        }
        Ok(())
    }
}

fn failed(file: &str, error: &TractError) -> Error {
    Error::Internal(format!("{file}: {}", graph::message(error)))
}

/// The input of the graph.
fn facts(size: usize) -> Vec<TypedFact> {
    vec![i8::fact([1, 3, size, size])]
}
