//! How an int8 ONNX file runs on this CPU.

mod error;
mod graph;
mod input;
mod lower;
mod network;
mod ops;
mod options;
mod plan;
mod proto;
mod refusal;
mod signature;
mod steps;
mod tract;

pub use edgeclip_kernels::Isa;
pub use error::{Error, Kind, Result};
pub use graph::{Graph, Outputs};
pub use input::{Element, Input, Values};
pub use network::{Engine, Pass};
pub use options::Options;
pub use plan::StepReport;
pub use signature::{Dim, Signature, Tensor};
