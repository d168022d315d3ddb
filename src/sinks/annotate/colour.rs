//! Colours of labels: far apart, and chosen by name so that they are stable.

use std::collections::HashMap;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;

/// Background of tags, the clock and names of zones.
pub(crate) const QUIET: Rgb888 = Rgb888::new(24, 24, 24);

const PALETTE: [Rgb888; 16] = [
    Rgb888::new(230, 30, 50),
    Rgb888::new(255, 130, 0),
    Rgb888::new(255, 215, 0),
    Rgb888::new(160, 225, 30),
    Rgb888::new(30, 150, 60),
    Rgb888::new(0, 150, 145),
    Rgb888::new(30, 205, 245),
    Rgb888::new(30, 105, 255),
    Rgb888::new(95, 60, 200),
    Rgb888::new(165, 40, 215),
    Rgb888::new(245, 50, 215),
    Rgb888::new(255, 150, 185),
    Rgb888::new(145, 80, 35),
    Rgb888::new(130, 130, 20),
    Rgb888::new(20, 40, 130),
    Rgb888::new(125, 240, 190),
];

/// The colours assigned so far, one per name. The name's hash picks it; among the first 16 names, no two
/// share one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Palette {
    given: HashMap<String, Rgb888>,
    taken: [bool; PALETTE.len()],
}

impl Palette {
    /// The name's colour, the same for the lifetime of this palette.
    pub(crate) fn colour(&mut self, name: &str) -> Rgb888 {
        if let Some(colour) = self.given.get(name) {
            return *colour;
        }
        let first = hash(name) as usize % PALETTE.len();
        let free = (0..PALETTE.len()).map(|step| (first + step) % PALETTE.len());
        let index = free.into_iter().find(|i| self.taken.get(*i) == Some(&false)).unwrap_or(first);
        if let Some(taken) = self.taken.get_mut(index) {
            *taken = true;
        }
        let colour = PALETTE.get(index).copied().unwrap_or(Rgb888::WHITE);
        self.given.insert(name.to_owned(), colour);
        colour
    }
}

/// Black or white, whichever reads better on `colour` (luma of ITU-R BT.601).
pub(crate) fn contrasting(colour: Rgb888) -> Rgb888 {
    let luma = 299 * u32::from(colour.r()) + 587 * u32::from(colour.g()) + 114 * u32::from(colour.b());
    if luma > 128_000 { Rgb888::BLACK } else { Rgb888::WHITE }
}

/// FNV-1a, 32 bits: unlike the standard library's hash, it never changes.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(""), 0x811c_9dc5);
        assert_eq!(hash("a"), 0xe40c_292c);
        assert_eq!(hash("foobar"), 0xbf9c_f968);
    }

    #[test]
    fn names_have_different_colours_while_there_are_enough() {
        let mut palette = Palette::default();
        let colours: Vec<Rgb888> = (0..40).map(|i| palette.colour(&format!("thing {i}"))).collect();
        for (i, colour) in colours.iter().take(PALETTE.len()).enumerate() {
            assert!(!colours[..i].contains(colour));
        }
        assert!(
            (0..40).all(|i| palette.colour(&format!("thing {i}")) == colours[i]),
            "a name changed its colour"
        );
    }

    #[test]
    fn the_first_name_has_the_colour_of_its_hash() {
        assert_eq!(Palette::default().colour("person"), PALETTE[hash("person") as usize % 16]);
    }

    #[test]
    fn text_is_readable_on_every_colour() {
        let luminance = |c: Rgb888| {
            let linear = |v: u8| {
                let v = f64::from(v) / 255.0;
                if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b())
        };
        for colour in PALETTE {
            let (a, b) = (luminance(colour), luminance(contrasting(colour)));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            // WCAG 2.2 asks for 3:1 with large or bold text.
            assert!(contrast >= 3.0, "{colour:?} has a contrast of only {contrast}");
        }
    }
}
