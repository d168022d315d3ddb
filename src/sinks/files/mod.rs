//! Files that are written so that nothing of anybody else's is lost: under names that are free, whole or not
//! at all, private, and within the room that there is.

mod atomic_file;
mod inputs;
mod mark;
mod room;
mod target;

pub(crate) use atomic_file::{AtomicFile, remove_abandoned};
pub(crate) use inputs::Inputs;
pub(crate) use mark::{begins_stamped, is_stamped, stamp};
pub(crate) use room::{Rotation, write_in_room};
pub(crate) use target::{Target, taken};

/// Mode of files that show or tell of people.
pub(crate) const PRIVATE: u32 = 0o600;
/// Mode of all others, before the umask.
pub(crate) const PUBLIC: u32 = 0o666;
