//! What goes wrong with sources, sinks and configurations while `edgeclip run` watches: it goes on, counts it and tells it. Cameras that
//! are unplugged are tested in cross/vm/, on an emulated board.

pub(crate) mod apart;
pub(crate) mod camera;
mod ends;
pub(crate) mod endurance;
mod killed;
mod library;
mod pictures;
mod poison;
mod pouring;
mod reload;
/// The camera of the library's own tests.
#[allow(dead_code, reason = "not all of it is used here")]
#[path = "../../../src/source/tests/network/rtsp.rs"]
pub(crate) mod rtsp;
mod sinks;
mod sources;
mod start;
