use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::*;
use crate::error::Result;
use crate::events::Event;

/// Keeps the numbers of frames and counts of events that it took; blocks while `held`.
struct Slow {
    taken: Taken,
    held: Arc<AtomicBool>,
    fails: bool,
}

impl Sink for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn wants_pictures(&self) -> bool {
        true
    }

    fn take(&mut self, moment: &Moment) -> Result<()> {
        while self.held.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        if self.fails {
            return Err(Error::input("disk", "no room", "some"));
        }
        self.taken.lock().unwrap().push((moment.frame, moment.events.len()));
        Ok(())
    }
}

/// Numbers of frames and counts of events.
type Taken = Arc<Mutex<Vec<(u64, usize)>>>;

fn slow(held: bool, fails: bool) -> (Outbox, Taken, Arc<AtomicBool>) {
    let (taken, held) = (Arc::default(), Arc::new(AtomicBool::new(held)));
    let sink = Slow { taken: Arc::clone(&taken), held: Arc::clone(&held), fails };
    (Outbox::new(Box::new(sink)), taken, held)
}

fn moment(frame: u64, eventful: bool) -> Arc<Moment> {
    let event = || Event::Appear { track: frame, label: "cat".into() };
    Arc::new(Moment {
        source: "cam".into(),
        frame,
        time: SystemTime::UNIX_EPOCH,
        width: 1,
        height: 1,
        tags: Vec::new(),
        detections: Vec::new(),
        tracks: Vec::new(),
        events: eventful.then(event).into_iter().collect(),
        outlines: Arc::new([]),
        timing: crate::sinks::Timing::default(),
        latency: Duration::ZERO,
        picture: None,
    })
}

#[test]
fn a_slow_sink_loses_frames_but_no_events() {
    let (outbox, taken, held) = slow(true, false);
    for frame in 0..1000 {
        outbox.offer(&moment(frame, frame % 10 == 3), false);
    }
    held.store(false, Ordering::Relaxed);
    drop(outbox);
    let taken = taken.lock().unwrap();
    assert_eq!(taken.iter().map(|(_, events)| events).sum::<usize>(), 100);
    assert!(taken.len() < 120, "{} moments", taken.len());
    assert!(taken.is_sorted(), "in order");
}

#[test]
fn a_source_that_waits_loses_nothing() {
    let (outbox, taken, held) = slow(true, false);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            held.store(false, Ordering::Relaxed);
        });
        for frame in 0..100 {
            outbox.offer(&moment(frame, false), true);
        }
    });
    assert_eq!(outbox.counts().lost_frames, 0);
    drop(outbox);
    assert_eq!(taken.lock().unwrap().len(), 100);
}

#[test]
fn errors_of_a_sink_are_counted_and_it_is_used_again() {
    let (outbox, ..) = slow(false, true);
    for frame in 0..5 {
        outbox.offer(&moment(frame, true), true);
    }
    while outbox.counts().failed < 5 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!((outbox.name(), outbox.is_gone(), outbox.counts().taken), ("slow", false, 0));
}
