//! Programs that write frames to their standard output: `exec:ffmpeg -i rtsps://camera/stream -f yuv4mpegpipe -`.
//! Whatever they write is read as standard input would be; they are started again when they end or fall silent.

mod command;
mod last_words;

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdout, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::container::NOTHING;
use super::live::{CapturedFrame, Live, Next};
use super::network::{Patience, seconds};
use super::options::SourceOptions;
use super::retry::Retry;
use super::stdin::Pipe;
use crate::error::{Error, Result};
use crate::system::Program;
use command::{Command, line};
use last_words::LastWords;

/// Longest sleep within one call.
const POLL: Duration = Duration::from_millis(200);
/// What such a program is for.
const EXPECTED: &str = "a program that goes on writing Motion JPEG, Y4M, or raw pixels with a pixel format and a size to its \
     standard output";

/// Whether `spec` names a program.
pub(crate) fn is_program(spec: &str) -> bool {
    line(spec).is_some()
}

/// What messages call the program that `spec` names; `None` if it is another kind of source.
pub(super) fn shown(spec: &str) -> Option<String> {
    line(spec).map(command::shown)
}

/// Sees to it that `spec`, which names a program, can be understood.
///
/// # Errors
/// [`Error::Settings`] if it cannot.
pub(super) fn check(spec: &str) -> Result<()> {
    Command::parse(line(spec).unwrap_or_default()).map(drop)
}

/// Makes a pipe of what a program of this name writes.
pub(super) type Reader = fn(String, ChildStdout, SourceOptions) -> Result<Pipe>;

/// Starts the program that `spec` names, and waits for its first frame. Later, it is started again whenever it
/// ends or brings no frame for as long as the options say, after 1, 2, 4, 5, 5 … s.
///
/// # Errors
/// [`Error::Device`] if there is no such program, or it brings no frame; [`Error::Settings`] if `spec` cannot be
/// understood.
pub(super) fn open(spec: &str, options: &SourceOptions, reader: Reader) -> Result<Box<dyn Live>> {
    let command = Command::parse(line(spec).unwrap_or_default())?;
    let mut source = Exec {
        command,
        options: options.clone(),
        reader,
        running: None,
        first: None,
        retry: Retry::default(),
        number: 0,
        reported: None,
    };
    source.running = Some(source.start()?);
    source.await_first(Patience::default().connect.max(options.stall.unwrap_or_default()))?;
    Ok(Box::new(source))
}

/// A source that is a program.
struct Exec {
    command: Command,
    options: SourceOptions,
    reader: Reader,
    running: Option<Running>,
    /// What came while it was opened.
    first: Option<CapturedFrame>,
    retry: Retry,
    /// Number of the next frame, whichever program brings it.
    number: u64,
    /// What was told last, until a frame comes.
    reported: Option<String>,
}

/// A program that runs.
struct Running {
    program: Program,
    pipe: Pipe,
    words: LastWords,
}

