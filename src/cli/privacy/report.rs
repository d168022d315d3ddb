//! What a configuration can do, as facts.

use std::path::Path;

use serde::Serialize;

use crate::config::{Format, Prompts, Settings};
use crate::error::shown_address;
use crate::source::{Destination, followed_state, is_program, shown};
use crate::surfaces::{HttpAddress, MqttAddress, NotifyAddress};
use crate::system::{Kernel, Right};
use crate::watcher::{grants, names};

/// What a configuration can do.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub version: &'static str,
    /// The file of settings.
    pub config: Option<String>,
    /// Whether pictures are written anywhere.
    pub pictures_leave: bool,
    pub hides: Hides,
    /// To whom it connects.
    pub connects: Vec<Connection>,
    /// Who may connect to it.
    pub listens: Option<Listens>,
    /// Whether others may change what it looks for.
    pub commanded: bool,
    /// Sources on this machine.
    pub watches: Vec<String>,
    /// Programs that it starts, which do what they do.
    pub starts: Vec<String>,
    /// What it writes.
    pub writes: Vec<Output>,
    pub seal: Seal,
}

/// What is hidden in pictures before they leave.
#[derive(Debug, Serialize)]
pub(super) struct Hides {
    pub blur: Option<Blurred>,
    /// For each source, how many areas are black.
    pub masks: Vec<Masked>,
}

/// Things that are pixelated wherever they are found.
#[derive(Debug, Serialize)]
pub(super) struct Blurred {
    /// As in the settings.
    pub words: Vec<String>,
    /// Lowest score of what is.
    pub threshold: f32,
}

/// The masks of a source.
#[derive(Debug, Serialize)]
pub(super) struct Masked {
    pub source: String,
    pub areas: usize,
}

/// A network source, or a broker.
#[derive(Debug, Serialize)]
pub(super) struct Connection {
    pub source: String,
    pub host: String,
    pub port: u16,
    /// Whether name servers are asked.
    pub looks_up: bool,
}

/// A server.
#[derive(Debug, Serialize)]
pub(super) struct Listens {
    /// As in the settings.
    pub address: String,
    pub port: u16,
    /// Whether this machine alone reaches it.
    pub local: bool,
    pub token: bool,
    pub tls: bool,
    pub pictures: bool,
    pub commands: bool,
}

/// Something that is written.
#[derive(Debug, Serialize)]
pub(super) struct Output {
    /// The setting that asks for it.
    pub setting: &'static str,
    pub to: String,
    /// Whether there are pictures in it.
    pub pictures: bool,
    pub what: String,
    /// How long it is kept.
    pub kept: String,
}

/// What the seal leaves.
#[derive(Debug, Serialize)]
pub(super) struct Seal {
    /// Whether the settings ask for it.
    pub on: bool,
    /// Whether this kernel refuses system calls.
    pub seccomp: bool,
    /// The kernel's version of Landlock, 0 for none.
    pub landlock: u32,
    pub not_enforced: Vec<&'static str>,
    /// Paths that could be read, written, and used as devices.
    pub reads: Vec<String>,
    pub writes: Vec<String>,
    pub devices: Vec<String>,
}

impl Report {
    pub(super) fn new(settings: &Settings, config: Option<&Path>) -> Self {
        let writes = outputs(settings);
        let urls = || settings.source.iter().map(|source| &source.url);
        let is_remote = |url: &str| url.contains("://") && !url.starts_with("v4l2://") && !is_program(url);
        let connection = |url: &String| {
            let Destination { host, port, is_name, .. } = Destination::of(url)?;
            Some(Connection { source: shown_address(url), host, port, looks_up: is_name })
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            config: config.map(|path| path.display().to_string()),
            pictures_leave: writes.iter().any(|output| output.pictures),
            hides: Hides::new(settings),
            connects: urls()
                .filter(|url| is_remote(url))
                .filter_map(connection)
                .chain(broker(settings))
                .chain(notified(settings))
                .collect(),
            listens: listens(settings),
            commanded: settings.mqtt.as_ref().is_some_and(|mqtt| mqtt.commands)
                || settings.http.as_ref().is_some_and(|http| http.commands),
            watches: urls().filter(|url| !is_remote(url) && !is_program(url)).cloned().collect(),
            starts: urls().filter(|url| is_program(url)).map(|url| shown(url)).collect(),
            writes,
            seal: Seal::new(settings, config),
        }
    }
}

