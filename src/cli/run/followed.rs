//! Files that are watched for changes while the program runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// One that is being replaced may be gone for a moment; one that is gone for so long is told.
const GONE: Duration = Duration::from_secs(5);

/// The configuration file, and files that it or flags name.
pub(crate) struct Followed {
    config: Option<PathBuf>,
    known: Mutex<BTreeMap<PathBuf, Known>>,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// When it was last modified; `None` if it never existed.
    time: Option<SystemTime>,
    /// Since when it does not exist, and whether that has been told.
    gone: Option<(Instant, bool)>,
}

/// What there is to tell of a file.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Gone,
    Back,
}

impl Known {
    /// Notes when the file was last modified, if it exists. Gives whether it has changed, and what there is to
    /// tell.
    fn note(&mut self, found: Option<SystemTime>, now: Instant) -> (bool, Option<News>) {
        let Some(time) = found else {
            let (since, told) = self.gone.unwrap_or((now, false));
            let tell = !told && self.time.is_some() && now.duration_since(since) >= GONE;
            self.gone = Some((since, told || tell));
            return (false, tell.then_some(News::Gone));
        };
        let back = self.gone.take().is_some_and(|(_, told)| told);
        (self.time.replace(time) != Some(time), back.then_some(News::Back))
    }
}

impl Followed {
    /// Follows the configuration file from now on: to be called before it is read.
    pub(crate) fn new(config: Option<PathBuf>) -> Self {
        let followed = Self { config, known: Mutex::default() };
        followed.set(Vec::new());
        followed
    }

    /// Follows these besides the configuration file, and no others: to be called before they are read.
    pub(crate) fn set(&self, files: Vec<PathBuf>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let files = files.into_iter().chain(self.config.clone());
        let files = files.map(|file| {
            let before = known.get(&file).copied();
            let before = before.unwrap_or_else(|| Known { time: modified(&file), gone: None });
            (file, before)
        });
        *known = files.collect();
    }

    /// Whether any file has changed since this was asked last. Tells of those that are gone.
    pub(crate) fn have_changed(&self) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut any = false;
        for (file, known) in known.iter_mut() {
            let (changed, news) = known.note(modified(file), Instant::now());
            any |= changed;
            match news {
                Some(News::Gone) => {
                    let file = file.display();
                    tracing::warn!("{file}: gone; what was read from it holds until it is back");
                }
                Some(News::Back) => tracing::info!("{}: back again", file.display()),
                None => {}
            }
        }
        any
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_file_that_stays_away_is_told_once_as_is_its_return() {
        let begun = Instant::now();
        let (time, later) = (Some(SystemTime::UNIX_EPOCH), Some(SystemTime::UNIX_EPOCH + GONE));
        let mut known = Known { time, gone: None };
        let mut note = |found, seconds: u64| known.note(found, begun + Duration::from_secs(seconds));
        assert_eq!(note(time, 0), (false, None));
        // Replaced.
        assert_eq!([note(None, 1), note(later, 2)], [(false, None), (true, None)]);
        assert_eq!([note(None, 3), note(None, 7)], [(false, None), (false, None)]);
        assert_eq!([note(None, 8), note(None, 99)], [(false, Some(News::Gone)), (false, None)]);
        assert_eq!([note(later, 100), note(later, 101)], [(false, Some(News::Back)), (false, None)]);
        let mut never = Known::default();
        assert_eq!(never.note(None, begun + GONE * 2), (false, None));
        assert_eq!(never.note(None, begun + GONE * 4), (false, None));
    }

    #[test]
    fn each_change_of_each_file_is_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        let [config, words, later] = ["a.toml", "words", "later"].map(|name| folder.path().join(name));
        fs::write(&config, "").unwrap();
        fs::write(&words, "").unwrap();
        let touch = |path: &Path, seconds: u64| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        };
        let followed = Followed::new(Some(config.clone()));
        followed.set(vec![words.clone(), later.clone()]);
        assert!(!followed.have_changed());
        touch(&config, 1);
        touch(&words, 1);
        assert_eq!([followed.have_changed(), followed.have_changed()], [true, false]);
        touch(&words, 2);
        assert_eq!([followed.have_changed(), followed.have_changed()], [true, false]);
        fs::write(&later, "").unwrap();
        assert_eq!([followed.have_changed(), followed.have_changed()], [true, false]);
        fs::remove_file(&later).unwrap();
        assert!(!followed.have_changed());
        // A change between two calls is seen, and that of a file that is no longer used is not.
        touch(&config, 3);
        followed.set(Vec::new());
        touch(&words, 3);
        assert_eq!([followed.have_changed(), followed.have_changed()], [true, false]);
    }
}
