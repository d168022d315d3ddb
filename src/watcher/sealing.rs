//! What the settings need of the machine once everything is open, and the seal that leaves nothing else.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::source::{followed_state, is_program, make_followed_state, shown};
use crate::surfaces::{MqttAddress, NotifyAddress};
use crate::system::{
    Grant, Kernel, NAME_SERVER, Profile, Reach, Right, connect_notify, machine, resolver, seal,
};

/// What to do on a kernel that cannot seal.
const EXPECTED: &str = "a kernel that can (Linux 3.17 or newer with CONFIG_SECCOMP_FILTER), or no seal";
/// What to do instead of having a sealed process start programs.
const PIPE: &str = "standard input (`ffmpeg … | edgeclip run --seal --source -`), or no seal";

/// Sees to it that the kernel can seal, and the settings can be.
///
/// # Errors
/// [`Error::Settings`] if not.
pub(crate) fn check(settings: &Settings) -> Result<()> {
    if let Some(source) = settings.source.iter().find(|source| settings.seal && is_program(&source.url)) {
        let found = format!(
            "the source {}, a program, and none can be started any more once it is on",
            shown(&source.url)
        );
        return Err(Error::settings("seal", found, PIPE));
    }
    if settings.seal && !Kernel::present().filters {
        return Err(Error::settings("seal", "a kernel that cannot refuse system calls", EXPECTED));
    }
    Ok(())
}

/// Seals the process, whose sinks are open and whose threads have not begun. `files` are read again later.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn close(settings: &Settings, files: &[PathBuf]) -> Result<()> {
    if settings.source.iter().any(|source| source.follow) {
        make_followed_state();
    }
    connect_notify();
    let mut reach = Reach { files: grants(settings, files), ports: Vec::new() };
    let mut profile = Profile { files: true, serves: settings.http.is_some(), ..Profile::default() };
    for (port, is_name) in peers(settings) {
        profile = Profile { network: true, names: profile.names || is_name, ..profile };
        reach.ports.push(port);
        reach.ports.extend(is_name.then_some(NAME_SERVER));
    }
    // Later it cannot be asked any more.
    let kernel = Kernel::present();
    seal(&profile, &reach).map_err(|error| Error::settings("seal", error.to_string(), EXPECTED))?;
    let gaps = kernel.gaps();
    if gaps.is_empty() {
        tracing::info!("sealed (seccomp, Landlock {})", kernel.landlock);
    } else {
        let landlock = match kernel.landlock {
            0 => "no Landlock".to_owned(),
            version => format!("Landlock {version}"),
        };
        tracing::warn!("sealed, but this kernel has {landlock}: nobody checks {}", gaps.join(", "));
    }
    Ok(())
}

/// To whom it connects, the broker and those whom it notifies: ports, and whether their addresses are names.
fn peers(settings: &Settings) -> Vec<(u16, bool)> {
    let broker = settings.mqtt.as_ref().and_then(|mqtt| MqttAddress::of(mqtt).ok());
    let rules = settings.notify.iter().filter_map(|rule| NotifyAddress::of(rule).ok());
    let rules = rules.map(|address| (address.port, address.is_name));
    broker.map(|address| (address.port, address.is_name)).into_iter().chain(rules).collect()
}

