//! A folder of segments that stays within its limits.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::age::{Kept, Place, before, is_newest, oldest};
use super::segment::{EMBEDDINGS, FEATURES, LINES, Segment, day_of, file, header};
use crate::error::{self, Error, Result};
use crate::report::Sighting;
use crate::sinks::clock::{day, utc};
use crate::sinks::files::{Rotation, write_in_room};
use crate::system::{Folder, Reading, WallClock};

/// Bytes that an entry takes at most, for the room on the disk.
const ENTRY: u64 = 8192;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryLimits {
    /// Days before today.
    pub days: u32,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Per cent of the disk that stay free, as far as it lies with these files.
    pub free: u8,
}

/// What was seen, by days.
pub(super) struct HistoryLog {
    name: String,
    limits: HistoryLimits,
    folder: Folder,
    segments: BTreeMap<Place, Kept>,
    clock: WallClock,
    /// What the clocks say.
    now: Box<dyn Fn() -> Reading + Send>,
    /// The one that is being written.
    open: Option<(String, u32, Segment)>,
}

impl HistoryLog {
    /// Opens a folder, which is created, readable by this user alone, if it does not exist; deletes what is too
    /// old.
    ///
    /// # Errors
    /// [`Error::Device`] if the folder cannot be created or read.
    pub(super) fn open(path: &Path, limits: HistoryLimits) -> Result<Self> {
        Self::with_clock(path, limits, Box::new(Reading::now))
    }

    /// The same by other clocks.
    ///
    /// # Errors
    /// Same as [`HistoryLog::open`].
    pub(super) fn with_clock(
        path: &Path,
        limits: HistoryLimits,
        now: Box<dyn Fn() -> Reading + Send>,
    ) -> Result<Self> {
        let name = path.display().to_string();
        let io = |source| Error::io(error::ErrorKind::Device, name.clone(), source);
        let folder = Folder::make(path).map_err(io)?;
        let segments = segments(&folder).map_err(io)?;
        let clock = WallClock::new(now());
        let mut log = Self { name: name.clone(), limits, folder, segments, clock, now, open: None };
        log.forget_old().map_err(io)?;
        Ok(log)
    }

    /// Adds a sighting.
    ///
    /// # Errors
    /// [`Error::Device`] if it cannot be written, for example on a disk that is full of other things.
    pub(super) fn add(&mut self, source: &str, sighting: &Sighting) -> Result<()> {
        let free = self.limits.free;
        let added = self.make_room().and_then(|()| {
            write_in_room(self, ENTRY, free, |log| {
                // Room may have been made of the one that was open.
                let (day, number, segment) = log.prepare(sighting)?;
                let bytes = segment.append(source, sighting)?;
                let entry = (day.clone(), *number);
                if let Some(kept) = log.segments.get_mut(&entry) {
                    kept.bytes += bytes;
                }
                Ok(())
            })
        });
        added.map_err(|source| {
            // Its files are looked at again.
            self.open = None;
            Error::io(error::ErrorKind::Device, self.name.clone(), source)
        })
    }

    /// The segment into which a sighting belongs, opened if it is not.
    fn prepare(&mut self, sighting: &Sighting) -> io::Result<&mut (String, u32, Segment)> {
        if self.folder.refresh()? {
            tracing::warn!("{}: the folder was gone; it has been made anew", self.name);
            self.open = None;
        }
        let today = utc(sighting.time).chars().take(10).collect::<String>();
        let fits = match &self.open {
            Some((day, number, segment)) => {
                *day == today
                    && segment.takes(sighting)
                    && segment.is_there(&self.folder, &stem(day, *number))?
            }
            None => false,
        };
        if !fits {
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => self.begin(today, sighting)?,
        };
        Ok(self.open.insert(open))
    }

