//! A folder in which new pictures appear.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Picture;
use super::about::About;
use super::apart::Here;
use super::container::{Container, Piece};
use super::live::Decode;
use super::paths::{Folder, natural};
use super::picture_files::cutout;
use super::suspects::Suspects;
use super::{jpeg, limits, picture};
use crate::error::Result;
use crate::system::FileId;

/// How often the folder is checked at most.
const POLL: Duration = Duration::from_millis(100);
/// The checks of a large folder take at most one part in so many of the time.
const SHARE: u32 = 20;
/// A file that is incomplete and has not changed for this long is broken.
const SETTLE: Duration = Duration::from_secs(2);

/// The pictures of a folder, sorted by name, then new ones, each as soon as it is complete. Folders in it are part
/// of it if it had no pictures of its own, or if they are made later: cameras begin one every day.
pub(super) struct Follow {
    folder: PathBuf,
    /// Folders in it that are not part of it, once it has been read.
    aside: Option<HashSet<PathBuf>>,
    /// Folders that this program writes pictures to.
    outputs: Vec<PathBuf>,
    /// Files that have been delivered and still exist, as they were then.
    taken: HashMap<PathBuf, (About, u64)>,
    waiting: BTreeMap<Counted, Waiting>,
    /// Files that disappeared before they were complete.
    lost: Vec<PathBuf>,
    /// When to check the folder next.
    due: Instant,
    /// Formats that have been told to be unreadable.
    told: HashSet<&'static str>,
    picture: Option<Picture>,
    /// What is being read, and what has killed an earlier process.
    suspects: Suspects,
    decoder: Arc<dyn Decode>,
}

/// A path in the order of [`natural`].
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counted(PathBuf);

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        natural(&self.0, &other.0)
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A file that has not been delivered yet.
#[derive(Default)]
struct Waiting {
    /// Its state when it was last tried, when that was, and what was wrong.
    tried: Option<(About, Instant, String)>,
    /// Whether that has been reported.
    reported: bool,
}

/// Outcome of an attempt to read a file.
enum Outcome {
    /// Its picture, and what it was read from.
    Whole(Picture, About, u64),
    /// Nothing new.
    Same(About, u64),
    Broken(String),
    /// It may still be being written.
    Young,
    /// It has been reported as broken.
    Given,
}

impl Follow {
    /// Follows `folder`. What `suspects` says has killed an earlier process is passed over, as are `outputs`.
    pub(crate) fn new(folder: PathBuf, suspects: Suspects, outputs: Vec<PathBuf>) -> Self {
        suspects.open(&folder);
        Self {
            folder,
            aside: None,
            outputs,
            taken: HashMap::new(),
            waiting: BTreeMap::new(),
            lost: Vec::new(),
            due: Instant::now(),
            told: HashSet::new(),
            picture: None,
            suspects,
            decoder: Arc::new(Here),
        }
    }

    /// Leaves the decoding to somebody else.
    pub(super) fn decode_with(mut self, decoder: Arc<dyn Decode>) -> Self {
        self.decoder = decoder;
        self
    }

    /// Lists the folder if it is time to.
    fn look(&mut self) -> Result<()> {
        let start = Instant::now();
        if start < self.due {
            return Ok(());
        }
        let outputs: Vec<FileId> = self.outputs.iter().filter_map(|output| FileId::at(output)).collect();
        let counts = |folder: &Path| !FileId::at(folder).is_some_and(|id| outputs.contains(&id));
        let found = Folder::followed(&self.folder, &mut self.aside, &counts)?;
        found.tell(&self.folder, &mut self.told);
        let there: HashMap<PathBuf, About> = found
            .pictures
            .into_iter()
            .filter_map(|path| fs::metadata(&path).ok().map(|about| (path, About::of(&about))))
            .collect();
        self.suspects.retain(there.iter());
        self.taken.retain(|path, _| there.contains_key(path));
        let gone = self.waiting.extract_if(.., |path, _| !there.contains_key(&path.0));
        self.lost.extend(gone.filter(|(_, waiting)| !waiting.reported).map(|(path, _)| path.0));
        for (path, about) in there {
            let is_new = self.taken.get(&path).is_none_or(|(before, _)| *before != about);
            if is_new && !self.suspects.pass_over(&path, about) {
                self.waiting.entry(Counted(path)).or_default();
            }
        }
        self.due = Instant::now() + POLL.max(start.elapsed() * SHARE);
        Ok(())
    }

