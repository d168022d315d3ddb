//! Finds pixels in bytes, however they may have been stored.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use image::RgbImage;

/// Length of a run that is no chance: noise repeats one once in 2⁶⁴.
const RUN: usize = 8;

/// Runs of a picture's bytes.
#[derive(Default)]
pub(super) struct Finder(HashSet<[u8; RUN]>);

impl Finder {
    /// Knows `picture` as interleaved RGB and BGR and as planes, in bytes and as signed values around 128; in base64,
    /// too.
    pub(super) fn of(picture: &RgbImage) -> Self {
        let mut finder = Self::default();
        let rgb = picture.as_raw();
        let bgr: Vec<u8> = picture.pixels().flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        let planes =
            [0, 1, 2].map(|channel| picture.pixels().map(|pixel| pixel[channel]).collect::<Vec<u8>>());
        for bytes in [rgb, &bgr].into_iter().chain(&planes) {
            finder.add(bytes);
            finder.add(&bytes.iter().map(|byte| byte ^ 0x80).collect::<Vec<u8>>());
        }
        finder
    }

    /// Also knows these bytes, plain and in base64 from any place in them.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend(bytes.windows(RUN).filter_map(|run| <[u8; RUN]>::try_from(run).ok()));
        for skip in 0..3 {
            let rest = &bytes[skip.min(bytes.len())..];
            for text in [STANDARD_NO_PAD.encode(rest), URL_SAFE_NO_PAD.encode(rest)] {
                self.0.extend(text.as_bytes().windows(RUN).filter_map(|run| <[u8; RUN]>::try_from(run).ok()));
            }
        }
    }

    /// Where in `bytes` a run begins.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<usize> {
        let known = |run: &[u8]| <[u8; RUN]>::try_from(run).is_ok_and(|run| self.0.contains(&run));
        bytes.windows(RUN).position(known)
    }
}

#[test]
fn runs_are_found_in_every_form() {
    let picture = super::noise(16, 16, 1);
    let finder = Finder::of(&picture);
    let rgb = picture.as_raw();
    let green: Vec<u8> = picture.pixels().map(|pixel| pixel[1]).collect();
    let around = |bytes: &[u8]| [b"{\"path\":\"", bytes, b"\"}"].concat();
    assert_eq!(finder.find(&around(&rgb[100..108])), Some(9));
    assert_eq!(finder.find(&around(&green[30..39])), Some(9));
    assert_eq!(
        finder.find(&around(&green[30..39].iter().map(|byte| byte ^ 0x80).collect::<Vec<u8>>())),
        Some(9)
    );
    for from in 50..53 {
        let text = STANDARD_NO_PAD.encode(&rgb[from..from + 12]);
        assert!(finder.find(&around(text.as_bytes())).is_some(), "{from}");
    }
    assert_eq!(finder.find(&around(&rgb[100..107])), None);
}
