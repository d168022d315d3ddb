//! A folder in which new pictures appear.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::Picture;
use super::container::{Container, Piece};
use super::paths::pictures_in;
use super::picture_files::cutout;
use crate::error::{Error, ErrorKind, Result};

/// How often the folder is checked.
const POLL: Duration = Duration::from_millis(100);
/// A file that is incomplete and has not changed for this long is broken.
const SETTLE: Duration = Duration::from_secs(2);

/// The pictures of a folder, sorted by name, then new ones, each as soon as it is complete.
pub(super) struct Follow {
    folder: PathBuf,
    /// Files that have been delivered and still exist.
    taken: HashSet<PathBuf>,
    waiting: BTreeMap<PathBuf, Waiting>,
    /// Files that disappeared before they were complete.
    lost: Vec<PathBuf>,
    /// When the folder was last checked, and its modification time then.
    looked: Option<(Instant, SystemTime)>,
    picture: Option<Picture>,
}

/// A file that has not been delivered yet.
#[derive(Default)]
struct Waiting {
    /// Its state when it was last tried, when that was, and what was wrong.
    tried: Option<(About, Instant, String)>,
    /// Whether that has been reported.
    reported: bool,
}

/// Length and modification time, which change while a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct About(u64, SystemTime);

/// Outcome of an attempt to read a file.
enum Outcome {
    Whole(Picture),
    Broken(String),
    /// It may still be being written.
    Young,
    /// It has been reported as broken.
    Given,
}

impl Follow {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            taken: HashSet::new(),
            waiting: BTreeMap::new(),
            lost: Vec::new(),
            looked: None,
            picture: None,
        }
    }

    /// Lists the folder if it may have changed.
    fn look(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.looked.is_some_and(|(when, _)| now.duration_since(when) < POLL) {
            return Ok(());
        }
        let io = |source| Error::io(ErrorKind::Input, self.folder.display().to_string(), source);
        let changed = fs::metadata(&self.folder).and_then(|about| about.modified()).map_err(io)?;
        // Some file systems store times in whole seconds, so that two changes may share one.
        let settled = changed.elapsed().is_ok_and(|age| age > SETTLE);
        if settled && self.looked.is_some_and(|(_, before)| before == changed) {
            self.looked = Some((now, changed));
            return Ok(());
        }
        let there: HashSet<PathBuf> = pictures_in(&self.folder)?.into_iter().collect();
        self.looked = Some((now, changed));
        self.taken.retain(|path| there.contains(path));
        let gone = self.waiting.extract_if(.., |path, _| !there.contains(path));
        self.lost.extend(gone.filter(|(_, waiting)| !waiting.reported).map(|(path, _)| path));
        for path in there {
            if !self.taken.contains(&path) {
                self.waiting.entry(path).or_default();
            }
        }
        Ok(())
    }

    /// Tries the waiting files in order, up to the first that may still be being written.
    fn first(&mut self) -> Option<(PathBuf, Outcome)> {
        self.waiting.iter_mut().find_map(|(path, waiting)| match waiting.attempt(path) {
            Outcome::Given => None,
            outcome => Some((path.clone(), outcome)),
        })
    }
}

impl Waiting {
    fn attempt(&mut self, path: &PathBuf) -> Outcome {
        let about = fs::metadata(path).map_or(About(0, SystemTime::UNIX_EPOCH), |about| {
            About(about.len(), about.modified().unwrap_or(SystemTime::UNIX_EPOCH))
        });
        match &self.tried {
            Some((before, ..)) if *before == about && self.reported => Outcome::Given,
            Some((before, when, why)) if *before == about => {
                if when.elapsed() < SETTLE {
                    return Outcome::Young;
                }
                self.reported = true;
                Outcome::Broken(why.clone())
            }
            _ => match Picture::open(path) {
                Ok(picture) => Outcome::Whole(picture),
                Err(error) => {
                    self.tried = Some((about, Instant::now(), error.to_string()));
                    self.reported = false;
                    Outcome::Young
                }
            },
        }
    }
}

impl Container for Follow {
    fn next(&mut self) -> Result<Piece<'_>> {
        self.look()?;
        if let Some(path) = self.lost.pop() {
            return Ok(Piece::Broken(format!("{}: removed before it was complete", path.display())));
        }
        match self.first() {
            Some((path, Outcome::Whole(picture))) => {
                self.waiting.remove(&path);
                self.taken.insert(path);
                Ok(Piece::Frame(cutout(self.picture.insert(picture))))
            }
            Some((_, Outcome::Broken(why))) => Ok(Piece::Broken(why)),
            _ => {
                thread::sleep(POLL);
                Ok(Piece::Nothing)
            }
        }
    }
}
