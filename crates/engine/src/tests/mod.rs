//! Whole networks, built here in the forms that exporters write.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod budget;
mod fallback;
mod float_rules;
mod graph;
mod more_rules;
mod mutants;
mod net;
mod rules;
mod threads;
mod valid;
