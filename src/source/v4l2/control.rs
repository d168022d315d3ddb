//! Camera controls, named as in `v4l2-ctl`, and their values.

use std::fmt;

/// A camera control: exposure, focus, gain and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CameraControl {
    /// Lower case with underscores.
    pub name: String,
    /// What values it accepts.
    pub kind: ControlKind,
    /// The driver's default.
    pub default: i64,
    /// Its current value, if that can be read.
    pub value: Option<i64>,
    /// Whether it has no effect at present, since another control (an automatic, say) overrides it.
    pub inactive: bool,
}

/// What values a [`CameraControl`] accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ControlKind {
    /// Every `step`th number from `minimum` to `maximum`.
    Integer {
        /// The least.
        minimum: i64,
        /// The greatest.
        maximum: i64,
        /// At least 1.
        step: i64,
    },
    /// 0 or 1.
    Boolean,
    /// One of these indices, which have names.
    Menu(Vec<(i64, String)>),
    /// Triggers an action when set.
    Button,
    /// Any of these bits.
    Bitmask(u32),
}

/// What to set a [`CameraControl`] to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ControlValue {
    /// On or off.
    Switch(bool),
    /// A number, or the index of a menu's entry.
    Number(i64),
    /// The name of a menu's entry, `on`, `off`, or a number as text, with `0x` in hexadecimal.
    Text(String),
}

impl ControlValue {
    fn number(&self) -> Option<i64> {
        match self {
            Self::Switch(on) => Some(i64::from(*on)),
            Self::Number(number) => Some(*number),
            Self::Text(text) => match text.strip_prefix("0x") {
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            },
        }
    }

    /// 1 for on, 0 for off.
    fn switch(&self) -> Option<i64> {
        let Self::Text(text) = self else {
            return self.number().filter(|number| matches!(number, 0 | 1));
        };
        match text.to_ascii_lowercase().as_str() {
            "1" | "on" | "true" | "yes" => Some(1),
            "0" | "off" | "false" | "no" => Some(0),
            _ => None,
        }
    }
}

impl fmt::Display for ControlValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => write!(f, "{}", u8::from(*on)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A name in the form of `v4l2-ctl`: lower case letters and digits, everything between them one underscore.
pub(super) fn normalised(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_lowercase()
}

impl CameraControl {
    /// The number to set for `value`.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn number_for(&self, value: &ControlValue) -> Result<i64, String> {
        let number = || value.number();
        let number = match &self.kind {
            ControlKind::Integer { minimum, maximum, step } => number().filter(|number| {
                (minimum..=maximum).contains(&number) && (number - minimum) % step.max(&1) == 0
            }),
            ControlKind::Boolean => value.switch(),
            // Names take precedence over indices: they may be numbers.
            ControlKind::Menu(entries) => {
                let name = normalised(&value.to_string());
                let named = entries.iter().find(|(_, entry)| normalised(entry) == name);
                let numbered = || number().filter(|number| entries.iter().any(|(index, _)| index == number));
                named.map(|(index, _)| *index).or_else(numbered)
            }
            ControlKind::Button => matches!(value.to_string().as_str(), "" | "1").then_some(1),
            ControlKind::Bitmask(bits) => number().filter(|number| number & !i64::from(*bits) == 0),
        };
        number.ok_or_else(|| self.kind.to_string())
    }

    /// A value for display.
    fn shown(&self, value: i64) -> String {
        match &self.kind {
            ControlKind::Boolean => if value == 0 { "off" } else { "on" }.to_owned(),
            ControlKind::Menu(entries) => {
                let entry = entries.iter().find(|(index, _)| *index == value);
                entry.map_or_else(|| value.to_string(), |(_, name)| normalised(name))
            }
            ControlKind::Bitmask(_) => format!("{value:#x}"),
            _ => value.to_string(),
        }
    }
}

impl fmt::Display for ControlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { minimum, maximum, step: 0 | 1 } => write!(f, "{minimum} to {maximum}"),
            Self::Integer { minimum, maximum, step } => {
                write!(f, "{minimum} to {maximum} in steps of {step}")
            }
            Self::Boolean => f.write_str("on or off"),
            Self::Menu(entries) => {
                let names: Vec<String> = entries.iter().map(|(_, name)| normalised(name)).collect();
                f.write_str(&names.join(", "))
            }
            Self::Button => f.write_str("1, to press it"),
            Self::Bitmask(bits) => write!(f, "bits of {bits:#x}"),
        }
    }
}

