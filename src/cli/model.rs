//! Which model to use.

use std::path::PathBuf;

use crate::error::Result;
use crate::model::Bundle;

/// The flag that all subcommands with a model share.
#[derive(clap::Args)]
pub struct ModelArgs {
    /// Folder of a model bundle; the model inside the program if not given
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

impl ModelArgs {
    /// The chosen bundle.
    ///
    /// # Errors
    /// Those of [`Bundle::open`].
    pub fn bundle(&self) -> Result<Bundle> {
        self.model.as_ref().map_or_else(Bundle::embedded, |folder| Bundle::open(folder))
    }
}
