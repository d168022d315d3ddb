//! Scaling vectors to unit length.

mod scalar;

pub use scalar::l2;
