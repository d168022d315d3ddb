//! The model: its bundle of files and the three networks in it.

mod bundle;
mod classes;
mod features;
mod manifest;
mod output;
mod prompt;
mod region;
mod space;
#[cfg_attr(not(feature = "text"), path = "text_absent.rs")]
mod text;
#[cfg(feature = "text")]
mod tokenizer;
mod vision;

pub(crate) use bundle::{Bundle, FEATURES, NEGATIVES, PROMPT, TEXT, VISION};
pub(crate) use classes::{Cell, Classes};
#[cfg(test)]
pub(crate) use features::tests::space as example_space;
pub(crate) use features::{FeatureSpace, FeatureVector, cosines};
#[cfg(all(test, feature = "text"))]
pub(crate) use manifest::Pool;
pub(crate) use manifest::{
    DetectionSettings, ExamplePool, ExampleSettings, ImageScore, Manifest, RegionScore, ScoreSettings,
};
pub(crate) use output::{FeatureMap, Level, VisionOutput};
pub(crate) use prompt::Prompter;
pub(crate) use region::Pooled;
pub(crate) use space::SpaceId;
pub(crate) use text::TextTower;
pub(crate) use vision::Vision;

use std::thread;

use crate::error::Result;
use crate::system::beside;

/// The networks of a bundle.
pub(crate) struct Networks {
    /// Pictures.
    pub vision: Vision,
    /// Boxes.
    pub prompter: Prompter,
    /// Words; `None` where a vocabulary file makes it needless.
    pub text: Option<TextTower>,
    /// Where examples are compared; `None` if the bundle has no such space.
    pub features: Option<FeatureSpace>,
    /// What the detector itself calls a box; `None` if the bundle does not have it.
    pub classes: Option<Classes>,
}

impl Networks {
    /// Loads the networks side by side, the text tower only if `with_text`; the vision network runs on `threads` threads.
    ///
    /// # Errors
    /// The first network's error, same as of its own `load`.
    pub(crate) fn load(bundle: &Bundle, with_text: bool, threads: usize) -> Result<Self> {
        thread::scope(|scope| {
            let text = with_text.then(|| beside(scope, || TextTower::load(bundle)));
            let vision = Vision::load(bundle, threads)?;
            let prompter = Prompter::load(bundle)?;
            let features = FeatureSpace::load(bundle)?;
            let classes = Classes::load(bundle)?;
            let text = text.map(|loaded| loaded()).transpose()?;
            Ok(Self { vision, prompter, text, features, classes })
        })
    }
}

/// The tokenizer in `bytes` for tests: text to ids, and the largest id there is.
#[cfg(all(feature = "text", any(test, fuzzing)))]
pub(crate) fn tokenizer(bytes: &[u8]) -> Result<(impl Fn(&str) -> Vec<u32>, u32)> {
    let tokenizer::Checked { tokenizer, largest, .. } = tokenizer::load("input", bytes)?;
    let encode =
        move |text: &str| tokenizer.encode_fast(text, true).map_or(Vec::new(), |ids| ids.get_ids().to_vec());
    Ok((encode, largest))
}

#[cfg(test)]
mod bundle_tests;
#[cfg(test)]
pub(crate) mod example_bundle;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
#[cfg(feature = "text")]
mod networks_tests;
#[cfg(test)]
mod text_int8_tests;
