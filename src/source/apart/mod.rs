//! Sources in processes of their own. What reads and decodes the bytes of strangers there may crash, compute for
//! ever or take all the memory that it is allowed: it costs that source a moment, and nothing else.
//!
//! Programs that use the library are not `edgeclip`, and cannot be started again as such a process: there,
//! sources are read by the thread that asks for them, unless the library's user names a program `edgeclip`.

mod animation;
mod camera;
mod decoder;
mod here;
mod memory;
mod message;
mod nursery;
mod orders;
mod pictures;
mod process;
mod program;
mod sealing;
mod silence;
mod worker;

pub(super) use here::Here;
pub(crate) use nursery::serve as serve_nursery;
pub(crate) use pictures::Pictures;
pub(crate) use program::{name, own};
pub(crate) use worker::keep;

use std::fs::File;
use std::sync::Arc;

use super::animation::Animation;
use super::container::Container;
use super::kind::FileKind;
use super::live::{Decode, Live};
use super::options::SourceOptions;
use crate::error::{Error, Result, shown_address};
use camera::Camera;
use decoder::Decoder;
use here::{here, patience};
use message::{Ask, Order};

/// Starts the processes that the source `spec` may need, for [`open`] and [`Decoders`] to use: later no program
/// need be executed any more. They end with the calling thread.
pub(crate) fn prepare(spec: &str, options: &SourceOptions) {
    if program::is_named() {
        let reader = orders::reader(spec, options);
        let decoder = orders::holds_pictures(spec, options).then(|| orders::decoder(spec, options));
        reader.into_iter().chain(decoder).for_each(process::prepare);
    }
}

/// Starts the process that will split off those of these sources, for a program that is about to give up the
/// right to start any. Both it and they are sealed.
///
/// # Errors
/// [`Error::Device`] if it cannot be started.
pub(crate) fn prepare_sealed(sources: &[(String, SourceOptions)]) -> Result<()> {
    let readers = sources.iter().filter_map(|(spec, options)| orders::reader(spec, options));
    nursery::begin(readers.collect()).map_err(|error| {
        let found = format!("no process that starts decoders ({error})");
        Error::device("seal", found, "one more process, and a kernel that seals it")
    })
}

/// Sees to it that there is somebody left to start those processes, where there has been.
///
/// # Errors
/// [`Error::Device`](crate::error::Error::Device) if there is not: only a new program can start any.
pub(crate) fn check_alive() -> Result<()> {
    if nursery::is_lost() {
        let found = "the process that starts decoders killed, after which a sealed program can start none";
        return Err(Error::device("seal", found, "a restart, as the service does by itself"));
    }
    Ok(())
}

/// Opens the network camera at `address`.
///
/// # Errors
/// Same as those of `rtsp::open` and `http::open`;
/// [`Error::Device`](crate::error::Error::Device) if no process can be started.
pub(super) fn open(address: &str, options: &SourceOptions) -> Result<Box<dyn Live>> {
    let reader = orders::reader(address, options).filter(|_| program::is_named());
    let Some(reader) = reader else {
        return here(address, options.wish.fps, options.stall, options.ca.as_deref());
    };
    let name = shown_address(address);
    let process = process::take(&reader).map_err(|error| {
        let (found, expected) = process::missing(&error);
        Error::device(&name, found, expected)
    })?;
    let pictures = orders::holds_pictures(address, options);
    let decoder = pictures.then(|| Decoders::of(address, options).of_frames()).flatten();
    Ok(Box::new(Camera::open(&name, process, decoder, patience(options.stall))?))
}

/// Who decodes the pictures of a source.
#[derive(Debug, Clone)]
pub(super) struct Decoders(Option<Order>);

impl Decoders {
    pub(super) fn of(spec: &str, options: &SourceOptions) -> Self {
        Self(program::is_named().then(|| orders::decoder(spec, options)))
    }

    /// For JPEG frames; `None` if they are decoded here.
    pub(super) fn of_frames(&self) -> Option<Arc<dyn Decode>> {
        let order = self.0.clone()?;
        Some(Arc::new(Decoder::new(order, Ask::Frame)))
    }

    /// For picture files.
    pub(super) fn of_files(&self) -> Arc<dyn Decode> {
        match &self.0 {
            Some(order) => Arc::new(Decoder::new(order.clone(), Ask::File)),
            None => Arc::new(Here),
        }
    }

    /// The animation in `file`, which is a GIF, PNG or WebP; `None` if it is a still picture.
    ///
    /// # Errors
    /// Same as those of [`Animation::open`]; [`Error::Device`](crate::error::Error::Device) if no process can
    /// be started.
    pub(super) fn animation(
        &self,
        name: String,
        file: File,
        kind: FileKind,
    ) -> Result<Option<Box<dyn Container>>> {
        Ok(match &self.0 {
            Some(order) => animation::Animation::open(name, file, order)?.map(|found| Box::new(found) as _),
            None => Animation::open(name, file, kind)?.map(|found| Box::new(found) as _),
        })
    }
}
