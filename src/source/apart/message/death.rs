//! How a process has died.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde::{Deserialize, Serialize};

use super::Order;

/// How the Rust runtime begins its last line when an allocation fails.
const NO_MEMORY: &str = "memory allocation of ";

/// How a process has died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source::apart) enum Death {
    /// It needed more memory than it may have.
    Memory,
    /// It computed for too long.
    Computing,
    /// It did what the seal forbids.
    Forbidden,
    /// It did nothing for too long.
    Waiting,
    /// It was killed, as the system does that has no memory left.
    Killed,
    Signal(i32),
    Code(i32),
    /// In its own words.
    Panicked(String),
    /// There is none.
    Missing(String),
}

impl Death {
    /// How a process died that has written `last` at the end; `None` if it has ended on its own.
    pub(in crate::source::apart) fn of(status: ExitStatus, last: &str) -> Option<Self> {
        Some(match status.signal() {
            None if status.success() => return None,
            None => Self::Code(status.code().unwrap_or_default()),
            Some(libc::SIGABRT) if last.lines().any(|line| line.starts_with(NO_MEMORY)) => Self::Memory,
            // The C library names what it found.
            Some(libc::SIGABRT) if !last.trim().is_empty() => Self::Panicked(printed(last)),
            Some(libc::SIGKILL) => Self::Killed,
            Some(libc::SIGXCPU) => Self::Computing,
            Some(libc::SIGALRM) => Self::Waiting,
            Some(libc::SIGSYS) => Self::Forbidden,
            Some(signal) => Self::Signal(signal),
        })
    }

    /// Whether the same work may well be done if it is tried again.
    pub(in crate::source::apart) fn is_chance(&self) -> bool {
        matches!(self, Self::Killed | Self::Signal(_) | Self::Missing(_))
    }

    /// What has become of the decoder with this order.
    pub(in crate::source::apart) fn told(&self, order: &Order) -> String {
        let Order { megabytes, setting, .. } = order;
        match self {
            Self::Memory => format!(
                "the decoder needed more than {megabytes} MB of memory: a smaller picture or stream, or a higher {setting}"
            ),
            Self::Computing => "the decoder died: it computed one picture for too long".to_owned(),
            Self::Forbidden => "the decoder died: it did what the seal forbids (signal 31)".to_owned(),
            Self::Waiting => "the decoder died: it did nothing for too long".to_owned(),
            Self::Killed => "the decoder was killed, as when the system has no memory left".to_owned(),
            Self::Signal(signal) => format!("the decoder died: signal {signal}"),
            Self::Code(code) => format!("the decoder died: code {code}"),
            Self::Panicked(why) | Self::Missing(why) => format!("the decoder died: {why}"),
        }
    }
}

/// The last line without control characters.
fn printed(text: &str) -> String {
    let line = text.trim().lines().next_back().unwrap_or_default();
    line.replace(char::is_control, " ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Job;
    use super::*;

    #[test]
    fn what_killed_it_is_told_with_what_to_set() {
        let job = Job::Pictures { of: "cam".to_owned() };
        let order = Order { job, megabytes: 64, setting: "decoder_mb".to_owned(), picture_mb: 5 };
        let told = |raw: i32, last: &str| {
            Death::of(ExitStatus::from_raw(raw), last).map(|death| (death.is_chance(), death.told(&order)))
        };
        let line = |text: &str| text.to_owned();
        assert_eq!(told(0, "x"), None);
        assert_eq!(told(256, ""), Some((false, line("the decoder died: code 1"))));
        assert_eq!(told(libc::SIGSEGV, ""), Some((true, line("the decoder died: signal 11"))));
        let memory = "the decoder needed more than 64 MB of memory: a smaller picture or stream, or a higher decoder_mb";
        assert_eq!(
            told(libc::SIGABRT, "\nmemory allocation of 99 bytes failed\n"),
            Some((false, line(memory)))
        );
        assert_eq!(told(libc::SIGABRT, "a\x1b\nfree(): odd\n").unwrap().1, "the decoder died: free(): odd");
        assert_eq!(told(libc::SIGABRT, "").unwrap().1, "the decoder died: signal 6");
        assert!(told(libc::SIGKILL, "").unwrap().1.contains("no memory left"));
        assert!(told(libc::SIGXCPU, "").unwrap().1.contains("for too long"));
    }
}
