//! What a program says before it dies.

use std::io::{BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{LONG, Result, printable, shown_addresses};
use crate::system::start_thread;

/// Most bytes of a line that are kept; of longer ones, the end.
const LONGEST: usize = LONG;

/// How long the last line may take to be read once the program has ended.
const PATIENCE: Duration = Duration::from_millis(500);

/// The last line that a program has written to standard error.
#[derive(Debug, Clone, Default)]
pub(super) struct LastWords(Arc<(Mutex<Heard>, Condvar)>);

#[derive(Debug, Default)]
struct Heard {
    line: String,
    /// Whether there will be no other.
    is_over: bool,
}

impl LastWords {
    /// Reads `errors` to its end in a thread of its own, so that the program never waits for a reader.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) if the system has no thread left.
    pub(super) fn of(name: &str, errors: impl Read + Send + 'static) -> Result<Self> {
        let words = Self::default();
        let (theirs, source) = (words.clone(), name.to_owned());
        start_thread("errors of a program", move || {
            theirs.read(&source, errors);
            theirs.change(|heard| heard.is_over = true);
        })?;
        Ok(words)
    }

    fn read(&self, source: &str, errors: impl Read) {
        let mut line = Vec::new();
        for byte in BufReader::new(errors).bytes() {
            match byte {
                // Progress is written over and over in one line.
                Ok(b'\n' | b'\r') => self.take(source, &mut line),
                Ok(byte) => {
                    if line.len() >= 2 * LONGEST {
                        line.drain(..LONGEST);
                    }
                    line.push(byte);
                }
                Err(_) => break,
            }
        }
        self.take(source, &mut line);
    }

    fn take(&self, source: &str, line: &mut Vec<u8>) {
        let start = line.len().saturating_sub(LONGEST);
        let text = String::from_utf8_lossy(line.get(start..).unwrap_or_default()).trim().to_owned();
        line.clear();
        if text.is_empty() {
            return;
        }
        let text = printable(&shown_addresses(&text), LONG);
        tracing::debug!("{source}: {text}");
        self.change(|heard| heard.line = text);
    }

    fn change(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    /// The last line so far, without what is secret in addresses; `None` if there is none.
    pub(super) fn last(&self) -> Option<String> {
        let heard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!heard.line.is_empty()).then(|| heard.line.clone())
    }

    /// The same of a program that has ended.
    pub(super) fn at_the_end(&self) -> Option<String> {
        let heard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever holds the pipe without belonging to the program is not waited for.
        let waited = self.0.1.wait_timeout_while(heard, PATIENCE, |heard| !heard.is_over);
        drop(waited);
        self.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_without_passwords_and_however_long() {
        let last = |bytes: &[u8]| {
            let words = LastWords::default();
            words.read("x", bytes);
            words.last()
        };
        assert_eq!(last(b"one\ntwo\n\n  \n").as_deref(), Some("two"));
        assert_eq!(last(b"frame 1\rframe 2\r").as_deref(), Some("frame 2"));
        assert_eq!(
            last(b"rtsp://u:secret@cam/x: Connection refused").as_deref(),
            Some("rtsp://cam/x: Connection refused")
        );
        assert_eq!(last(b"").as_deref(), None);
        let long = [vec![b'x'; 100_000], b" the end".to_vec()].concat();
        assert!(last(&long).unwrap().len() <= LONGEST);
    }
}
