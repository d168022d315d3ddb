//! The vision graph, ready to run: through the int8 kernels, or in float through tract where it cannot be lowered.

use tract_onnx::prelude::*;

use super::bundle::{self, Bundle};
use super::graph::{self, Graph};
use super::lower::{self, Plan};
use crate::error::{Error, Result};

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
    /// Loads the vision graph for pictures of `size` × `size` pixels, lowered if it can be.
    pub(super) fn load(bundle: &Bundle, size: usize) -> Result<Self> {
        let isa = graph::isa()?;
        let proto = graph::read(bundle, bundle::VISION)?;
        let file = bundle.path(bundle::VISION);
        match lower::lower(&proto, [3, size, size], isa) {
            Ok(plan) => Ok(Self::Int8 { file, plan }),
            Err(refusal) => {
                let graph = Graph::plan(file, proto, |_| facts(size))?;
                Ok(Self::Float { graph, refusal: Some(refusal.to_string()) })
            }
        }
    }

    /// Loads the vision graph into tract alone.
    pub(super) fn load_float(bundle: &Bundle, size: usize) -> Result<Self> {
        let graph = Graph::load(bundle, bundle::VISION, None, |_| facts(size))?;
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

    /// One pass over an int8 picture of `shape`; the values of all outputs, in the file's order.
    pub(super) fn run(&self, shape: &[usize], input: &[i8]) -> Result<Vec<Vec<f32>>> {
        match self {
            Self::Int8 { file, plan } => plan
                .run(input)
                .map_err(|error| Error::Internal(format!("{file}: {}", graph::message(&error)))),
            Self::Float { graph, .. } => {
                let values = graph.run(tvec!(graph.tensor(shape, input)?))?;
                values.iter().map(|value| graph.values(value)).collect()
            }
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

/// The input of the graph.
fn facts(size: usize) -> Vec<TypedFact> {
    vec![i8::fact([1, 3, size, size])]
}
