//! Which model to use.

use std::path::PathBuf;

use super::failures::complain;
use crate::error::Result;
use crate::model::{Bundle, Networks};
use crate::pipeline::{bundle, float_warning, threads};
use crate::sinks::Inputs;

/// The flag that all subcommands with a model share.
#[derive(clap::Args)]
pub(crate) struct ModelArgs {
    /// Folder of a model bundle; the model inside the program if not given
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Threads of the vision network [default: as many as physical cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
}

impl ModelArgs {
    /// The chosen bundle.
    ///
    /// # Errors
    /// Those of [`Bundle::open`].
    pub(crate) fn bundle(&self) -> Result<Bundle> {
        bundle(self.model.as_deref())
    }

    /// The files of the bundle, so that nothing is written over them.
    pub(crate) fn inputs(&self) -> Inputs {
        let mut inputs = Inputs::default();
        self.model.iter().for_each(|folder| inputs.add_files_of(folder));
        inputs
    }

    /// How many threads run the vision network.
    pub(crate) fn threads(&self) -> usize {
        threads(self.threads)
    }
}

/// Loads the networks of a bundle and warns if the vision network misses the int8 kernels.
///
/// # Errors
/// Those of [`Networks::load`].
pub(crate) fn networks(bundle: &Bundle, with_text: bool, threads: usize) -> Result<Networks> {
    let networks = Networks::load(bundle, with_text, threads)?;
    warn(float_warning(&networks.vision).as_deref());
    Ok(networks)
}

/// Prints a warning, if there is one.
pub(crate) fn warn(warning: Option<&str>) {
    if let Some(warning) = warning {
        complain(&format!("warning: {warning}"));
    }
}
