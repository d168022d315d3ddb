//! What the gate is made of: from std, or from loom, which tries all orders in which threads may meet.

#[cfg(loom)]
pub(super) use loom::{
    hint::spin_loop,
    sync::atomic::{AtomicPtr, AtomicUsize},
    sync::{Condvar, Mutex, MutexGuard},
    thread::yield_now,
};
#[cfg(not(loom))]
pub(super) use std::{
    hint::spin_loop,
    sync::atomic::{AtomicPtr, AtomicUsize},
    sync::{Condvar, Mutex, MutexGuard},
    thread::yield_now,
};

/// loom takes `SeqCst` for less than it is; a fence between a change and the look at what another thread changed makes up for it.
#[inline(always)]
pub(super) fn settle() {
    #[cfg(loom)]
    loom::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}