    /// Goes on in the newest segment of this day, or begins another one.
    fn begin(&mut self, today: String, sighting: &Sighting) -> io::Result<(String, u32, Segment)> {
        // `edgeclip search --forget` may have deleted some.
        self.segments = segments(&self.folder)?;
        self.forget_old()?;
        let newest =
            self.segments.keys().rev().find(|(day, _)| *day == today).map_or(0, |(_, number)| *number);
        // What was begun after it would seem newer than what is written now.
        if is_newest(&self.segments, &(today.clone(), newest))
            && let Some(segment) = Segment::resume(&self.folder, &stem(&today, newest), sighting)?
        {
            return Ok((today, newest, segment));
        }
        let sequence = self.segments.values().map(|kept| kept.sequence).max().unwrap_or(0) + 1;
        let mut number = newest + 1;
        loop {
            match Segment::create(&self.folder, &stem(&today, number), sighting, sequence) {
                // Somebody else's file has that name.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                created => {
                    let segment = created?;
                    let kept = Kept { bytes: segment.bytes(), sequence };
                    self.segments.insert((today.clone(), number), kept);
                    return Ok((today, number, segment));
                }
            }
        }
    }

    /// Deletes the segments of days that are too long ago, by a clock that is believed.
    fn forget_old(&mut self) -> io::Result<()> {
        let reading = (self.now)();
        if !self.clock.is_believed(reading) {
            return Ok(());
        }
        let (first, today) = (day(reading.wall, self.limits.days), day(reading.wall, 0));
        before(&self.segments, &first, &today).iter().try_for_each(|place| self.delete(place).map(drop))
    }

    /// Deletes a segment: the bytes that this frees.
    fn delete(&mut self, place: &Place) -> io::Result<u64> {
        let Some(kept) = self.segments.remove(place) else { return Ok(0) };
        if self.open.as_ref().is_some_and(|(open, at, _)| (open, *at) == (&place.0, place.1)) {
            self.open = None;
        }
        remove(&self.folder, &stem(&place.0, place.1))?;
        Ok(kept.bytes)
    }

    /// Deletes the oldest until there is room for one more entry.
    fn make_room(&mut self) -> io::Result<()> {
        while self.bytes().saturating_add(ENTRY) > self.limits.bytes && self.delete_oldest()?.is_some() {}
        Ok(())
    }
}

impl Rotation for HistoryLog {
    fn folder(&self) -> &Folder {
        &self.folder
    }

    fn bytes(&self) -> u64 {
        self.segments.values().map(|kept| kept.bytes).sum()
    }

    /// The one that is being written is the last to go; it is begun anew.
    fn delete_oldest(&mut self) -> io::Result<Option<u64>> {
        oldest(&self.segments).map(|place| self.delete(&place)).transpose()
    }
}

/// The name of a segment.
pub(super) fn stem(day: &str, number: u32) -> String {
    if number == 1 { day.to_owned() } else { format!("{day}-{number}") }
}

/// The segments of ours in `folder`.
pub(super) fn segments(folder: &Folder) -> io::Result<BTreeMap<Place, Kept>> {
    let mut found = BTreeMap::new();
    for name in folder.names()? {
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(LINES)) else { continue };
        let Some((day, number)) = day_of(stem) else { continue };
        let Some(header) = header(folder, stem).ok().flatten() else { continue };
        let length = |ending| folder.about(&file(stem, ending)).ok().flatten().map_or(0, |about| about.len());
        let bytes = [LINES, EMBEDDINGS, FEATURES].into_iter().map(length).sum();
        found.insert((day.to_owned(), number), Kept { bytes, sequence: header.sequence });
    }
    Ok(found)
}

/// Deletes a segment. The lines last: with them, the other files are known to be ours whatever interrupts this.
pub(super) fn remove(folder: &Folder, stem: &str) -> io::Result<()> {
    [EMBEDDINGS, FEATURES, LINES].into_iter().try_for_each(|ending| folder.remove(&file(stem, ending)))
}
