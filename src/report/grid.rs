//! How many tiles of a picture were looked at.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// Most tiles across and down.
const MOST: u32 = 8;

/// How many tiles a picture is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub(crate) columns: u32,
    pub(crate) rows: u32,
}

impl Grid {
    /// So many tiles across and down, 1 to 8 each.
    ///
    /// # Errors
    /// [`Error::Settings`] for another number.
    pub fn new(columns: u32, rows: u32) -> Result<Self> {
        if [columns, rows].iter().all(|count| (1..=MOST).contains(count)) {
            return Ok(Self { columns, rows });
        }
        Err(Error::settings("tiles", format!("{columns}x{rows}"), format!("1x1 to {MOST}x{MOST}")))
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}x{}", self.columns, self.rows)
    }
}

impl Serialize for Grid {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl FromStr for Grid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let sides = text.split_once('x');
        let sides = sides.and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
        let Some((columns, rows)) = sides else {
            return Err(Error::settings("tiles", format!("{text:?}"), "columns x rows, such as 3x2"));
        };
        Self::new(columns, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_written_as_columns_x_rows() {
        assert_eq!("3x2".parse::<Grid>().unwrap(), Grid::new(3, 2).unwrap());
        assert_eq!(Grid::new(3, 2).unwrap().to_string(), "3x2");
        for wrong in ["", "3", "x", "0x2", "9x1", "3x2x1", "-1x2", "3 x 2", "1.5x2", "99999999999x1"] {
            let error = wrong.parse::<Grid>().unwrap_err().to_string();
            assert!(error.starts_with("tiles: found "), "{wrong}: {error}");
        }
    }
}
