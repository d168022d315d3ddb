//! The text tower of a program built without the feature `text`: there is none.

use super::bundle::{self, Bundle};
use crate::error::{Error, Result};

/// Stands for the text tower; nothing makes one.
#[derive(Debug)]
pub(crate) enum TextTower {}

impl TextTower {
    /// Refuses.
    ///
    /// # Errors
    /// [`Error::Settings`] always.
    pub(crate) fn load(_bundle: &Bundle) -> Result<Self> {
        let expected = "a vocabulary file in place of prompts";
        Err(Error::settings(bundle::TEXT, "a program built without text tower", expected))
    }

    /// Never called: this build has no text tower.
    pub(crate) fn sha256(&self) -> &str {
        match *self {}
    }

    /// Never called: this build has no text tower.
    ///
    /// # Errors
    /// None.
    pub(crate) fn embed(&self, _prompts: &[String]) -> Result<Vec<Vec<f32>>> {
        match *self {}
    }
}
