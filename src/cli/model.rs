//! Which model to use.

use std::path::PathBuf;

use super::failures::complain;
use crate::error::Result;
use crate::model::{Bundle, Networks};

/// The flag that all subcommands with a model share.
#[derive(clap::Args)]
pub struct ModelArgs {
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
    pub fn bundle(&self) -> Result<Bundle> {
        self.model.as_ref().map_or_else(Bundle::embedded, |folder| Bundle::open(folder))
    }

    /// How many threads run the vision network: a second one on the same core gains nothing.
    pub fn threads(&self) -> usize {
        let cores = || num_cpus::get_physical().min(num_cpus::get()).max(1);
        self.threads.map_or_else(cores, usize::from)
    }
}

/// Share of the vision network's MACs that may run in float without a warning.
const FLOAT_SHARE: f64 = 0.01;

/// Loads the networks of a bundle and warns if the vision network misses the int8 kernels.
///
/// # Errors
/// Those of [`Networks::load`].
pub fn networks(bundle: &Bundle, with_text: bool, threads: usize) -> Result<Networks> {
    let networks = Networks::load(bundle, with_text, threads)?;
    let vision = &networks.vision;
    let products = |float: bool| {
        let steps = vision.steps().into_iter().filter(|step| step.refusal.is_some() || !float);
        steps.map(|step| step.macs).sum::<u64>() as f64
    };
    let share = if vision.is_int8() { products(true) / products(false).max(1.0) } else { 1.0 };
    if share > FLOAT_SHARE {
        let why = vision.left_in_float().into_iter().next().unwrap_or_default();
        let percent = (100.0 * share).round();
        complain(&format!("warning: vision.onnx runs {percent} % in float, which is slow: {why}"));
    }
    Ok(networks)
}
