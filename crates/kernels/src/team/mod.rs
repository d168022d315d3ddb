//! A fixed team of threads that work on one loop at a time.
//!
//! A pass over a network consists of about a hundred loops of a few to a few hundred microseconds each, so
//! workers spin for a while between two loops and sleep only if no work comes.

mod gate;
mod sync;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use gate::Gate;

/// A team of threads; its caller is one of them.
///
/// ```
/// use edgeclip_kernels::team::Team;
///
/// let team = Team::new(2)?;
/// // One state per thread, units of three values, in four parts.
/// let mut output = [0; 12];
/// team.split(&mut [(); 2], &mut output, 3, 4, |(), first, part| part.fill(first));
/// assert_eq!(output, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Set while a caller is using the workers.
    taken: AtomicBool,
}

/// A loop body; takes the number of the thread that runs it.
type Body<'a> = dyn Fn(usize) + Sync + 'a;

struct Shared {
    /// Tasks are addresses of a `&Body`; null ends the workers.
    gate: Gate,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Team {
    /// A team of `threads`, including the caller.
    ///
    /// # Errors
    /// If the system cannot start more threads.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { gate: Gate::new(), panic: Mutex::default() });
        let mut team = Self { shared, workers: Vec::new(), taken: AtomicBool::new(false) };
        for index in 1..threads {
            let shared = team.shared.clone();
            let worker =
                Builder::new().name(format!("edgeclip-{index}")).spawn(move || shared.work(index))?;
            team.workers.push(worker);
        }
        Ok(team)
    }

    /// Number of threads, including the caller.
    pub fn threads(&self) -> usize {
        1 + self.workers.len()
    }

    /// Splits `output`, whole units of `unit` values, into `parts` (at most 64) parts and calls `work(state,
    /// first, part)` for each, with a state that no other thread uses at the time and the index of the part's
    /// first unit. Each thread starts with the parts at its own position, so that its cache still holds what
    /// it wrote there in the previous loop, and then helps with the others. If there is one part, or another
    /// caller is using the team, the caller does everything alone.
    ///
    /// # Panics
    /// If there are fewer states than threads, or if `work` panics.
    pub fn split<S: Send, T: Send>(
        &self,
        states: &mut [S],
        output: &mut [T],
        unit: usize,
        parts: usize,
        work: impl Fn(&mut S, usize, &mut [T]) + Sync,
    ) {
        assert!(states.len() >= self.threads());
        let units = output.len().checked_div(unit).unwrap_or(0);
        let parts = parts.min(units).min(u64::BITS as usize);
        if parts <= 1 || self.workers.is_empty() || self.taken.swap(true, Ordering::Acquire) {
            return work(&mut states[0], 0, output);
        }
        let (states, output) = (Pointer(states.as_mut_ptr()), Pointer(output.as_mut_ptr()));
        let (claimed, threads) = (AtomicU64::new(0), self.threads());
        self.run(&|thread| {
            // SAFETY: threads have distinct numbers, all below the number of states.
            let state = unsafe { &mut *states.at(thread) };
            let own = thread * parts / threads;
            for part in (own..parts).chain(0..own) {
                let bit = 1 << part;
                if claimed.fetch_or(bit, Ordering::Relaxed) & bit != 0 {
                    continue;
                }
                let (start, end) = (part * units / parts, (part + 1) * units / parts);
                // SAFETY: parts are consecutive without overlap, the last one ends at `units`, and
                // each is taken once.
                let part =
                    unsafe { std::slice::from_raw_parts_mut(output.at(start * unit), (end - start) * unit) };
                work(state, start, part);
            }
        });
        self.taken.store(false, Ordering::Release);
    }

    /// Calls `body` on this thread and on every worker that joins before this thread is done,
    /// and waits for those.
    fn run(&self, body: &Body<'_>) {
        let shared = &*self.shared;
        // Workers are done with it before this function ends.
        shared.gate.open((&raw const body).cast_mut().cast());
        let own = catch_unwind(AssertUnwindSafe(|| body(0)));
        shared.gate.close();
        let panic = lock(&shared.panic).take();
        if let Some(panic) = own.err().or(panic) {
            self.taken.store(false, Ordering::Release);
            resume_unwind(panic);
        }
    }
}

impl Shared {
    /// The life of worker `index`.
    fn work(&self, index: usize) {
        let mut turn = 0;
        loop {
            turn = self.gate.wait(turn);
            let Some(task) = self.gate.join() else { continue };
            let task: *const &Body<'_> = task.cast_const().cast();
            // SAFETY: null, or `Team::run` keeps what it points to until all that have joined have finished.
            let Some(body) = (unsafe { task.as_ref() }) else { return };
            let done = catch_unwind(AssertUnwindSafe(|| body(index)));
            if let Err(panic) = done {
                lock(&self.panic).get_or_insert(panic);
            }
            self.gate.leave();
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.gate.open(std::ptr::null_mut());
        for worker in self.workers.drain(..) {
            // A worker catches every panic.
            let _ = worker.join();
        }
    }
}

impl std::fmt::Debug for Team {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Team({})", self.threads())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pointer that threads may share; each use justifies why that is sound.
struct Pointer<T>(*mut T);

// SAFETY: it is only an address, and its target is `Send`.
unsafe impl<T: Send> Sync for Pointer<T> {}

impl<T> Pointer<T> {
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Team;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn every_part_is_done_once() {
        for threads in 1..6 {
            let team = Team::new(threads).unwrap();
            for units in [0, 1, 2, 3, 7, 64] {
                for parts in [0, 1, 2, 3, 4, 9, 100] {
                    let mut output = vec![0; units * 3];
                    let mut calls = vec![0; threads];
                    team.split(&mut calls, &mut output, 3, parts, |calls, first, part| {
                        *calls += 1;
                        for (index, to) in part.iter_mut().enumerate() {
                            *to += first * 3 + index + 1;
                        }
                    });
                    assert!(output.iter().enumerate().all(|(index, &to)| to == index + 1), "{output:?}");
                    let expected = if threads == 1 { 1 } else { parts.min(units).max(1) };
                    assert_eq!(calls.iter().sum::<usize>(), expected);
                }
            }
        }
    }

    #[test]
    fn workers_wake_up_again() {
        let team = Team::new(3).unwrap();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(2));
            let mut output = [0; 30];
            team.split(&mut [(); 3], &mut output, 1, 30, |(), first, part| part[0] = first);
            assert!(output.iter().enumerate().all(|(index, &to)| to == index));
        }
    }

    #[test]
    fn callers_at_the_same_time_do_not_disturb_each_other() {
        let (team, done) = (Team::new(3).unwrap(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let mut output = [0u8; 12];
                        team.split(&mut [(); 3], &mut output, 2, 6, |(), _, part| part.fill(1));
                        done.fetch_add(output.iter().map(|&x| usize::from(x)).sum(), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 4 * 500 * 12);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let team = Team::new(4).unwrap();
        for bad in 0..8 {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                team.split(&mut [(); 4], &mut [0u8; 8], 1, 8, |(), first, _| assert_ne!(first, bad));
            }));
            assert!(caught.is_err());
            let mut output = [0u8; 8];
            team.split(&mut [(); 4], &mut output, 1, 8, |(), _, part| part.fill(1));
            assert_eq!(output, [1; 8]);
        }
    }
}
