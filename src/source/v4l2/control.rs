//! Controls of cameras: their names as `v4l2-ctl` has them, and values as text.

use std::fmt;

/// A camera's knob: exposure, focus, gain and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// In small letters, with underscores.
    pub name: String,
    /// What values it takes.
    pub kind: Kind,
    /// The driver's default.
    pub default: i64,
    /// What it is set to, where that can be read.
    pub value: Option<i64>,
    /// Whether another control, such as an automatic one, has a say over it at present.
    pub inactive: bool,
}

/// What values a [`Control`] takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
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
    /// One of these numbers, which have names.
    Menu(Vec<(i64, String)>),
    /// Does something when it is set.
    Button,
    /// Any of these bits.
    Bitmask(u32),
}

/// A name as `v4l2-ctl` has it: small letters and digits, what is between them one underscore.
pub(super) fn normalised(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_lowercase()
}

impl Control {
    /// The number that `text` means: a number, the name of a menu's entry, `on` or `off`.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn parse(&self, text: &str) -> Result<i64, String> {
        let number = || match text.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.parse::<i64>().ok(),
        };
        let value = match &self.kind {
            Kind::Integer { minimum, maximum, step } => number().filter(|value| {
                (minimum..=maximum).contains(&value) && (value - minimum) % step.max(&1) == 0
            }),
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "1" | "on" | "true" | "yes" => Some(1),
                "0" | "off" | "false" | "no" => Some(0),
                _ => None,
            },
            Kind::Menu(entries) => {
                let name = normalised(text);
                let named = entries.iter().find(|(_, entry)| normalised(entry) == name);
                let numbered = || number().filter(|value| entries.iter().any(|(index, _)| index == value));
                named.map(|(index, _)| *index).or_else(numbered)
            }
            Kind::Button => matches!(text, "" | "1").then_some(1),
            Kind::Bitmask(bits) => number().filter(|value| value & !i64::from(*bits) == 0),
        };
        value.ok_or_else(|| self.kind.to_string())
    }

    /// A value as people read it.
    fn shown(&self, value: i64) -> String {
        match &self.kind {
            Kind::Boolean => if value == 0 { "off" } else { "on" }.to_owned(),
            Kind::Menu(entries) => {
                let entry = entries.iter().find(|(index, _)| *index == value);
                entry.map_or_else(|| value.to_string(), |(_, name)| normalised(name))
            }
            Kind::Bitmask(_) => format!("{value:#x}"),
            _ => value.to_string(),
        }
    }
}

impl fmt::Display for Kind {
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
impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)?;
        if self.kind != Kind::Button {
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

    fn control(kind: Kind) -> Control {
        Control { name: "it".to_owned(), kind, default: 1, value: Some(3), inactive: false }
    }

    fn exposure() -> Control {
        let entries = [(1, "Manual Mode"), (3, "Aperture Priority Mode")];
        control(Kind::Menu(entries.map(|(index, name)| (index, name.to_owned())).to_vec()))
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
        let gain = control(Kind::Integer { minimum: -4, maximum: 8, step: 2 });
        assert_eq!((gain.parse("-4"), gain.parse("8"), gain.parse("0x2")), (Ok(-4), Ok(8), Ok(2)));
        for text in ["-5", "9", "3", "", "high", "99999999999999999999"] {
            assert_eq!(gain.parse(text), Err("-4 to 8 in steps of 2".to_owned()), "{text}");
        }
        for (text, value) in [("manual_mode", 1), ("Manual Mode", 1), ("3", 3)] {
            assert_eq!(exposure().parse(text), Ok(value));
        }
        assert_eq!(exposure().parse("2"), Err("manual_mode, aperture_priority_mode".to_owned()));
        let flip = control(Kind::Boolean);
        assert_eq!((flip.parse("on"), flip.parse("0"), flip.parse("False")), (Ok(1), Ok(0), Ok(0)));
        assert_eq!(flip.parse("2"), Err("on or off".to_owned()));
        let press = control(Kind::Button);
        assert_eq!((press.parse(""), press.parse("1")), (Ok(1), Ok(1)));
        assert!(press.parse("0").is_err());
        let bits = control(Kind::Bitmask(0x8000_0006));
        assert_eq!((bits.parse("0x80000002"), bits.parse("6")), (Ok(0x8000_0002), Ok(6)));
        assert!(bits.parse("1").is_err() && bits.parse("-1").is_err());
    }

    #[test]
    fn a_control_reads_like_a_range() {
        let gain = control(Kind::Integer { minimum: 0, maximum: 8, step: 1 });
        assert_eq!(gain.to_string(), "it: 0 to 8, default 1, now 3");
        let line = "it: manual_mode, aperture_priority_mode, default manual_mode, now aperture_priority_mode";
        assert_eq!(exposure().to_string(), line);
        let press = Control { value: None, ..control(Kind::Button) };
        assert_eq!(press.to_string(), "it: 1, to press it");
        let off = Control { inactive: true, value: Some(0), ..control(Kind::Boolean) };
        assert_eq!(off.to_string(), "it: on or off, default on, now off (inactive)");
    }
}
