//! Finds what the user names, in the user's own words, in pictures: boxes, tags and dense labels on a CPU,
//! offline.
//!
//! Data flows one way, `source → preprocess → model → detect → vocabulary → track → events → report → sinks`;
//! [`pipeline`] joins the rooms and [`cli`] is the program. `docs/architecture.md` holds the arithmetic and
//! the model bundle's format.

pub mod cli;
pub mod config;
pub mod detect;
pub mod error;
pub mod events;
pub mod frame;
pub mod geometry;
pub mod model;
pub mod pipeline;
pub mod preprocess;
pub mod report;
pub mod sinks;
pub mod source;
pub mod system;
pub mod track;
pub mod vocabulary;
