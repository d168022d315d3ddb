//! The settings of `edgeclip run`: one TOML file, every key of which is a flag as well.

#[cfg(feature = "serve")]
mod edit;
mod http;
mod load;
mod look;
mod mqtt;
mod notify;
mod settings;
mod source;
mod suggest;
mod values;

#[cfg(feature = "serve")]
pub(crate) use edit::{ChangedPlaces, Changes, edited};
pub(crate) use http::Http;
pub(crate) use load::{parse, read, resolve};
pub(crate) use look::{CropsKind, Look};
pub(crate) use mqtt::Mqtt;
#[cfg(feature = "notify")]
pub(crate) use notify::By;
pub(crate) use notify::Notify;
pub(crate) use settings::Settings;
pub(crate) use source::{Control, SourceSettings};
pub(crate) use values::{BLUR_THRESHOLD, Format, Prompts, Target};