impl Hides {
    fn new(settings: &Settings) -> Self {
        let words = |prompts: &Prompts| match prompts {
            Prompts::List(list) => vec![list.trim().to_owned()],
            Prompts::Each(each) => each.clone(),
        };
        let blurred =
            |prompts: &Prompts| Blurred { words: words(prompts), threshold: settings.blur_threshold };
        let sources = settings.source.iter().zip(names(&settings.source)).enumerate();
        let masks =
            sources.map(|(index, (_, source))| Masked { source, areas: settings.masks(index).count() });
        Self { blur: settings.blur.as_ref().map(blurred), masks: masks.collect() }
    }
}

/// The broker of MQTT.
fn broker(settings: &Settings) -> Option<Connection> {
    let MqttAddress { host, port, is_name, shown, .. } = MqttAddress::of(settings.mqtt.as_ref()?).ok()?;
    Some(Connection { source: shown, host, port, looks_up: is_name })
}

/// Those who are notified.
fn notified(settings: &Settings) -> impl Iterator<Item = Connection> {
    settings.notify.iter().filter_map(|rule| {
        let NotifyAddress { host, port, is_name, shown, .. } = NotifyAddress::of(rule).ok()?;
        Some(Connection { source: shown, host, port, looks_up: is_name })
    })
}

/// The server.
fn listens(settings: &Settings) -> Option<Listens> {
    let http = settings.http.as_ref()?;
    let address = HttpAddress::of(http).ok()?;
    Some(Listens {
        address: http.listen.clone(),
        port: address.port(),
        local: address.is_local(),
        token: http.token_file.is_some(),
        tls: http.certificate.is_some(),
        pictures: http.pictures,
        commands: http.commands,
    })
}

impl Seal {
    fn new(settings: &Settings, config: Option<&Path>) -> Self {
        let kernel = Kernel::present();
        let files: Vec<_> = config.map(Path::to_owned).into_iter().collect();
        let grants = grants(settings, &files);
        let of = |rights: &[Right]| {
            let fitting = grants.iter().filter(|grant| rights.contains(&grant.right));
            fitting.map(|grant| grant.path.display().to_string()).collect::<Vec<_>>()
        };
        Self {
            on: settings.seal,
            seccomp: kernel.filters,
            landlock: kernel.landlock,
            not_enforced: kernel.gaps(),
            reads: of(&[Right::Read]),
            writes: of(&[Right::Append, Right::Write]),
            devices: of(&[Right::Use]),
        }
    }
}

