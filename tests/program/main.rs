//! The program from outside: what it prints, refuses and leaves behind. One test program, since each links everything there is.
//!
//! Without text tower, whose model may be deflated: `cargo test --no-default-features --features packed --test program`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

#[cfg(feature = "text")]
mod bad_input;
#[cfg(feature = "text")]
mod bench;
mod common;
#[cfg(feature = "text")]
mod deploy;
#[cfg(feature = "text")]
mod descriptors;
#[cfg(feature = "text")]
mod detect;
#[cfg(feature = "text")]
mod docs;
#[cfg(feature = "text")]
mod doctor;
#[cfg(feature = "text")]
mod embed;
#[cfg(feature = "text")]
mod eval;
#[cfg(feature = "text")]
mod examples;
#[cfg(feature = "text")]
mod exec;
#[cfg(feature = "text")]
mod faults;
#[cfg(all(feature = "text", feature = "serve"))]
mod http;
#[cfg(feature = "text")]
mod inputs_stay;
#[cfg(feature = "text")]
mod isa;
#[cfg(feature = "text")]
mod live;
#[cfg(feature = "text")]
mod model;
#[cfg(all(feature = "text", feature = "mqtt"))]
mod mqtt;
#[cfg(not(feature = "text"))]
mod no_text;
#[cfg(feature = "text")]
mod pixels;
#[cfg(feature = "text")]
mod run;
#[cfg(feature = "text")]
mod seal;
#[cfg(feature = "text")]
mod search;
#[cfg(feature = "text")]
mod service;
#[cfg(feature = "text")]
mod soak;
#[cfg(feature = "text")]
mod teach;
#[cfg(feature = "text")]
mod teach_states;
#[cfg(feature = "text")]
mod threads;
