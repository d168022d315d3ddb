//! The flags of `edgeclip run`, each a setting of the configuration file by the same name.

use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use super::super::masks::mask;
use super::assign;
use crate::error::{Error, Result};

/// Flags for top-level settings. They override the file.
#[derive(clap::Args, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) struct Flags {
    /// What to look for: a comma list, or @FILE with one prompt per line; `name = prompt` prints another name
    #[arg(long, value_name = "LIST|@FILE", help_heading = "What to look for")]
    prompt: Option<String>,
    /// What to look for: a file made by `edgeclip vocab build`, which is quicker to load
    #[arg(long, value_name = "FILE", help_heading = "What to look for")]
    vocab: Option<PathBuf>,
    /// Lowest score to report, 0 to 1, for all labels [default: the label's own, else the model's]
    #[arg(long, value_name = "SCORE", help_heading = "What to look for")]
    threshold: Option<f64>,
    /// The same for tags of the whole picture, in place of --threshold
    #[arg(long, value_name = "SCORE", help_heading = "What to look for")]
    tag_threshold: Option<f64>,
    /// What to pixelate in every picture: a comma list, or @FILE; words that are not among the prompts are looked
    /// for without being reported
    #[arg(long, value_name = "LIST|@FILE", help_heading = "Output")]
    blur: Option<String>,
    /// Lowest score of what is pixelated, 0 to 1 [default: 0.1]
    #[arg(long, value_name = "SCORE", help_heading = "Output")]
    blur_threshold: Option<f64>,
    /// Folder of a model bundle; the model inside the program if not given
    #[arg(long, value_name = "DIR", help_heading = "What to look for")]
    model: Option<PathBuf>,
    /// Threads of the vision network [default: as many as physical cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Rates")]
    threads: Option<u16>,
    /// Most megabytes that a picture may take while it is decoded; larger JPEGs are decoded at a part of their size,
    /// other pictures refused [default: half of the available memory, 16 to 400]
    #[arg(long, value_name = "N", help_heading = "Sources")]
    max_picture_mb: Option<i64>,
    /// Looks per second at each source, or auto: as many as the machine can [default: auto]
    #[arg(long, value_name = "N|auto", help_heading = "Rates")]
    #[serde(serialize_with = "fps")]
    fps: Option<String>,
    /// Send frames between two looks to the outputs as well, with predicted tracks
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Rates")]
    every_frame: Option<bool>,
    /// Skip frames in which nothing has moved since the last look
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Rates")]
    skip_still: Option<bool>,
    /// Degrees Celsius above which the rate is lowered [default: 75]
    #[arg(long, value_name = "N", help_heading = "Rates")]
    max_celsius: Option<f64>,
    /// End after this many looks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..), help_heading = "Rates")]
    frames: Option<i64>,
    /// What goes to standard output: jsonl, csv, mjpeg or none [default: jsonl]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    format: Option<String>,
    /// Events only, no line per frame
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Output")]
    events_only: Option<bool>,
    /// Seconds between two lines of status on standard output; 0 for none [default: 0]
    #[arg(long, value_name = "SECONDS", help_heading = "Output")]
    status: Option<f64>,
    /// File for comma-separated values
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    csv: Option<PathBuf>,
    /// Folder for annotated frames
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    annotate: Option<PathBuf>,
    /// Most files in that folder; the oldest are deleted [default: 1000]
    #[arg(long, value_name = "N", help_heading = "Output")]
    annotate_max: Option<i64>,
    /// File or FIFO for annotated frames as Motion JPEG
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    mjpeg: Option<PathBuf>,
    /// Framebuffer for annotated frames, such as /dev/fb0
    #[arg(long, value_name = "DEVICE", help_heading = "Output")]
    framebuffer: Option<PathBuf>,
    /// Folder for pictures of events
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    snapshot: Option<PathBuf>,
    /// Most megabytes in that folder; the oldest snapshots are deleted [default: 500]
    #[arg(long, value_name = "N", help_heading = "Output")]
    snapshot_mb: Option<i64>,
    /// Keep the frame without annotations as well
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Output")]
    snapshot_plain: Option<bool>,
    /// Most snapshots per minute [default: 60]
    #[arg(long, value_name = "N", help_heading = "Output")]
    snapshot_per_minute: Option<i64>,
    /// Kinds of events to keep a picture of [default: appear,enter,cross,state]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    snapshot_events: Option<Vec<String>>,
    /// Folder for what every track looks like, which `edgeclip search` searches: vectors, no pixels
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    history: Option<PathBuf>,
    /// Most days before today that it goes back; older ones are deleted [default: 365]
    #[arg(long, value_name = "N", help_heading = "Output")]
    history_days: Option<i64>,
    /// Most megabytes in that folder; the oldest days are deleted [default: 500]
    #[arg(long, value_name = "N", help_heading = "Output")]
    history_mb: Option<i64>,
    /// Per cent of the disk that annotated frames, snapshots and the history leave free, by deleting the oldest [default: 5]
    #[arg(long, value_name = "N", help_heading = "Output")]
    keep_free: Option<i64>,
    /// Replace files for CSV and Motion JPEG that edgeclip did not write
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Output")]
    force: Option<bool>,
    /// Give up, once everything is open, whatever the settings do not need: other files, connections, programs
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Privacy")]
    seal: Option<bool>,
    /// Which boxes pictures and tables show: tracks, or detections of each frame [default: tracks]
    #[arg(long, value_name = "BOXES", help_heading = "Output")]
    show: Option<String>,
    /// Draw the path of each track over the last seconds [default: true]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Output")]
    trails: Option<bool>,
}

