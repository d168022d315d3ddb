//! From the user's choice of a model to its networks.

use std::path::Path;

use crate::error::Result;
use crate::model::{Bundle, Vision};

/// Share of the vision network's MACs that may run in float without a warning.
const FLOAT_SHARE: f64 = 0.01;

/// The bundle in `folder`, or the one inside the program.
///
/// # Errors
/// Those of [`Bundle::open`].
pub(crate) fn bundle(folder: Option<&Path>) -> Result<Bundle> {
    folder.map_or_else(Bundle::embedded, Bundle::open)
}

/// How many threads run the vision network: those asked for, else one per physical core, since a second one
/// on the same core gains nothing.
pub(crate) fn threads(asked: Option<u16>) -> usize {
    let cores = || num_cpus::get_physical().min(num_cpus::get()).max(1);
    asked.map_or_else(cores, usize::from)
}

/// What to say of a vision network that misses the int8 kernels.
pub(crate) fn float_warning(vision: &Vision) -> Option<String> {
    let products = |float: bool| {
        let steps = vision.steps().into_iter().filter(|step| step.refusal.is_some() || !float);
        steps.map(|step| step.macs).sum::<u64>() as f64
    };
    let share = if vision.is_int8() { products(true) / products(false).max(1.0) } else { 1.0 };
    (share > FLOAT_SHARE).then(|| {
        let why = vision.left_in_float().into_iter().next().unwrap_or_default();
        let percent = (100.0 * share).round();
        format!("vision.onnx runs {percent} % in float, which is slow: {why}")
    })
}