/// What is written, in the order of the settings.
fn outputs(settings: &Settings) -> Vec<Output> {
    let lines = if settings.events_only { "events" } else { "what is seen in each frame, and events" };
    let records = |setting, to: String, form: &str, kept: &str| Output {
        setting,
        to,
        pictures: false,
        what: format!("{lines}, as {form}"),
        kept: kept.to_owned(),
    };
    let pictures = |setting, to: &Path, what: &str, kept: String| Output {
        setting,
        to: to.display().to_string(),
        pictures: true,
        what: what.to_owned(),
        kept,
    };
    let reader = "as long as whoever reads it keeps it";
    let mut outputs = Vec::new();
    let stdout = || "standard output".to_owned();
    match settings.format {
        Format::Jsonl => outputs.push(records("format", stdout(), "JSON Lines", reader)),
        Format::Csv => outputs.push(records("format", stdout(), "CSV", reader)),
        Format::Mjpeg => {
            let what = "every frame, annotated";
            outputs.push(pictures("format", Path::new("standard output"), what, reader.to_owned()));
        }
        Format::None => {}
    }
    if let Some(file) = &settings.csv {
        let kept = "without limit: edgeclip deletes nothing of it";
        outputs.push(records("csv", file.display().to_string(), "CSV", kept));
    }
    let free = settings.keep_free;
    if let Some(folder) = &settings.annotate {
        let kept = format!(
            "the newest {}, fewer where less than {free} % of the disk is free",
            settings.annotate_max
        );
        outputs.push(pictures("annotate", folder, "frames, annotated", kept));
    }
    if let Some(file) = &settings.mjpeg {
        let kept = "without limit in a file, not at all in a pipe".to_owned();
        outputs.push(pictures("mjpeg", file, "every frame, annotated", kept));
    }
    if let Some(device) = &settings.framebuffer {
        let kept = "until the next frame".to_owned();
        outputs.push(pictures("framebuffer", device, "every frame, annotated, on a screen", kept));
    }
    if let Some(folder) = &settings.snapshot {
        let plain = if settings.snapshot_plain { ", and without annotations as well" } else { "" };
        let what = format!("the frame of an event, at most {} a minute{plain}", settings.snapshot_per_minute);
        let kept = format!(
            "the newest {} MB, less where less than {free} % of the disk is free",
            settings.snapshot_mb
        );
        outputs.push(pictures("snapshot", folder, &what, kept));
    }
    if let Some(folder) = &settings.history {
        outputs.push(Output {
            setting: "history",
            to: folder.display().to_string(),
            pictures: false,
            what: "when and where each thing was seen, and vectors that tell what it looks like".to_owned(),
            kept: format!(
                "{} days, the newest {} MB; `edgeclip search --forget` deletes earlier",
                settings.history_days, settings.history_mb
            ),
        });
    }
    if let Some(mqtt) = &settings.mqtt {
        let to = shown_address(&mqtt.url);
        let kept = "as long as the broker and those who listen keep it".to_owned();
        let pictures = if mqtt.pictures { ", and pictures of what appears, annotated" } else { "" };
        let what = format!("counts, states, events{pictures}");
        outputs.push(Output { setting: "mqtt", to, pictures: mqtt.pictures, what, kept });
    }
    if let Some((mqtt, folder)) = settings.mqtt.as_ref().and_then(|mqtt| Some((mqtt, mqtt.spool.as_ref()?))) {
        outputs.push(Output {
            setting: "mqtt.spool",
            to: folder.display().to_string(),
            pictures: false,
            what: "events that the broker has not taken yet".to_owned(),
            kept: format!("until it takes them; the newest {} MB", mqtt.spool_mb),
        });
    }
    for rule in &settings.notify {
        let events: Vec<&str> = rule.when.iter().map(|kind| kind.name()).collect();
        let picture = if rule.pictures { ", with the picture, annotated" } else { "" };
        outputs.push(Output {
            setting: "notify",
            to: NotifyAddress::of(rule).map_or_else(|_| rule.by.name().to_owned(), |address| address.shown),
            pictures: rule.pictures,
            what: format!("messages by {}: {}{picture}", rule.by.name(), events.join(", ")),
            kept: "as long as whoever gets them keeps them".to_owned(),
        });
    }
    if let Some(http) = &settings.http {
        let pictures = if http.pictures { ", live pictures, and pictures of what happens" } else { "" };
        outputs.push(Output {
            setting: "http",
            to: http.listen.clone(),
            pictures: http.pictures,
            what: format!("what is seen, events{pictures}, to whoever asks"),
            kept: "the last 1000 events in memory, as long as it runs".to_owned(),
        });
    }
    if settings.http.as_ref().is_some_and(|http| http.save) {
        outputs.push(Output {
            setting: "http.save",
            to: "the folders of the configuration and the vocabulary".to_owned(),
            pictures: false,
            what: "changes that somebody has asked for, and vectors of what was shown".to_owned(),
            kept: "until somebody changes it; what was there before, beside it".to_owned(),
        });
    }
    if settings.source.iter().any(|source| source.follow)
        && let Some(folder) = followed_state()
    {
        outputs.push(Output {
            setting: "follow",
            to: folder.display().to_string(),
            pictures: false,
            what: "the name of the file that is being read".to_owned(),
            kept: "until edgeclip ends; if it is killed meanwhile, until the file changes".to_owned(),
        });
    }
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SourceSettings;

    #[test]
    fn what_leaves_and_to_whom_it_connects_is_told_without_secrets() {
        let source = |url: &str| SourceSettings { url: url.to_owned(), ..SourceSettings::default() };
        let settings = Settings {
            source: vec![source("rtsp://admin:secret@192.168.1.20/x?key=secret"), source("/dev/video0")],
            events_only: true,
            ..Settings::default()
        };
        let report = Report::new(&settings, None);
        let text = serde_json::to_string(&report).unwrap();
        assert!(!text.contains("secret"), "{text}");
        assert!(!report.pictures_leave && !report.seal.on);
        let [connection] = &report.connects[..] else { panic!("{text}") };
        let found = (connection.host.as_str(), connection.port, connection.looks_up);
        assert_eq!(
            (connection.source.as_str(), found),
            ("rtsp://192.168.1.20/x", ("192.168.1.20", 554, false))
        );
        assert_eq!(report.watches, ["/dev/video0"]);
        assert!(report.starts.is_empty());
        assert_eq!(report.seal.devices, ["/dev"]);
        assert_eq!(report.writes[0].what, "events, as JSON Lines");
    }

    #[test]
    fn programs_are_told_without_what_is_secret_in_their_arguments() {
        let url = "exec:ffmpeg -i rtsps://u:secret@cam/x?key=secret -f yuv4mpegpipe -".to_owned();
        let source = vec![SourceSettings { url, ..SourceSettings::default() }];
        let report = Report::new(&Settings { source, ..Settings::default() }, None);
        assert_eq!(report.starts, ["exec:ffmpeg rtsps://cam/x"]);
        assert!(report.connects.is_empty() && report.watches.is_empty());
    }

    #[cfg(feature = "mqtt")]
    #[test]
    fn a_broker_is_told_without_its_password() {
        let mut mqtt = crate::config::Mqtt { url: "mqtts://me:secret@hub".to_owned(), ..Default::default() };
        mqtt.spool = Some("spool".into());
        let settings = Settings { mqtt: Some(mqtt.clone()), format: Format::None, ..Settings::default() };
        let report = Report::new(&settings, None);
        assert!(!serde_json::to_string(&report).unwrap().contains("secret"));
        let [Connection { host, port: 8883, looks_up: true, .. }] = &report.connects[..] else { panic!() };
        assert_eq!((host.as_str(), report.commanded, report.pictures_leave), ("hub", true, false));
        let settings_of: Vec<&str> = report.writes.iter().map(|output| output.setting).collect();
        assert_eq!(settings_of, ["mqtt", "mqtt.spool"]);
        mqtt.pictures = true;
        let settings = Settings { mqtt: Some(mqtt), ..settings };
        assert!(Report::new(&settings, None).pictures_leave);
    }

    #[cfg(feature = "notify")]
    #[test]
    fn who_is_notified_is_told_without_what_is_secret() {
        let rule = crate::config::Notify {
            url: Some("https://u:secret@ntfy.example/topic?auth=secret".to_owned()),
            pictures: true,
            ..crate::config::Notify::default()
        };
        let settings = Settings { notify: vec![rule], format: Format::None, ..Settings::default() };
        let report = Report::new(&settings, None);
        assert!(!serde_json::to_string(&report).unwrap().contains("secret"));
        let [Connection { source, port: 443, looks_up: true, .. }] = &report.connects[..] else { panic!() };
        assert_eq!((source.as_str(), report.pictures_leave), ("https://ntfy.example/topic", true));
        assert_eq!(
            report.writes[0].what,
            "messages by webhook: appear, enter, cross, state, with the picture, annotated"
        );
    }

    #[test]
    fn every_output_with_pictures_counts() {
        let none = || Settings { format: Format::None, ..Settings::default() };
        assert!(outputs(&none()).is_empty());
        for settings in [
            Settings { format: Format::Mjpeg, ..none() },
            Settings { annotate: Some("a".into()), ..none() },
            Settings { mjpeg: Some("b".into()), ..none() },
            Settings { framebuffer: Some("/dev/fb0".into()), ..none() },
            Settings { snapshot: Some("c".into()), ..none() },
            Settings {
                http: Some(crate::config::Http { pictures: true, ..crate::config::Http::default() }),
                ..none()
            },
        ] {
            assert!(Report::new(&settings, None).pictures_leave, "{settings:?}");
        }
        let settings = Settings { csv: Some("log.csv".into()), ..Settings::default() };
        let found = outputs(&settings);
        assert_eq!(found.iter().map(|output| output.setting).collect::<Vec<_>>(), ["format", "csv"]);
        assert!(!Report::new(&settings, None).pictures_leave);
    }
}
