//! The text tower of a program built without the feature `text`: there is none.

use super::bundle::{self, Bundle};
use crate::error::{Error, Result};

/// Stands for the text tower; nothing makes one.
#[derive(Debug)]
pub enum TextTower {}

impl TextTower {
    /// Refuses.
    ///
    /// # Errors
    /// [`Error::Settings`] always.
    pub fn load(_bundle: &Bundle) -> Result<Self> {
        let expected = "a vocabulary file in place of prompts";
        Err(Error::settings(bundle::TEXT, "a program built without text tower", expected))
    }

    /// Never called: this build has no text tower.
    pub fn sha256(&self) -> &str {
        match *self {}
    }

    /// Never called: this build has no text tower.
    ///
    /// # Errors
    /// None.
    pub fn embed(&self, _prompts: &[String]) -> Result<Vec<Vec<f32>>> {
        match *self {}
    }
}
