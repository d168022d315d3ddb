//! `edgeclip run --list`

use std::io::Write;

use super::super::failures::complain;
use super::super::{Failures, print};
use crate::error::{Error, LONG, Result, printable};
use crate::source::{Offers, cameras};

/// Prints each camera with its formats, and to standard error why a device cannot be used. Fails if none can.
pub(crate) fn list() -> anyhow::Result<Failures> {
    let found = cameras();
    if found.is_empty() {
        let expected = "a camera: plugged in, with a driver, and in a container passed in by --device";
        return Err(Error::device("/dev", "no video device", expected).into());
    }
    let mut failures = Failures::default();
    let usable = found.iter().any(Result::is_ok);
    for camera in found {
        match camera {
            Ok(camera) => {
                print(|out| write_offers(out, &camera))?;
            }
            Err(error) if usable => complain(&error),
            Err(error) => failures.add(error),
        }
    }
    Ok(failures)
}

fn write_offers(out: &mut impl Write, camera: &Offers) -> std::io::Result<()> {
    let title = format!("{}  {} ({})", camera.path.display(), camera.card, camera.driver);
    writeln!(out, "{}", printable(&title, LONG))?;
    let formats = camera.formats.iter();
    formats
        .map(|offer| format!("{}  {}", offer.format, offer.sizes.join(" ")))
        .try_for_each(|line| writeln!(out, "  {line}"))?;
    camera
        .controls
        .iter()
        .try_for_each(|control| writeln!(out, "  {}", printable(&control.to_string(), LONG)))
}
