//! Where a caller hands a task to workers, and waits until all that took it have finished.
//!
//! A worker that is late finds the gate closed and has nothing to do: on a busy machine it may not get a core for milliseconds.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::sync::{AtomicPtr, AtomicUsize, Condvar, Mutex, MutexGuard, settle, spin_loop, yield_now};

/// Rounds of waiting for work before a worker sleeps, some ten microseconds.
const ROUNDS: usize = if cfg!(loom) { 1 } else { 4000 };

/// See `Gate::joined`.
const OPEN: usize = 1 << (usize::BITS - 1);

pub(super) struct Gate {
    /// Counts tasks; a worker begins when it changes.
    turn: AtomicUsize,
    task: AtomicPtr<()>,
    /// OPEN while workers may join this turn, plus the number of those that have joined and not finished.
    joined: AtomicUsize,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            turn: AtomicUsize::new(0),
            task: AtomicPtr::new(std::ptr::null_mut()),
            joined: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Begins a turn with `task`. The gate must be closed.
    #[inline]
    pub(super) fn open(&self, task: *mut ()) {
        self.task.store(task, Ordering::Relaxed);
        self.joined.store(OPEN, Ordering::Release);
        self.turn.fetch_add(1, Ordering::SeqCst);
        settle();
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            // A sleeper that has looked at `turn` before it changed is waiting once the lock is free.
            drop(lock(&self.sleep));
            self.wake.notify_all();
        }
    }

    /// Lets no more workers join, and waits for those that have: none uses the task afterwards.
    #[inline]
    pub(super) fn close(&self) {
        self.joined.fetch_and(!OPEN, Ordering::AcqRel);
        let mut rounds = 0;
        while self.joined.load(Ordering::Acquire) > 0 {
            rounds += 1;
            if rounds < ROUNDS { spin_loop() } else { yield_now() }
        }
    }

    /// Waits until `turn` is over; the number of the new one.
    #[inline]
    pub(super) fn wait(&self, turn: usize) -> usize {
        for _ in 0..ROUNDS {
            let now = self.turn.load(Ordering::Acquire);
            if now != turn {
                return now;
            }
            spin_loop();
        }
        let mut guard = lock(&self.sleep);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        settle();
        while self.turn.load(Ordering::SeqCst) == turn {
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        self.turn.load(Ordering::Acquire)
    }

    /// The task of this turn, which stays until the worker calls [`Gate::leave`]; `None` if the gate is closed.
    #[inline]
    pub(super) fn join(&self) -> Option<*mut ()> {
        let join = |joined| if joined & OPEN == 0 { None } else { Some(joined + 1) };
        self.joined.fetch_update(Ordering::AcqRel, Ordering::Relaxed, join).ok()?;
        Some(self.task.load(Ordering::Relaxed))
    }

    /// Ends what [`Gate::join`] began.
    #[inline]
    pub(super) fn leave(&self) {
        self.joined.fetch_sub(1, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test --release -p edgeclip-kernels --lib gate`.
#[cfg(all(test, loom))]
mod tests {
    use super::Gate;
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;

    /// A worker that counts how often it has had each task, until one is null.
    fn work(gate: &Gate) {
        let mut turn = 0;
        loop {
            turn = gate.wait(turn);
            let Some(task) = gate.join() else { continue };
            let task: *const UnsafeCell<usize> = task.cast_const().cast();
            // SAFETY: null, or the caller keeps it until the gate is closed.
            let Some(count) = (unsafe { task.as_ref() }) else { return };
            // SAFETY: the only worker of the model; loom fails if the caller may look at the same time.
            count.with_mut(|count| unsafe { *count += 1 });
            gate.leave();
        }
    }

    #[test]
    fn no_worker_has_a_task_after_its_turn_and_none_sleeps_for_ever() {
        loom::model(|| {
            let gate = Arc::new(Gate::new());
            let worker = loom::thread::spawn({
                let gate = gate.clone();
                move || work(&gate)
            });
            for _ in 0..2 {
                let count = Box::new(UnsafeCell::new(0usize));
                gate.open((&raw const *count).cast_mut().cast());
                gate.close();
                // loom fails here if the worker may still be at it.
                count.with(|count| assert!(unsafe { *count } <= 2));
            }
            gate.open(std::ptr::null_mut());
            worker.join().unwrap();
        });
    }
}
