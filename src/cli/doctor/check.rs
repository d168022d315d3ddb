//! The outcome of one check.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, printable};

/// Most characters of what was found.
const LINE: usize = 2000;

/// Outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// It works, but not well.
    Warning,
    /// It cannot work.
    Error,
}

/// One thing that was checked.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// What was checked.
    pub name: &'static str,
    /// The outcome.
    pub state: State,
    /// What was found, in words.
    pub found: String,
    /// What to do; `None` if all is well.
    pub advice: Option<String>,
    /// What was found, for programs.
    pub details: Value,
}

impl Check {
    /// All is well.
    pub(crate) fn ok(name: &'static str, found: impl Into<String>, details: Value) -> Self {
        Self { name, state: State::Ok, found: found.into(), advice: None, details }
    }

    /// The same with a problem and what to do about it.
    pub(crate) fn but(self, state: State, advice: impl Into<String>) -> Self {
        Self { state, advice: Some(advice.into()), ..self }
    }

    /// A check that ended with an error, whose line says what to do.
    pub(crate) fn failed(name: &'static str, error: &Error) -> Self {
        let (found, advice) = match (error.found(), error.expected()) {
            (Some(found), Some(expected)) => {
                (format!("{}: {found}", error.name()), Some(format!("expected {expected}")))
            }
            _ => (error.to_string(), None),
        };
        Self { name, state: State::Error, found, advice, details: Value::Null }
    }

    /// Writes one line, and a second one with advice if there is any.
    ///
    /// # Errors
    /// Those of `out`.
    pub(crate) fn write_text(&self, out: &mut impl Write) -> std::io::Result<()> {
        let state = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Error => "error",
        };
        writeln!(out, "{state:8} {:12} {}", self.name, printable(&self.found, LINE))?;
        let advice = self.advice.iter().map(|advice| printable(advice, LINE));
        advice.into_iter().try_for_each(|advice| writeln!(out, "{:22}-> {advice}", ""))
    }
}
