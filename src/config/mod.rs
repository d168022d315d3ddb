//! The settings of `edgeclip run`: one TOML file, every key of which is a flag as well.

mod load;
mod settings;
mod suggest;

pub use load::{assign, read, resolve};
pub use settings::{Control, Format, Prompts, Settings, Show, SourceSettings, Target};
