//! Files that are watched for changes while the program runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The configuration file, and files that it or flags name.
pub(crate) struct Followed {
    config: Option<PathBuf>,
    /// When each was last modified; `None` while it does not exist.
    changed: Mutex<BTreeMap<PathBuf, Option<SystemTime>>>,
}

impl Followed {
    /// Follows the configuration file from now on: to be called before it is read.
    pub(crate) fn new(config: Option<PathBuf>) -> Self {
        let followed = Self { config, changed: Mutex::default() };
        followed.set(Vec::new());
        followed
    }

    /// Follows these besides the configuration file, and no others: to be called before they are read.
    pub(crate) fn set(&self, files: Vec<PathBuf>) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let files = files.into_iter().chain(self.config.clone());
        let times = files.map(|file| {
            let known = changed.get(&file).copied();
            let time = known.unwrap_or_else(|| modified(&file));
            (file, time)
        });
        *changed = times.collect();
    }

    /// Whether any file has changed since this was asked last. One that is being replaced may be gone for a
    /// moment.
    pub(crate) fn have_changed(&self) -> bool {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut any = false;
        for (file, before) in changed.iter_mut() {
            let now = modified(file);
            any |= now.is_some() && std::mem::replace(before, now) != now;
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
    use std::time::Duration;

    use super::*;

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
