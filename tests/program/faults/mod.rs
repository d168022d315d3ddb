//! What goes wrong with sources, sinks and configurations while `edgeclip run` watches: it goes on, counts it and tells it. Cameras that
//! are unplugged are tested in cross/vm/, on an emulated board.

mod apart;
mod camera;
mod ends;
mod reload;
mod sinks;
mod sources;
mod start;
