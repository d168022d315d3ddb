//! `edgeclip run --list`

use std::io::Write;

use super::super::failures::complain;
use super::super::{Failures, print};
use crate::error::{Error, LONG, Result, printable};
use crate::source::{NetworkCamera, Offers, cameras, network_cameras};

/// Prints each camera with its formats, and with `onvif`, each that answers in the network with its streams; to standard
/// error why one cannot be used. Fails if none can.
pub(crate) fn list(onvif: Option<&str>) -> anyhow::Result<Failures> {
    let found = cameras();
    let others = onvif.map(network_cameras).transpose()?.unwrap_or_default();
    if found.is_empty() && others.is_empty() {
        return Err(match onvif {
            Some(_) => Error::device(
                "onvif",
                "no video device, and no camera in the network that answers within 3 s",
                "a camera in this network, with ONVIF switched on in its settings",
            ),
            None => Error::device(
                "/dev",
                "no video device",
                "a camera: plugged in, with a driver, and in a container passed in by --device",
            ),
        }
        .into());
    }
    let mut failures = Failures::default();
    let usable = found.iter().any(Result::is_ok) || others.iter().any(|camera| camera.streams.is_ok());
    let mut fail = |error: Error| {
        if usable {
            complain(&error);
        } else {
            failures.add(error);
        }
    };
    for camera in found {
        match camera {
            Ok(camera) => {
                print(|out| write_offers(out, &camera))?;
            }
            Err(error) => fail(error),
        }
    }
    for camera in others {
        print(|out| write_streams(out, &camera))?;
        if let Err(error) = camera.streams {
            fail(error);
        }
    }
    Ok(failures)
}

fn write_streams(out: &mut impl Write, camera: &NetworkCamera) -> std::io::Result<()> {
    writeln!(out, "{}", printable(&format!("{}  {}", camera.service, camera.name), LONG))?;
    for stream in camera.streams.iter().flatten() {
        let line = format!("{}  {} {}  {}", stream.address, stream.encoding, stream.size, stream.name);
        writeln!(out, "  {}", printable(&line, LONG))?;
    }
    Ok(())
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