    /// Tries the waiting files in order, up to the first that may still be being written.
    fn first(&mut self) -> Option<(PathBuf, Outcome)> {
        let (taken, suspects, decoder) = (&self.taken, &self.suspects, &*self.decoder);
        self.waiting.iter_mut().find_map(|(path, waiting)| {
            match waiting.attempt(&path.0, taken.get(&path.0), suspects, decoder) {
                Outcome::Given => None,
                outcome => Some((path.0.clone(), outcome)),
            }
        })
    }
}

impl Waiting {
    /// Reads the file at `path`, which was `before` when it was delivered last.
    fn attempt(
        &mut self,
        path: &Path,
        before: Option<&(About, u64)>,
        suspects: &Suspects,
        decoder: &dyn Decode,
    ) -> Outcome {
        let about = fs::metadata(path).ok().map(|about| About::of(&about));
        let mut settled = false;
        if let Some((tried, when, why)) = &self.tried
            && about.is_none_or(|about| about == *tried)
        {
            if self.reported {
                return Outcome::Given;
            }
            if when.elapsed() < SETTLE {
                return Outcome::Young;
            }
            // The end marker of a JPEG does not come any more.
            settled = why == NO_END;
            if !settled {
                self.reported = true;
                return Outcome::Broken(why.clone());
            }
        }
        if let Some(about) = about {
            suspects.read(path, about);
        }
        let limits = limits::current().for_frames();
        let name = path.display().to_string();
        let (about, why) = match picture::read(path, &name, &limits) {
            Err(error) => (about, error.to_string()),
            Ok((bytes, file)) => {
                let about = About::of(&file);
                let digest = digest(&bytes);
                if let Some((before, same)) = before
                    && before.is_touched(&about)
                    && *same == digest
                {
                    return Outcome::Same(about, digest);
                }
                if !settled && jpeg::is_jpeg(&bytes) && !jpeg::is_complete(&bytes) {
                    (Some(about), NO_END.to_owned())
                } else {
                    match decoder.decode(name, &bytes) {
                        Ok(picture) => return Outcome::Whole(picture, about, digest),
                        Err(error) => (Some(about), error.to_string()),
                    }
                }
            }
        };
        if settled {
            self.reported = true;
            return Outcome::Broken(why);
        }
        if let Some(about) = about {
            self.tried = Some((about, Instant::now(), why));
        }
        self.reported = false;
        Outcome::Young
    }
}

/// Why a JPEG file has to settle.
const NO_END: &str = "no end marker yet";

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl Container for Follow {
    fn next(&mut self) -> Result<Piece<'_>> {
        self.picture = None;
        // The picture before has been copied, and is in the mailbox.
        self.suspects.done();
        self.look()?;
        if let Some(path) = self.lost.pop() {
            return Ok(Piece::Broken(format!("{}: removed before it was complete", path.display())));
        }
        let found = self.first();
        if !matches!(found, Some((_, Outcome::Whole(..)))) {
            self.suspects.done();
        }
        match found {
            Some((path, Outcome::Whole(picture, about, digest))) => {
                self.waiting.remove(&Counted(path.clone()));
                self.taken.insert(path, (about, digest));
                Ok(Piece::Frame(cutout(self.picture.insert(picture))))
            }
            Some((path, Outcome::Same(about, digest))) => {
                self.waiting.remove(&Counted(path.clone()));
                self.taken.insert(path, (about, digest));
                Ok(Piece::Nothing)
            }
            Some((_, Outcome::Broken(why))) => Ok(Piece::Broken(why)),
            _ => {
                thread::sleep(POLL);
                Ok(Piece::Nothing)
            }
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // A decoder that panics is as bad as one that is killed.
        if !thread::panicking() {
            self.suspects.done();
        }
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
