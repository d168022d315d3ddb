//! Choices that a watcher is made with.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::session::{Own, Session};
use super::{StopHandle, Watcher};
use crate::config::{parse, read, resolve};
use crate::error::{Error, Result};
use crate::sinks::{PictureSink, Sink};
use crate::source::{Live, apart};

/// Makes a [`Watcher`]; [`Watcher::builder`] starts one. Values are checked by [`WatcherBuilder::build`].
#[derive(Default)]
#[must_use = "`build` makes the watcher"]
pub struct WatcherBuilder {
    config: Table,
    /// What the methods say, with the keys of the configuration.
    own_keys: Table,
    urls: Vec<String>,
    own: Own,
    decoder_program: Option<PathBuf>,
    /// Why the configuration cannot be used.
    error: Option<Error>,
}

impl WatcherBuilder {
    /// Watches a device such as `/dev/video0`, a file, folder or pattern, `rtsp://…`, `http://…`, or `-` for
    /// standard input, as `edgeclip run --source` does. May be repeated.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.urls.push(source.into());
        self
    }

    /// Watches a source of your own; see `examples/own_source.rs`. May be repeated. Zones and lines are those
    /// shared by all sources.
    ///
    /// ```no_run
    /// use edgeclip::{CapturedFrame, Encoding, Live, Next, PixelFormat, Result, Watcher};
    ///
    /// /// A screen that is always grey.
    /// struct Screen(u64);
    ///
    /// impl Live for Screen {
    ///     fn name(&self) -> &str {
    ///         "screen"
    ///     }
    ///
    ///     fn waits(&self) -> bool {
    ///         true
    ///     }
    ///
    ///     fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
    ///         let encoding = Encoding::Raw { width: 64, height: 48, stride: 64, format: PixelFormat::Grey8 };
    ///         frame.fill(&[128; 64 * 48], encoding, self.0);
    ///         self.0 += 1;
    ///         Ok(Next::Frame)
    ///     }
    /// }
    ///
    /// let builder = Watcher::builder().own_source(Screen(0)).prompts(["cat"]);
    /// ```
    pub fn own_source(mut self, source: impl Live + 'static) -> Self {
        self.own.sources.push(Box::new(source));
        self
    }

    /// Gives every report to a sink of your own, on a thread of its own. May be repeated.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.own.sinks.reports.push(Box::new(sink));
        self
    }

    /// Gives every report and its frame's pixels to a sink of your own, on a thread of its own. May be repeated.
    pub fn picture_sink(mut self, sink: impl PictureSink + 'static) -> Self {
        self.own.sinks.pictures.push(Box::new(sink));
        self
    }

    /// What to look for: each item is a prompt, or `name = prompt` if another name shall be reported.
    pub fn prompts<I>(self, prompts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let prompts = prompts.into_iter().map(|prompt| prompt.as_ref().into()).collect();
        self.key("prompt", Value::Array(prompts))
    }

    /// What to look for: a file of `edgeclip vocab build`.
    pub fn vocabulary(self, file: impl AsRef<Path>) -> Self {
        self.path("vocab", file.as_ref())
    }

    /// Lowest score to report, 0 to 1, for all labels; by default, the label's own, else the model's.
    pub fn threshold(self, threshold: f32) -> Self {
        self.key("threshold", f64::from(threshold).into())
    }

    /// The same for tags of the whole picture, in place of [`WatcherBuilder::threshold`].
    pub fn tag_threshold(self, threshold: f32) -> Self {
        self.key("tag_threshold", f64::from(threshold).into())
    }

    /// Looks per second at each source, 0.01 to 1000; by default, as many as the machine can.
    pub fn fps(self, fps: f32) -> Self {
        self.key("fps", f64::from(fps).into())
    }

    /// Folder of a model bundle; by default, the model inside the library.
    pub fn model(self, folder: impl AsRef<Path>) -> Self {
        self.path("model", folder.as_ref())
    }

    /// Threads of the vision network, 1 to 256; by default, one per physical core.
    pub fn threads(self, threads: u16) -> Self {
        self.key("threads", i64::from(threads).into())
    }

    /// Reads network sources and decodes pictures in processes of their own, as `edgeclip run` does: this program
    /// `edgeclip`, which must be of the library's version, is started for each. Without it, the thread that captures
    /// reads them: what a camera sends without end is then bounded in time, but over RTSP not in bytes. It is the
    /// same program for all watchers of a process.
    ///
    /// ```no_run
    /// # use edgeclip::Watcher;
    /// let builder = Watcher::builder()
    ///     .source("rtsp://192.168.1.20/stream2")
    ///     .prompts(["person"])
    ///     .decoder_program("/usr/bin/edgeclip");
    /// ```
    pub fn decoder_program(mut self, program: impl AsRef<Path>) -> Self {
        self.decoder_program = Some(program.as_ref().to_owned());
        self
    }

    /// Every other setting: the text of a configuration file of `edgeclip run`, whose keys
    /// `docs/configuration.md` explains. It replaces an earlier configuration; the methods above override it.
    /// Unlike `edgeclip run`, nothing goes to standard output unless `format` is set.
    ///
    /// ```no_run
    /// # use edgeclip::Watcher;
    /// let builder = Watcher::builder().source("/dev/video0").prompts(["person"]).config(
    ///     r#"
    ///     snapshot = "events"
    ///     line = [{ name = "door", from = [0.5, 0.0], to = [0.5, 1.0] }]
    ///     track.confirm_hits = 2
    ///     "#,
    /// );
    /// ```
    pub fn config(self, text: &str) -> Self {
        self.configured(parse("configuration", text))
    }

    /// The same from a file.
    pub fn config_file(self, file: impl AsRef<Path>) -> Self {
        self.configured(read(file.as_ref()))
    }

    fn configured(mut self, table: Result<Table>) -> Self {
        match table {
            Ok(table) => self.config = table,
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    fn key(mut self, key: &str, value: Value) -> Self {
        self.own_keys.insert(key.to_owned(), value);
        self
    }

    fn path(mut self, key: &str, path: &Path) -> Self {
        match path.to_str() {
            Some(text) => self.key(key, text.into()),
            None => {
                let found = format!("{}, which is not UTF-8", path.display());
                self.error.get_or_insert(Error::settings(key, found, "a path in UTF-8"));
                self
            }
        }
    }

    /// The configuration with what the methods say.
    fn table(&self) -> Table {
        let mut table = self.config.clone();
        table.entry("format").or_insert_with(|| "none".into());
        let given = |key: &str| self.own_keys.contains_key(key);
        if given("prompt") || given("vocab") {
            table.remove("prompt");
            table.remove("vocab");
        }
        table.extend(self.own_keys.clone());
        if !self.urls.is_empty() {
            let source =
                |url: &String| Value::Table(Table::from_iter([("url".to_owned(), url.clone().into())]));
            table.insert("source".to_owned(), Value::Array(self.urls.iter().map(source).collect()));
        }
        table
    }

    /// Opens sources and sinks, loads the model and starts to capture.
    ///
    /// # Errors
    /// [`Error::Settings`] for a setting that is unknown or out of range, or if there is no source or nothing
    /// to look for; [`Error::Input`], [`Error::Device`] if the only source or a sink cannot be opened;
    /// [`Error::Model`] for a broken bundle.
    pub fn build(mut self) -> Result<Watcher> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let settings = resolve(self.table())?;
        if settings.source.is_empty() && self.own.sources.is_empty() {
            return Err(Error::settings("source", "no source", "for example /dev/video0"));
        }
        if settings.seal {
            let expected = "false: it would be for the whole process, which is not edgeclip's";
            return Err(Error::settings("seal", "true", expected));
        }
        self.decoder_program.as_deref().map_or(Ok(()), apart::name)?;
        let stop = StopHandle::default();
        let (session, _) = Session::start(&settings, self.own, stop.flag())?;
        if let Some(warning) = session.warning() {
            tracing::warn!("{warning}");
        }
        Ok(Watcher { session, stop })
    }
}

impl fmt::Debug for WatcherBuilder {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sources, sinks) = (self.own.sources.iter(), &self.own.sinks);
        let names = sinks.reports.iter().map(|sink| sink.name());
        let names = names.chain(sinks.pictures.iter().map(|sink| sink.name()));
        to.debug_struct("WatcherBuilder")
            .field("settings", &self.table())
            .field("own_sources", &sources.map(|source| source.name()).collect::<Vec<_>>())
            .field("sinks", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