impl Exec {
    fn start(&self) -> Result<Running> {
        let Command { program, arguments, name } = &self.command;
        let refused = |found: String| Error::device(name, found, EXPECTED);
        let (program, output, errors) =
            Program::start(program, arguments).map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    let found = format!("no program {program}");
                    Error::device(name, found, "one that is installed, by its name or its path")
                }
                _ => refused(format!("a program that cannot be started ({error})")),
            })?;
        let (Some(output), Some(errors)) = (output, errors) else {
            return Err(refused("no pipes".to_owned()));
        };
        let words = LastWords::of(name, errors)?;
        let pipe = (self.reader)(name.clone(), output, self.options.clone())?;
        Ok(Running { program, pipe, words })
    }

    fn await_first(&mut self, patience: Duration) -> Result<()> {
        let until = Instant::now() + patience;
        let mut frame = CapturedFrame::empty();
        loop {
            match self.read(&mut frame) {
                Ok(Next::Frame) => {
                    self.first = Some(frame);
                    return Ok(());
                }
                Ok(_) if Instant::now() < until => {}
                Ok(_) => {
                    let found = format!("no frame within {}", seconds(patience));
                    return Err(Error::device(&self.command.name, self.with_last_words(found), EXPECTED));
                }
                Err(why) => return Err(Error::device(&self.command.name, why, EXPECTED)),
            }
        }
    }

    /// What the program brings next.
    ///
    /// # Errors
    /// Why it brings nothing any more: it has been ended.
    fn read(&mut self, frame: &mut CapturedFrame) -> std::result::Result<Next, String> {
        let Some(running) = &mut self.running else { return Ok(Next::Nothing) };
        match running.pipe.next(frame) {
            Ok(Next::Stalled(why)) => Err(self.with_last_words(why)),
            Ok(Next::End) => Err(self.death(None)),
            // What it has started may hold its output open.
            Ok(Next::Nothing) if running.program.has_ended() => Err(self.death(None)),
            Ok(next) => Ok(next),
            Err(error) => Err(self.death(Some(&error))),
        }
    }

    /// Ends the program, whose output is at its end or makes no sense: why that is.
    fn death(&mut self, error: Option<&Error>) -> String {
        let Some(running) = &mut self.running else { return "no program".to_owned() };
        let ended = running.program.end();
        let program = self.command.program.rsplit('/').next().unwrap_or_default();
        let contents = error.and_then(|error| error.found().zip(error.expected()));
        match contents {
            // It had no fault of its own.
            Some((found, expected))
                if found != NOTHING && ended.and_then(|ended| ended.code()).is_none_or(|code| code == 0) =>
            {
                format!("{found} from {program}, expected {expected}")
            }
            _ => with(format!("{program} has ended ({})", how(ended)), running.words.at_the_end()),
        }
    }

    fn with_last_words(&self, why: String) -> String {
        with(why, self.running.as_ref().and_then(|running| running.words.last()))
    }

    /// Starts the program again if it is time to.
    fn restart(&mut self) -> std::result::Result<Next, String> {
        let remaining = self.retry.remaining();
        if !remaining.is_zero() {
            thread::sleep(remaining.min(POLL));
            return Ok(Next::Nothing);
        }
        let started =
            self.start().map_err(|error| error.found().map_or_else(|| error.to_string(), str::to_owned))?;
        self.running = Some(started);
        Ok(Next::Nothing)
    }
}

/// A reason, and what the program has said.
fn with(why: String, words: Option<String>) -> String {
    match words {
        Some(words) => format!("{why}: {words}"),
        None => why,
    }
}

/// How a program has ended.
fn how(ended: Option<ExitStatus>) -> String {
    match ended.map(|ended| (ended.code(), ended.signal())) {
        Some((Some(code), _)) => format!("exit code {code}"),
        Some((_, Some(signal))) => format!("signal {signal}"),
        _ => "nobody knows how".to_owned(),
    }
}

impl Live for Exec {
    fn name(&self) -> &str {
        &self.command.name
    }

    /// A program goes on whether or not somebody looks, as a camera does.
    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        let next = match self.first.take() {
            Some(first) => {
                *frame = first;
                Ok(Next::Frame)
            }
            None if self.running.is_some() => self.read(frame),
            None => self.restart(),
        };
        match next {
            Ok(Next::Frame) => {
                // Each program counts from 0, and times of its own mean nothing after a restart.
                (frame.number, frame.media_time) = (self.number, None);
                self.number += 1;
                self.retry.succeeded();
                self.reported = None;
                Ok(Next::Frame)
            }
            Ok(next) => Ok(next),
            Err(why) => {
                self.running = None;
                self.retry.failed();
                if self.reported.as_ref() == Some(&why) {
                    return Ok(Next::Nothing);
                }
                self.reported = Some(why.clone());
                Ok(Next::Stalled(format!("{why}; it is started again")))
            }
        }
    }
}

#[cfg(test)]
mod tests;
