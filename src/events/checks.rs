//! Validation of the settings.

use std::collections::BTreeSet;

use super::area::{self, check_point};
use super::settings::{Label, Line, Settings, Tags, Zone};
use crate::error::{Error, Result};

/// Maximum number of frames of a median.
const MAX_FRAMES: usize = 99;
/// Longest time in seconds: one week.
const MAX_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

impl Settings {
    /// Validates all tables.
    ///
    /// # Errors
    /// [`Error::Settings`] that names the table and the key.
    pub(crate) fn check(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        for (kind, name) in
            self.zones.iter().map(|z| ("zone", &z.name)).chain(self.lines.iter().map(|l| ("line", &l.name)))
        {
            check_name(kind, name)?;
            if !names.insert(name) {
                return Err(Error::settings(
                    table(kind, name),
                    "a duplicate name",
                    "unique names of zones and lines",
                ));
            }
        }
        self.zones.iter().try_for_each(Zone::check)?;
        self.lines.iter().try_for_each(Line::check)?;
        let frames = self.occupancy.frames;
        if frames.is_multiple_of(2) || frames > MAX_FRAMES {
            let expected = format!("an odd number up to {MAX_FRAMES}, for a median");
            return Err(Error::settings("occupancy frames", frames.to_string(), expected));
        }
        let mut names = BTreeSet::new();
        for label in &self.labels {
            label.check()?;
            if !names.insert(&label.name) {
                return Err(Error::settings(
                    table("label", &label.name),
                    "a duplicate name",
                    "each label once",
                ));
            }
        }
        self.scene.check()
    }
}

impl Zone {
    /// The polygon's corners, from `points` or `box`.
    pub(super) fn corners(&self) -> Vec<[f32; 2]> {
        area::corners(self.rect, &self.points)
    }

    /// For each prompt, the name that is printed and the text that is embedded.
    pub(super) fn states(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prompts.iter().map(|prompt| {
            let (name, text) = prompt.split_once('=').unwrap_or((prompt, prompt));
            (name.trim(), text.trim())
        })
    }

    fn check(&self) -> Result<()> {
        let zone = table("zone", &self.name);
        area::check(&zone, self.rect, &self.points)?;
        check_labels(&zone, &self.labels)?;
        check_fraction(&zone, "min_area", self.min_area)?;
        check_fraction(&zone, "jitter", self.jitter)?;
        check_fraction(&zone, "margin", self.margin)?;
        if let Some(dwell) = self.dwell {
            check_seconds(&zone, "dwell", dwell)?;
        }
        check_seconds(&zone, "smoothing", self.smoothing)?;
        check_seconds(&zone, "debounce", self.debounce)?;
        self.check_prompts(&zone)
    }

    fn check_prompts(&self, zone: &str) -> Result<()> {
        let wrong = |found: String, expected: &str| Err(Error::settings(zone, found, expected));
        if self.prompts.len() == 1 {
            return wrong("1 prompt".to_owned(), "two or more to tell apart, or none");
        }
        let (mut names, mut texts) = (BTreeSet::new(), BTreeSet::new());
        for (name, text) in self.states() {
            if name.is_empty() || text.is_empty() {
                return wrong("an empty prompt or name".to_owned(), "a prompt, or NAME = PROMPT");
            }
            // The text tower ignores case.
            if !names.insert(name.to_lowercase()) || !texts.insert(text.to_lowercase()) {
                return wrong(format!("the duplicate prompt \"{name}\""), "every name and prompt once");
            }
        }
        Ok(())
    }
}

impl Line {
    fn check(&self) -> Result<()> {
        let line = table("line", &self.name);
        check_point(&line, self.from)?;
        check_point(&line, self.to)?;
        if self.from == self.to {
            return Err(Error::settings(
                line,
                "both ends at the same place",
                "a line from one place to another",
            ));
        }
        check_labels(&line, &self.labels)?;
        check_fraction(&line, "jitter", self.jitter)
    }
}

impl Label {
    fn check(&self) -> Result<()> {
        check_name("label", &self.name)?;
        let label = table("label", &self.name);
        check_fraction(&label, "threshold", self.threshold.unwrap_or(0.0))?;
        check_fraction(&label, "min_area", self.min_area)
    }
}

impl Tags {
    fn check(&self) -> Result<()> {
        check_labels("scene", &self.tags)?;
        check_fraction("scene", "on", self.on)?;
        check_fraction("scene", "off", self.off)?;
        if self.off > self.on {
            return Err(Error::settings(
                "scene off",
                self.off.to_string(),
                format!("at most on, {}", self.on),
            ));
        }
        check_seconds("scene", "hold", self.hold)?;
        check_seconds("scene", "smoothing", self.smoothing)
    }
}

fn table(kind: &str, name: &str) -> String {
    format!("{kind} \"{name}\"")
}

fn check_name(kind: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(Error::settings(format!("{kind} name"), format!("\"{name}\""), "visible characters"));
    }
    Ok(())
}

fn check_labels(of: &str, labels: &[String]) -> Result<()> {
    if labels.iter().any(|label| label.trim().is_empty()) {
        return Err(Error::settings(of, "an empty label", "names of objects"));
    }
    Ok(())
}

fn check_fraction(of: &str, key: &str, value: f32) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::settings(format!("{of} {key}"), value.to_string(), "0 to 1"))
}

fn check_seconds(of: &str, key: &str, value: f64) -> Result<()> {
    if (0.0..=MAX_SECONDS).contains(&value) {
        return Ok(());
    }
    Err(Error::settings(format!("{of} {key}"), value.to_string(), format!("seconds from 0 to {MAX_SECONDS}")))
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