/// Flags that describe sources.
#[derive(clap::Args, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) struct SourceFlags {
    /// A camera such as /dev/video0, a file, folder or pattern, rtsp://…, http://…, https://…, exec: and a program
    /// that writes frames, or - for standard input; may be repeated
    #[arg(long, value_name = "SOURCE", help_heading = "Sources")]
    #[serde(skip)]
    source: Vec<String>,
    /// Pixel format of a camera (FOURCC) or of raw frames [default: the cheapest that the camera has in this
    /// size]
    #[arg(long, value_name = "FORMAT", help_heading = "Sources")]
    pixel_format: Option<String>,
    /// Size of the pictures; of a camera, the nearest it has [default: 640x480]
    #[arg(long, value_name = "WxH", help_heading = "Sources")]
    size: Option<String>,
    /// Bytes from row to row of raw frames [default: without padding]
    #[arg(long, value_name = "BYTES", help_heading = "Sources")]
    stride: Option<i64>,
    /// Frames per second of a camera; the nearest it has [default: as it is set]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=1000), help_heading = "Sources")]
    camera_fps: Option<i64>,
    /// Wait for new files in a folder
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Sources")]
    follow: Option<bool>,
    /// Start over at the end of a recording
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Sources")]
    repeat: Option<bool>,
    /// Play a recording at its own rate
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL", help_heading = "Sources")]
    real_time: Option<bool>,
    /// Seconds without a frame after which a camera is started or connected anew [default: 10; 5 for a camera of
    /// this machine]
    #[arg(long, value_name = "N", help_heading = "Sources")]
    stall_seconds: Option<i64>,
    /// File of certificates (PEM) that vouch for an https:// camera, its own among them [default: the system's]
    #[arg(long, value_name = "FILE", help_heading = "Sources")]
    ca: Option<PathBuf>,
    /// Set a camera's control, for example exposure_time_absolute=200; may be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Sources")]
    #[serde(skip)]
    control: Vec<String>,
}

/// Flags for simple zones and lines, and for every other setting.
#[derive(clap::Args)]
pub(crate) struct PlaceFlags {
    /// A zone: NAME=x0,y0,x1,y1 in fractions of the picture, 0 to 1; may be repeated
    #[arg(long, value_name = "NAME=BOX", help_heading = "Events")]
    zone: Vec<String>,
    /// A line that things cross: NAME=x0,y0,x1,y1 from its first point to its second; may be repeated
    #[arg(long, value_name = "NAME=LINE", help_heading = "Events")]
    line: Vec<String>,
    /// An area that is black before anything looks at it: [NAME=]x0,y0,x1,y1 in fractions of the picture, 0 to 1,
    /// or the corners x,y,x,y,x,y… of a polygon; may be repeated
    #[arg(long, value_name = "AREA", help_heading = "Sources")]
    mask: Vec<String>,
    /// A broker to which results go and from which commands come: mqtt://[user:password@]host[:port], or mqtts://…
    #[arg(long, value_name = "URL", help_heading = "Output")]
    mqtt: Option<String>,
    /// Serve browsers and programs at this address, such as 127.0.0.1:8080; beyond this machine, it takes a token and a
    /// certificate
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Output")]
    http: Option<String>,
    /// Any setting, for example track.confirm_hits=5; may be repeated
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Configuration")]
    set: Vec<String>,
}

