//! How closely frames are looked at: `[look]`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Which parts of a frame are looked at besides the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Look {
    /// What crops are for.
    pub crops: CropsKind,
    /// Most crops of a frame, 1 to 16; each takes as long as the whole.
    pub most: u8,
}

/// What crops are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CropsKind {
    /// None: the whole frame alone.
    #[default]
    Off,
    /// What moves, and small things that are tracked.
    Motion,
    /// All parts in turn.
    Tiles,
}

impl Default for Look {
    fn default() -> Self {
        Self { crops: CropsKind::default(), most: 2 }
    }
}

impl Look {
    /// Checks that every value is in its range.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the value that is not.
    pub(super) fn check(&self) -> Result<()> {
        if (1..=16).contains(&self.most) {
            return Ok(());
        }
        Err(Error::settings("look.most", self.most.to_string(), "1 to 16"))
    }
}
