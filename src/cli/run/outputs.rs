//! From settings to running sinks.

use crate::config::Settings;
use crate::error::Result;
use crate::pipeline::Outbox;

pub fn outboxes(_settings: &Settings) -> Result<Vec<Outbox>> {
    Ok(Vec::new())
}
