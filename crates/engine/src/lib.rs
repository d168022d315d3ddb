//! Runs quantised ONNX networks on CPUs: plain QDQ files, as any exporter or quantiser writes them, through
//! int8 kernels that give the same bits on every CPU.
//!
//! An [`Engine`] is a network of one picture. It is lowered once, when it is opened: every chain of nodes
//! between quantised tensors becomes one step that calls a kernel, weights are packed for this CPU's
//! instruction set, buffers share memory. What no kernel computes stays in float and runs through
//! [tract](https://docs.rs/tract-onnx); [`Engine::left_in_float`] says what and why.
//!
//! ```
//! use edgeclip_engine::Engine;
//!
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/networks/mobile_int8.onnx");
//! let engine = Engine::options().threads(2).open(file)?;
//! assert!(engine.is_int8(), "{:?}", engine.left_in_float());
//!
//! // What it takes: a picture [1, channels, height, width] of int8, uint8 or f32.
//! let count = engine.input().shape.iter().product();
//! let picture: Vec<i8> = (0..count).map(|i: usize| (i % 251) as i8).collect();
//! let values = engine.run(&picture[..])?;
//! for ((name, shape), values) in engine.outputs()?.iter().zip(&values) {
//!     println!("{name} {shape:?}: {:?}", &values[..4]);
//! }
//!
//! // Where the time goes.
//! let times = engine.step_times(&picture[..])?;
//! for (step, time) in engine.steps().iter().zip(times) {
//!     println!("{:20} {:12} {:9} MACs {time:?}", step.node, step.kernel, step.macs);
//! }
//! # Ok::<(), edgeclip_engine::Error>(())
//! ```
//!
//! A loop that looks at many pictures reads into the same memory with [`Engine::run_into`], or only the
//! outputs that it needs with [`Engine::pass`]; after the first picture the int8 kernels allocate nothing. A
//! [`Graph`] is a network of any inputs whose dimensions may change from call to call, such as a text tower:
//! tract schedules it, and its products with int8 weights run through the kernels.
//!
//! A broken file is an [`Error`] that names the node, never a wrong number; [`Error::kind`] says who must
//! act.

mod engine;
mod error;
mod graph;
mod input;
mod lower;
mod memory;
mod ops;
mod options;
mod plan;
mod proto;
mod refusal;
mod signature;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod tract;

pub use edgeclip_kernels::Isa;
pub use engine::{Engine, Pass};
pub use error::{Error, Kind, Result};
pub use graph::{Graph, Outputs};
pub use input::{Element, Input, Values};
pub use options::Options;
pub use plan::StepReport;
pub use signature::{Dim, Signature, Tensor};
pub use tract::reading;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
