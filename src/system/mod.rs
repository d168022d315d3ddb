//! The machine below: service manager, processor, memory, temperatures.

mod notify;

pub use notify::{State, notify};