/// Puts what the flags say into the table of the configuration file.
///
/// # Errors
/// [`Error::Settings`] for a flag that cannot be parsed. Ranges are checked later, with those of the file.
pub(crate) fn apply(
    table: &mut Table,
    flags: &Flags,
    source: &SourceFlags,
    places: &PlaceFlags,
) -> Result<()> {
    let flags = to_table(flags)?;
    if flags.contains_key("prompt") {
        table.remove("vocab");
    }
    if flags.contains_key("vocab") {
        table.remove("prompt");
    }
    table.extend(flags);
    apply_source(table, source)?;
    for (key, items) in [("zone", &places.zone), ("line", &places.line)] {
        if !items.is_empty() {
            let items: Result<Vec<Value>> = items.iter().map(|item| place(key, item)).collect();
            table.insert(key.to_owned(), Value::Array(items?));
        }
    }
    if !places.mask.is_empty() {
        let masks = places.mask.iter().map(|text| {
            let refuse = |error: toml::ser::Error| Error::settings("--mask", error.to_string(), "numbers");
            Value::try_from(mask(text)?).map_err(refuse)
        });
        table.insert("mask".to_owned(), Value::Array(masks.collect::<Result<_>>()?));
    }
    for (section, key, value) in [("mqtt", "url", &places.mqtt), ("http", "listen", &places.http)] {
        let Some(value) = value else { continue };
        let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Some(section) = section.as_table_mut() {
            section.insert(key.to_owned(), value.as_str().into());
        }
    }
    places.set.iter().try_for_each(|assignment| assign(table, assignment))
}

/// `--source` replaces the file's sources; the other flags apply to all of them.
fn apply_source(table: &mut Table, flags: &SourceFlags) -> Result<()> {
    let mut common = to_table(flags)?;
    let mut controls = Table::new();
    for control in &flags.control {
        let Some((name, value)) = control.split_once('=') else {
            return Err(Error::settings("--control", control, "NAME=VALUE, for example brightness=60"));
        };
        let number = value.trim().parse().map(Value::Integer);
        controls.insert(name.trim().to_owned(), number.unwrap_or_else(|_| value.trim().into()));
    }
    if !controls.is_empty() {
        common.insert("control".to_owned(), Value::Table(controls));
    }
    if !flags.source.is_empty() {
        let sources = flags
            .source
            .iter()
            .map(|url| Value::Table(Table::from_iter([("url".to_owned(), url.as_str().into())])));
        table.insert("source".to_owned(), Value::Array(sources.collect()));
    }
    match table.get_mut("source") {
        Some(Value::Array(sources)) => {
            for source in sources.iter_mut().filter_map(Value::as_table_mut) {
                source.extend(common.clone());
            }
        }
        _ if common.is_empty() => {}
        _ => {
            let name = common.keys().next().map_or("run", String::as_str).replace('_', "-");
            return Err(Error::settings(
                format!("--{name}"),
                "no source that it is for",
                "--source, for example /dev/video0",
            ));
        }
    }
    Ok(())
}

/// `gate=0.1,0.2,0.5,0.9`
fn place(key: &str, item: &str) -> Result<Value> {
    let numbers =
        |text: &str| text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<Vec<f64>>>();
    let parsed = item.rsplit_once('=').and_then(|(name, text)| Some((name.trim(), numbers(text)?)));
    let Some((name, [x0, y0, x1, y1])) = parsed
        .as_ref()
        .and_then(|(name, n)| Some((name, n.first_chunk::<4>()?)))
        .filter(|_| parsed.as_ref().is_some_and(|(_, numbers)| numbers.len() == 4))
    else {
        return Err(Error::settings(
            format!("--{key}"),
            item,
            "NAME=x0,y0,x1,y1 in fractions of the picture, 0 to 1",
        ));
    };
    let point = |x: f64, y: f64| Value::Array(vec![x.into(), y.into()]);
    let mut table = Table::from_iter([("name".to_owned(), Value::from(*name))]);
    if key == "zone" {
        table.insert("box".to_owned(), Value::Array([x0, y0, x1, y1].map(|v| (*v).into()).to_vec()));
    } else {
        table.insert("from".to_owned(), point(*x0, *y0));
        table.insert("to".to_owned(), point(*x1, *y1));
    }
    Ok(Value::Table(table))
}

fn to_table(flags: &impl Serialize) -> Result<Table> {
    Table::try_from(flags)
        .map_err(|error| Error::settings("flags", error.to_string(), "values that TOML can hold"))
}

/// A number as a number, anything else as it is: the setting says what it may be.
#[expect(clippy::ref_option, reason = "serde's signature")]
fn fps<S: serde::Serializer>(fps: &Option<String>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match fps.as_deref().map(|text| text.parse::<f64>().map_err(|_| text)) {
        Some(Ok(number)) => serializer.serialize_some(&number),
        Some(Err(text)) => serializer.serialize_some(text),
        None => serializer.serialize_none(),
    }
}

/// The configuration file with all flags applied.
///
/// # Errors
/// Same as [`crate::config::read`] and [`apply`].
pub(crate) fn table(
    file: Option<&Path>,
    flags: &Flags,
    source: &SourceFlags,
    places: &PlaceFlags,
) -> Result<Table> {
    let mut table = file.map_or_else(|| Ok(Table::new()), crate::config::read)?;
    apply(&mut table, flags, source, places)?;
    Ok(table)
}
