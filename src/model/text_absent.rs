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
    /// [`Error::Input`] always, saying what to type instead.
    pub fn load(_bundle: &Bundle) -> Result<Self> {
        let expected = "--vocab FILE; a program with text tower makes the file: \
                        `edgeclip vocab build --prompt \"person, dog\" --out FILE`";
        Err(Error::input(bundle::TEXT, "a program built without text tower", expected))
    }

    /// As of the text tower that there is not.
    pub fn sha256(&self) -> &str {
        match *self {}
    }

    /// As of the text tower that there is not.
    ///
    /// # Errors
    /// None: it cannot be called.
    pub fn embed(&self, _prompts: &[String]) -> Result<Vec<Vec<f32>>> {
        match *self {}
    }
}
