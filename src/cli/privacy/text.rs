//! The report in plain words.

use std::io::{self, Write};

use super::report::{Blurred, Hides, Listens, Masked, Report, Seal};

/// Writes the report.
pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let of = report.config.as_ref().map_or_else(|| "no file of settings".to_owned(), Clone::clone);
    writeln!(out, "edgeclip {}, {of}", report.version)?;
    heading(out, "Pictures")?;
    if report.pictures_leave {
        for output in report.writes.iter().filter(|output| output.pictures) {
            writeln!(out, "  leave edgeclip: {} = {}: {}", output.setting, output.to, output.what)?;
            writeln!(out, "    kept: {}", output.kept)?;
        }
    } else {
        writeln!(out, "  stay inside: no setting writes one")?;
    }
    hides(out, &report.hides, report.pictures_leave)?;
    heading(out, "Words and numbers")?;
    for output in report.writes.iter().filter(|output| !output.pictures) {
        writeln!(out, "  {}: {}", output.to, output.what)?;
        writeln!(out, "    kept: {}", output.kept)?;
    }
    if report.writes.iter().all(|output| output.pictures) {
        writeln!(out, "  none are written")?;
    }
    heading(out, "Network")?;
    listens(out, report.listens.as_ref())?;
    for connection in &report.connects {
        let names = if connection.looks_up { ", whose address it asks name servers for" } else { "" };
        writeln!(
            out,
            "  connects to {} port {}{names} ({})",
            connection.host, connection.port, connection.source
        )?;
    }
    if report.connects.is_empty() {
        writeln!(out, "  it connects to nobody")?;
    }
    if report.commanded {
        writeln!(
            out,
            "  obeys commands that come that way: what to look for and where, from which score on, when to pause"
        )?;
    }
    heading(out, "Sources on this machine")?;
    report.watches.iter().try_for_each(|source| writeln!(out, "  {source}"))?;
    for program in &report.starts {
        writeln!(
            out,
            "  {program}: a program that edgeclip starts; what it connects to and writes is its own affair"
        )?;
    }
    if report.watches.is_empty() && report.starts.is_empty() {
        writeln!(out, "  none")?;
    }
    seal(out, &report.seal, !report.connects.is_empty())
}

/// Who may connect to it.
fn listens(out: &mut impl Write, listens: Option<&Listens>) -> io::Result<()> {
    let Some(Listens { address, local, token, tls, pictures, .. }) = listens else {
        return writeln!(out, "  nobody can connect to edgeclip: it listens nowhere");
    };
    let who = if *local { "programs and browsers on this machine" } else { "whoever reaches this machine" };
    let with = if *token { "with a token" } else { "without a token" };
    let how = if *tls { "over TLS" } else { "in the clear" };
    let what = if *pictures { "events and pictures" } else { "events, no pictures" };
    writeln!(out, "  {who} can connect to {address}, {with}, {how}, for {what}")
}

/// What is hidden in pictures, and what that cannot do.
fn hides(out: &mut impl Write, hides: &Hides, pictures_leave: bool) -> io::Result<()> {
    if let Some(Blurred { words, threshold }) = &hides.blur {
        let words = words.join(", ");
        if pictures_leave {
            writeln!(
                out,
                "  blur pixelates before anything leaves: {words} (from a score of {threshold} on)"
            )?;
            writeln!(
                out,
                "    it cannot hide what the model misses: the small, the distant, what is half hidden"
            )?;
        } else {
            writeln!(out, "  blur would pixelate: {words}")?;
        }
    }
    let masked = |masked: &&Masked| masked.areas > 0;
    for Masked { source, areas } in hides.masks.iter().filter(masked) {
        let areas = if *areas == 1 { "1 area is".to_owned() } else { format!("{areas} areas are") };
        writeln!(
            out,
            "  masks: {areas} black in {source}, for the network and for pictures, whatever is there"
        )?;
    }
    let bare: Vec<&str> =
        hides.masks.iter().filter(|masked| masked.areas == 0).map(|masked| masked.source.as_str()).collect();
    if hides.masks.iter().any(|masked| masked.areas > 0) {
        writeln!(out, "    they stay where they are when a camera is moved")?;
        if !bare.is_empty() {
            writeln!(out, "  no mask: {}", bare.join(", "))?;
        }
    }
    if pictures_leave && hides.blur.is_none() && hides.masks.iter().all(|masked| masked.areas == 0) {
        writeln!(out, "  nothing in them is hidden: there are neither blur nor masks")?;
    }
    Ok(())
}

fn seal(out: &mut impl Write, seal: &Seal, connects: bool) -> io::Result<()> {
    heading(out, "Seal")?;
    if !seal.on {
        writeln!(
            out,
            "  off: all of the above is what edgeclip does, and nothing holds it to that (--seal, or seal = true)"
        )?;
    } else if !seal.seccomp {
        writeln!(out, "  impossible: this kernel cannot refuse system calls, so edgeclip will not start")?;
    } else {
        writeln!(out, "  on: the kernel holds edgeclip to this, even if somebody takes it over")?;
    }
    let landlock = match seal.landlock {
        0 => "no Landlock".to_owned(),
        version => format!("Landlock {version}"),
    };
    let seccomp = if seal.seccomp { "seccomp" } else { "no seccomp" };
    writeln!(out, "  this kernel has {seccomp} and {landlock}")?;
    for gap in &seal.not_enforced {
        writeln!(out, "  not enforced by it: {gap}")?;
    }
    let state = if seal.on { "may" } else { "sealed, it could" };
    for (verb, paths) in
        [("read", &seal.reads), ("write", &seal.writes), ("use the devices in", &seal.devices)]
    {
        if !paths.is_empty() {
            writeln!(out, "  {state} {verb} {}", paths.join(", "))?;
        }
    }
    if connects {
        writeln!(
            out,
            "  ports are enforced; hosts only by a firewall, such as IPAddressAllow= of the service"
        )?;
    }
    Ok(())
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}")
}
