//! The machine below: service manager, processor, memory, temperatures, screen. What is read from files is read below a root folder, so
//! that tests can bring a machine of their own.

mod console;
mod cpu;
mod framebuffer;
mod memory;
mod notify;
mod thermal;

pub use console::HiddenConsole;
pub use cpu::{Cpu, cpu};
pub use framebuffer::{Channel, Screen, screen, wake};
pub use memory::{Memory, give_back, give_back_from, memory};
pub use notify::{State, notify};
pub use thermal::{Thermal, Zone, thermal};

use std::fs;
use std::path::Path;

/// A small file's text without blanks and zero bytes at its ends; `None` if it cannot be read.
fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
}

/// A small file's number.
fn number(path: &Path) -> Option<i64> {
    text(path)?.parse().ok()
}
