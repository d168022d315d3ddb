//! What goes wrong with sources, sinks and configurations while `edgeclip run` watches: it goes on, counts it and tells it. Cameras that
//! are unplugged are tested in cross/vm/, on an emulated board.

mod apart;
pub(crate) mod camera;
mod endurance;
mod ends;
mod reload;
mod sinks;
mod sources;
/// The camera of the library's own tests.
#[path = "../../../src/source/tests/network/rtsp.rs"]
mod rtsp;
mod start;
