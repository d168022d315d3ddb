//! Numeric inner loops over slices, one folder an op. `scalar.rs` of each is the specification that every faster body must match.

pub mod normalise;
pub mod resize;
