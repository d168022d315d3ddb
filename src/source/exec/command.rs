//! A source's command line: `exec:ffmpeg -i rtsps://camera/stream -f yuv4mpegpipe -`.

use crate::error::{Error, Result, shown_address};

/// What such a source begins with.
const SCHEME: &str = "exec:";
/// An example of one.
pub(super) const EXAMPLE: &str =
    "a program and its arguments, such as exec:ffmpeg -i rtsps://camera/stream -f yuv4mpegpipe -";

/// A program and its arguments.
#[derive(Clone)]
pub(super) struct Command {
    pub program: String,
    pub arguments: Vec<String>,
    /// What messages call the source: the program, and of the first address among the arguments, scheme, host and path.
    pub name: String,
}

/// The command line of the source `spec`; `None` if it is another kind of source.
pub(super) fn line(spec: &str) -> Option<&str> {
    spec.strip_prefix(SCHEME)
}

/// What messages call the source with this command line, valid or not.
pub(super) fn shown(line: &str) -> String {
    let words = shlex::split(line).unwrap_or_default();
    let program = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or_default());
    let mut pieces = words.iter().skip(1).flat_map(|word| word.split_whitespace());
    match pieces.find_map(address) {
        Some(address) => format!("{SCHEME}{program} {}", shown_address(address)),
        None => format!("{SCHEME}{program}"),
    }
}

/// The address in a word such as `location=rtsp://camera/stream`.
fn address(word: &str) -> Option<&str> {
    let (before, _) = word.split_once("://")?;
    let start = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    Some(word.get(start..)?.trim_end_matches(['"', '\'', ':', ';', ',']))
}

impl Command {
    /// Splits a command line into words, as a shell does with quotes and backslashes; nothing else of it is obeyed.
    ///
    /// # Errors
    /// [`Error::Settings`] if there is no program, a quote stays open, or a word is one that only a shell obeys.
    pub(super) fn parse(line: &str) -> Result<Self> {
        let name = shown(line);
        let Some(mut words) = shlex::split(line) else {
            return Err(Error::settings(name, "a quote that is not closed", EXAMPLE));
        };
        if let Some(word) = words.iter().find(|word| is_for_shells(word)) {
            let expected =
                "one program and its arguments, or a shell that starts several: exec:sh -c '… | …'";
            return Err(Error::settings(name, format!("{word}, which only a shell obeys"), expected));
        }
        if words.first().is_none_or(String::is_empty) {
            return Err(Error::settings(name, "no program", EXAMPLE));
        }
        let arguments = words.split_off(1);
        Ok(Self { program: words.swap_remove(0), arguments, name })
    }
}

/// Whether a shell would take a word for a pipe, a list of commands or a redirection.
fn is_for_shells(word: &str) -> bool {
    let bare = word.trim_start_matches(|c: char| c.is_ascii_digit());
    matches!(word, "|" | "||" | "&" | "&&" | ";") || bare.starts_with(['<', '>']) && bare.len() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let parsed =
            Command::parse("/usr/bin/ffmpeg -i 'my film.mp4' -vf \"fps=5, scale=640:-2\" a\\ b -").unwrap();
        assert_eq!(parsed.program, "/usr/bin/ffmpeg");
        assert_eq!(parsed.arguments, ["-i", "my film.mp4", "-vf", "fps=5, scale=640:-2", "a b", "-"]);
        assert_eq!(parsed.name, "exec:ffmpeg");
        let pipeline = Command::parse("gst-launch-1.0 -q videotestsrc ! y4menc ! fdsink").unwrap();
        assert_eq!(pipeline.arguments.len(), 6);
    }

    #[test]
    fn names_show_no_secrets() {
        for (line, name) in [
            ("ffmpeg -i rtsps://u:p%40s@cam:322/x?key=1 -f yuv4mpegpipe -", "exec:ffmpeg rtsps://cam:322/x"),
            ("gst-launch-1.0 rtspsrc location=rtsp://u:p@cam/s ! fdsink", "exec:gst-launch-1.0 rtsp://cam/s"),
            ("rpicam-vid -t 0 -o -", "exec:rpicam-vid"),
            ("sh -c 'ffmpeg -i \"rtsp://u:p@cam/s\" -'", "exec:sh rtsp://cam/s"),
            ("'open", "exec:"),
        ] {
            assert_eq!(shown(line), name);
        }
    }

    #[test]
    fn what_only_a_shell_obeys_is_refused() {
        for (line, part) in [
            ("", "found no program, expected a program"),
            ("ffmpeg 'x", "found a quote that is not closed"),
            ("ffmpeg -i x | cat", "exec:ffmpeg: found |, which only a shell obeys, expected one program"),
            ("ffmpeg -i x 2> /dev/null", "found 2>, which"),
            ("a && b", "found &&, which"),
        ] {
            let error = Command::parse(line).err().unwrap().to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
        assert!(Command::parse("sh -c 'a | b > c'").is_ok());
    }
}
