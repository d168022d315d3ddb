//! The settings of `edgeclip run`: one TOML file, every key of which is a flag as well.

mod load;
mod settings;
mod source;
mod suggest;
mod values;

pub use load::{read, resolve};
pub use settings::Settings;
pub use source::{Control, SourceSettings};
pub use values::{Format, Prompts, Target};