/// What may be reached: folders rather than files where a file may be replaced by another of its name.
pub(crate) fn grants(settings: &Settings, files: &[PathBuf]) -> Vec<Grant> {
    let mut grants = machine();
    let mut grant = |path: &Path, right| grants.push(Grant::new(path, right));
    for source in &settings.source {
        let path = source.url.strip_prefix("v4l2://").unwrap_or(&source.url);
        if path == "-" || path.contains("://") || is_program(path) {
            continue;
        }
        let path = Path::new(path);
        let is_device = fs::metadata(path).is_ok_and(|about| about.file_type().is_char_device());
        if is_device || path.starts_with("/dev") {
            // One that is plugged in again is a new file.
            grant(Path::new("/dev"), Right::Use);
        } else if path.exists() {
            grant(path, Right::Read);
        } else {
            grant(&before_pattern(path), Right::Read);
        }
    }
    if settings.source.iter().any(|source| source.follow)
        && let Some(folder) = followed_state()
    {
        grant(&folder, Right::Write);
    }
    for file in settings.files().iter().chain(files) {
        folders_of(file).iter().for_each(|folder| grant(folder, Right::Read));
    }
    if let Some(model) = &settings.model {
        grant(model, Right::Read);
    }
    for file in [&settings.csv, &settings.mjpeg].into_iter().flatten() {
        // A device stays open.
        if !fs::metadata(file).is_ok_and(|about| about.file_type().is_char_device()) {
            folders_of(file).iter().for_each(|folder| grant(folder, Right::Append));
        }
    }
    for folder in [&settings.annotate, &settings.snapshot, &settings.history].into_iter().flatten() {
        grant(folder, Right::Write);
    }
    if settings.http.as_ref().is_some_and(|http| http.save) {
        // What is saved takes the place of a file.
        for file in settings.vocab.iter().chain(files) {
            folders_of(file).iter().for_each(|folder| grant(folder, Right::Write));
        }
    }
    if let Some(folder) = settings.mqtt.as_ref().and_then(|mqtt| mqtt.spool.as_ref()) {
        grant(folder, Right::Write);
    }
    if peers(settings).iter().any(|(_, is_name)| *is_name) {
        grants.extend(resolver());
    }
    grants.sort_by(|a, b| (&a.path, a.right).cmp(&(&b.path, b.right)));
    grants.dedup();
    grants
}

/// The folder of a file, and that of what it leads to.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(file).ok();
    let paths = [absolute, file.canonicalize().ok()].into_iter().flatten();
    paths.filter_map(|path| path.parent().map(Path::to_owned)).collect()
}

/// What precedes the first part with a wildcard.
fn before_pattern(path: &Path) -> PathBuf {
    let is_plain = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    let plain: PathBuf = path.components().take_while(is_plain).collect();
    if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SourceSettings;

    fn source(url: &str) -> SourceSettings {
        SourceSettings { url: url.to_owned(), ..SourceSettings::default() }
    }

    #[test]
    fn only_what_the_settings_name_is_granted() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        let path = |name: &str| root.join(name);
        for folder in ["in", "words", "out", "events"] {
            fs::create_dir(path(folder)).unwrap();
        }
        fs::write(path("words/list"), "cat").unwrap();
        fs::write(path("film.y4m"), "").unwrap();
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        let settings = Settings {
            prompt: Some(crate::config::Prompts::List(format!("@{}", text("words/list")))),
            source: vec![
                source("-"),
                source("rtsp://u:p@cam/x"),
                source(&text("film.y4m")),
                source(&text("in/*.jpg")),
            ],
            csv: Some(path("out/log.csv")),
            snapshot: Some(path("events")),
            ..Settings::default()
        };
        let found = grants(&settings, &[]);
        let ours: Vec<(String, Right)> = found
            .iter()
            .filter_map(|grant| {
                let inside = grant.path.strip_prefix(&root).ok()?;
                Some((inside.to_str()?.to_owned(), grant.right))
            })
            .collect();
        let expected = [
            ("events", Right::Write),
            ("film.y4m", Right::Read),
            ("in", Right::Read),
            ("out", Right::Append),
            ("words", Right::Read),
        ];
        assert_eq!(ours, expected.map(|(path, right)| (path.to_owned(), right)));
        let others = found.iter().filter(|grant| !grant.path.starts_with(&root));
        for other in others {
            assert!(["/proc", "/sys"].iter().any(|root| other.path.starts_with(root)), "{other:?}");
            assert_eq!(other.right, Right::Read);
        }
    }

    #[test]
    fn a_camera_may_be_plugged_in_again() {
        let settings = Settings { source: vec![source("/dev/video99")], ..Settings::default() };
        let dev = Grant { path: PathBuf::from("/dev"), right: Right::Use };
        assert!(grants(&settings, &[]).contains(&dev));
        assert_eq!(before_pattern(Path::new("*.jpg")), Path::new("."));
        assert_eq!(before_pattern(Path::new("/a/b?/c")), Path::new("/a"));
    }
}
