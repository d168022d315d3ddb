//! Network sources in processes of their own. What reads and decodes the bytes of strangers there may crash,
//! compute for ever or take all the memory that it is allowed: it costs that source a moment, and nothing else.
//!
//! Programs that use the library are not `edgeclip`, and cannot be started again as such a process: there,
//! sources are read by the thread that asks for them.

mod camera;
mod decoder;
mod here;
mod message;
mod nursery;
mod process;
mod sealing;
mod worker;

pub(crate) use nursery::serve as serve_nursery;
pub(crate) use worker::keep;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::live::Live;
use super::options::SourceOptions;
use crate::error::{Error, Result, shown_address};
use crate::system::memory;
use camera::Camera;
use decoder::Decoder;
use here::{here, is_of};
use message::{Job, Order};

/// Whether this program is `edgeclip`.
static IS_EDGECLIP: AtomicBool = AtomicBool::new(false);

/// From now on, network sources are read apart: this program has the subcommand `apart`.
pub(crate) fn allow() {
    IS_EDGECLIP.store(true, Ordering::Relaxed);
}

fn is_allowed() -> bool {
    IS_EDGECLIP.load(Ordering::Relaxed)
}

/// Starts the processes of the source `spec`, if it is one that is read apart, for [`open`] to use: later no
/// program need be executed any more. They end with the calling thread.
pub(crate) fn prepare(spec: &str, options: &SourceOptions) {
    if is_allowed() && ["rtsp", "http"].iter().any(|scheme| is_of(spec, scheme)) {
        orders(spec, options.wish.fps, options.decoder_mb).into_iter().for_each(process::prepare);
    }
}

/// Starts the process that will split off those of these sources, for a program that is about to give up the
/// right to start any. Both it and they are sealed.
///
/// # Errors
/// [`Error::Device`] if it cannot be started.
pub(crate) fn prepare_sealed(sources: &[(String, SourceOptions)]) -> Result<()> {
    let of = |(spec, options): &(String, SourceOptions)| orders(spec, options.wish.fps, options.decoder_mb);
    let is_network = |spec: &str| ["rtsp", "http"].iter().any(|scheme| is_of(spec, scheme));
    let orders = sources.iter().filter(|(spec, _)| is_network(spec)).flat_map(of).collect();
    nursery::begin(orders).map_err(|error| {
        let found = format!("no process that starts decoders ({error})");
        Error::device("seal", found, "one more process, and a kernel that seals it")
    })
}

/// Opens the network camera at `address`, whose process may use so many megabytes, by default a quarter of
/// what is there. A single picture is fetched `fps` times per second.
///
/// # Errors
/// Same as those of `rtsp::open` and `http::open`;
/// [`Error::Device`](crate::error::Error::Device) if no process can be started.
pub(super) fn open(address: &str, fps: Option<u32>, megabytes: Option<u64>) -> Result<Box<dyn Live>> {
    if !is_allowed() {
        return here(address, fps);
    }
    let name = shown_address(address);
    let mut processes = Vec::new();
    for order in orders(address, fps, megabytes) {
        processes.push(process::take(&name, order)?);
    }
    let mut processes = processes.into_iter();
    let Some(reader) = processes.next() else { return here(address, fps) };
    let decoder = processes.next().map(Decoder::new);
    Ok(Box::new(Camera::open(&name, reader, decoder)?))
}

/// What the processes of a source are to do: one reads it, and decodes H.264; pictures that are whole files
/// are decoded by a second one when somebody looks at them.
fn orders(address: &str, fps: Option<u32>, megabytes: Option<u64>) -> Vec<Order> {
    let megabytes = megabytes.unwrap_or_else(default_megabytes);
    let camera = Job::Camera { address: address.to_owned(), fps };
    let pictures = is_of(address, "http").then(|| Job::Pictures { of: address.to_owned() });
    [camera].into_iter().chain(pictures).map(|job| Order { job, megabytes }).collect()
}

/// Megabytes for one source where nothing is set: a quarter of what is there, enough for the largest H.264.
fn default_megabytes() -> u64 {
    let available = memory(Path::new("/")).map_or(0, |memory| memory.available >> 20);
    (available / 4).clamp(128, 512)
}
