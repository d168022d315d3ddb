//! A folder into which somebody puts pictures.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::Picture;
use super::container::{Container, Piece};
use super::paths::pictures_in;
use super::picture_files::cutout;
use crate::error::{Error, Result};

/// How often the folder is looked at.
const POLL: Duration = Duration::from_millis(100);
/// A file that is not whole and has not changed for so long is broken.
const SETTLE: Duration = Duration::from_secs(2);

/// PictureFiles of a folder, sorted by name, then those that come, each when it is whole.
pub(super) struct Follow {
    folder: PathBuf,
    /// Files that have been given and are still there.
    taken: HashSet<PathBuf>,
    waiting: BTreeMap<PathBuf, Waiting>,
    /// Files that went away before they were whole.
    lost: Vec<PathBuf>,
    /// When the folder was last looked at, and its time of change then.
    looked: Option<(Instant, SystemTime)>,
    picture: Option<Picture>,
}

/// A file that has not been given yet.
#[derive(Default)]
struct Waiting {
    /// What it was like when it was last tried, when that was, and what was wrong.
    tried: Option<(About, Instant, String)>,
    /// Whether that has been told.
    told: bool,
}

/// Length and time of change: what changes while a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct About(u64, SystemTime);

/// What became of a file.
enum Outcome {
    Whole(Picture),
    Broken(String),
    /// It may still be written.
    Young,
    /// It has been told that it is broken.
    Given,
}

impl Follow {
    pub fn new(folder: PathBuf) -> Self {
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
        let io = |source| Error::Io { name: self.folder.display().to_string(), source };
        let changed = fs::metadata(&self.folder).and_then(|about| about.modified()).map_err(io)?;
        // Two changes may have the same time, which some systems count in seconds.
        let settled = changed.elapsed().is_ok_and(|age| age > SETTLE);
        if settled && self.looked.is_some_and(|(_, before)| before == changed) {
            self.looked = Some((now, changed));
            return Ok(());
        }
        let there: HashSet<PathBuf> = pictures_in(&self.folder)?.into_iter().collect();
        self.looked = Some((now, changed));
        self.taken.retain(|path| there.contains(path));
        let gone = self.waiting.extract_if(.., |path, _| !there.contains(path));
        self.lost.extend(gone.filter(|(_, waiting)| !waiting.told).map(|(path, _)| path));
        for path in there {
            if !self.taken.contains(&path) {
                self.waiting.entry(path).or_default();
            }
        }
        Ok(())
    }

    /// Tries the files that wait, in order, up to the first that may still be written.
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
            Some((before, ..)) if *before == about && self.told => Outcome::Given,
            Some((before, when, why)) if *before == about => {
                if when.elapsed() < SETTLE {
                    return Outcome::Young;
                }
                self.told = true;
                Outcome::Broken(why.clone())
            }
            _ => match Picture::open(path) {
                Ok(picture) => Outcome::Whole(picture),
                Err(error) => {
                    self.tried = Some((about, Instant::now(), error.to_string()));
                    self.told = false;
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
            return Ok(Piece::Broken(format!("{}: gone before it was whole", path.display())));
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