/// `brightness: 0 to 255, default 128, now 100`
impl fmt::Display for CameraControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)?;
        if self.kind != ControlKind::Button {
            write!(f, ", default {}", self.shown(self.default))?;
        }
        if let Some(value) = self.value {
            write!(f, ", now {}", self.shown(value))?;
        }
        f.write_str(if self.inactive { " (inactive)" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(kind: ControlKind) -> CameraControl {
        CameraControl { name: "it".to_owned(), kind, default: 1, value: Some(3), inactive: false }
    }

    fn exposure() -> CameraControl {
        let entries = [(1, "Manual Mode"), (3, "Aperture Priority Mode")];
        control(ControlKind::Menu(entries.map(|(index, name)| (index, name.to_owned())).to_vec()))
    }

    #[test]
    fn names_are_those_of_v4l2_ctl() {
        for (name, expected) in [
            ("Exposure Time, Absolute", "exposure_time_absolute"),
            ("White Balance, Automatic", "white_balance_automatic"),
            ("Power Line Frequency", "power_line_frequency"),
            (" 50 Hz (PAL) ", "50_hz_pal"),
            ("\u{fffd}", ""),
        ] {
            assert_eq!(normalised(name), expected);
        }
    }

    #[test]
    fn values_are_numbers_names_and_switches() {
        let text =
            |control: &CameraControl, text: &str| control.number_for(&ControlValue::Text(text.to_owned()));
        let number = |control: &CameraControl, number| control.number_for(&ControlValue::Number(number));
        let gain = control(ControlKind::Integer { minimum: -4, maximum: 8, step: 2 });
        assert_eq!((text(&gain, "-4"), text(&gain, "8"), text(&gain, "0x2")), (Ok(-4), Ok(8), Ok(2)));
        assert_eq!((number(&gain, -4), number(&gain, 8)), (Ok(-4), Ok(8)));
        for wrong in ["-5", "9", "3", "", "high", "99999999999999999999"] {
            assert_eq!(text(&gain, wrong), Err("-4 to 8 in steps of 2".to_owned()), "{wrong}");
        }
        assert!(number(&gain, 3).is_err() && number(&gain, i64::MAX).is_err());
        for (entry, value) in [("manual_mode", 1), ("Manual Mode", 1), ("3", 3)] {
            assert_eq!(text(&exposure(), entry), Ok(value));
        }
        assert_eq!((number(&exposure(), 3), number(&exposure(), 2).is_ok()), (Ok(3), false));
        assert_eq!(text(&exposure(), "2"), Err("manual_mode, aperture_priority_mode".to_owned()));
        let numbers = control(ControlKind::Menu(vec![(0, "10".to_owned()), (1, "20".to_owned())]));
        assert_eq!((number(&numbers, 20), number(&numbers, 1)), (Ok(1), Ok(1)));
        let flip = control(ControlKind::Boolean);
        assert_eq!((text(&flip, "on"), text(&flip, "0"), text(&flip, "False")), (Ok(1), Ok(0), Ok(0)));
        assert_eq!((number(&flip, 1), flip.number_for(&ControlValue::Switch(false))), (Ok(1), Ok(0)));
        assert_eq!(text(&flip, "2"), Err("on or off".to_owned()));
        assert!(number(&flip, 2).is_err());
        let press = control(ControlKind::Button);
        assert_eq!((text(&press, ""), text(&press, "1"), number(&press, 1)), (Ok(1), Ok(1), Ok(1)));
        assert!(text(&press, "0").is_err() && number(&press, 0).is_err());
        let bits = control(ControlKind::Bitmask(0x8000_0006));
        assert_eq!((text(&bits, "0x80000002"), text(&bits, "6")), (Ok(0x8000_0002), Ok(6)));
        assert!(text(&bits, "1").is_err() && number(&bits, -1).is_err());
    }

    #[test]
    fn a_control_reads_like_a_range() {
        let gain = control(ControlKind::Integer { minimum: 0, maximum: 8, step: 1 });
        assert_eq!(gain.to_string(), "it: 0 to 8, default 1, now 3");
        let line = "it: manual_mode, aperture_priority_mode, default manual_mode, now aperture_priority_mode";
        assert_eq!(exposure().to_string(), line);
        let press = CameraControl { value: None, ..control(ControlKind::Button) };
        assert_eq!(press.to_string(), "it: 1, to press it");
        let off = CameraControl { inactive: true, value: Some(0), ..control(ControlKind::Boolean) };
        assert_eq!(off.to_string(), "it: on or off, default on, now off (inactive)");
    }
}
