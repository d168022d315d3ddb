use std::sync::Mutex;
use std::time::SystemTime;

use super::parcel::Parcel;
use super::queue::PICTURES;
use super::*;
use crate::error::Error;
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

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        while self.held.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        if self.fails {
            return Err(Error::device("disk", "no room", "some"));
        }
        self.taken.lock().unwrap().push((report.frame, report.events.len()));
        Ok(())
    }
}

impl PictureSink for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn take(&mut self, report: &FrameReport, _: Option<&Picture>) -> Result<()> {
        Sink::take(self, report)
    }
}

/// Waits until the sink has the report that was offered first. Before, a report may be in the queue or not.
fn wait_until_working<P: Parcel>(outbox: &Outbox<P>) {
    while outbox.shared.lock().working.is_none() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Numbers of frames and counts of events.
type Taken = Arc<Mutex<Vec<(u64, usize)>>>;

fn slow(held: bool, fails: bool) -> (Outbox<Arc<FrameReport>>, Taken, Arc<AtomicBool>) {
    let (taken, held) = (Arc::default(), Arc::new(AtomicBool::new(held)));
    let sink = Slow { taken: Arc::clone(&taken), held: Arc::clone(&held), fails };
    (Outbox::<Arc<FrameReport>>::new(Box::new(sink)).unwrap(), taken, held)
}

fn frame_report(frame: u64, eventful: bool) -> Arc<FrameReport> {
    let event = || Event::Appear { track: frame, label: "cat".into() };
    Arc::new(FrameReport {
        source: "cam".into(),
        frame,
        time: SystemTime::UNIX_EPOCH,
        width: 1,
        height: 1,
        looked: true,
        tags: Vec::new(),
        detections: Vec::new(),
        tracks: Vec::new(),
        events: eventful.then(event).into_iter().collect(),
        features: Vec::new(),
        sightings: Vec::new(),
        crops: Vec::new(),
        outlines: Arc::new([]),
        timing: crate::report::LiveTiming::default(),
        latency: Duration::ZERO,
    })
}

/// Waits for these sinks.
fn finished(reports: Vec<Outbox<Arc<FrameReport>>>, stop: bool) -> Outboxes {
    let outboxes = Outboxes { reports, pictures: Vec::new() };
    outboxes.finish(&AtomicBool::new(stop));
    outboxes
}

#[test]
fn a_slow_sink_loses_frames_but_no_events() {
    let (outbox, taken, held) = slow(true, false);
    for frame in 0..1000 {
        outbox.offer(frame_report(frame, frame % 10 == 3));
    }
    held.store(false, Ordering::Relaxed);
    finished(vec![outbox], false);
    let taken = taken.lock().unwrap();
    assert_eq!(taken.iter().map(|(_, events)| events).sum::<usize>(), 100);
    assert!(taken.len() < 120, "{} reports", taken.len());
    assert!(taken.is_sorted(), "in order");
}

#[test]
fn who_waits_while_it_is_full_loses_nothing() {
    let (outbox, taken, held) = slow(true, false);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            held.store(false, Ordering::Relaxed);
        });
        for frame in 0..100 {
            while outbox.is_full() {
                thread::sleep(Duration::from_millis(1));
            }
            outbox.offer(frame_report(frame, false));
        }
    });
    let outboxes = finished(vec![outbox], false);
    assert_eq!(outboxes.reports[0].counts(), SinkCounts { taken: 100, ..SinkCounts::default() });
    assert_eq!(taken.lock().unwrap().len(), 100);
}

#[test]
fn errors_of_a_sink_are_counted_and_it_is_used_again() {
    let (outbox, ..) = slow(false, true);
    for frame in 0..5 {
        outbox.offer(frame_report(frame, true));
    }
    while outbox.counts().failed < 5 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!((outbox.name(), outbox.is_gone(), outbox.counts().taken), ("slow", false, 0));
}

#[test]
fn the_end_does_not_wait_long_for_a_sink_that_is_stuck() {
    let (stuck, _, held) = slow(true, false);
    let (quick, taken, _) = slow(false, false);
    for frame in 0..6 {
        stuck.offer(frame_report(frame, frame % 2 == 0));
        quick.offer(frame_report(frame, true));
    }
    while quick.counts().taken < 6 {
        thread::sleep(Duration::from_millis(1));
    }
    let since = Instant::now();
    let outboxes = finished(vec![stuck, quick], true);
    assert!(since.elapsed() >= GRACE);
    assert_eq!(
        outboxes.reports[0].counts(),
        SinkCounts { lost_frames: 3, lost_events: 3, ..SinkCounts::default() }
    );
    assert_eq!(taken.lock().unwrap().len(), 6);
    held.store(false, Ordering::Relaxed);
}

#[test]
fn pictures_of_what_waits_for_long_are_given_up() {
    let held = Arc::new(AtomicBool::new(true));
    let sink = Slow { taken: Arc::default(), held: Arc::clone(&held), fails: false };
    let outbox = Outbox::<Shown>::new(Box::new(sink)).unwrap();
    for frame in 0..50 {
        let picture = Picture { name: String::new(), width: 1, height: 1, data: vec![0; 3] };
        outbox.offer(Shown { report: frame_report(frame, true), picture: Some(Arc::new(picture)) });
        wait_until_working(&outbox);
    }
    let queue = outbox.shared.lock();
    assert_eq!(queue.parcels.iter().filter(|(_, shown)| shown.picture.is_some()).count(), PICTURES);
    assert_eq!((queue.parcels.len(), queue.counts.lost_frames), (49, 17));
    held.store(false, Ordering::Relaxed);
}

#[test]
fn pixels_wait_for_sinks_of_pictures_alone() {
    let mut outboxes = Outboxes::default();
    let (words, taken, _) = slow(false, false);
    outboxes.reports.push(words);
    assert!(!outboxes.want_pictures());
    let held = Arc::new(AtomicBool::new(true));
    let screen = Slow { taken: Arc::default(), held: Arc::clone(&held), fails: false };
    outboxes.add_picture_sink(Box::new(screen)).unwrap();
    assert!(outboxes.want_pictures());
    let report = FrameReport::clone(&frame_report(1, true));
    let picture = Picture { name: String::new(), width: 1, height: 1, data: vec![0; 3] };
    for _ in 0..3 {
        outboxes.offer(report.clone(), Some(picture.clone()));
        wait_until_working(&outboxes.pictures[0]);
    }
    let waiting = outboxes.pictures[0].shared.lock();
    assert!(waiting.parcels.iter().all(|(_, shown)| shown.picture.is_some()));
    drop(waiting);
    held.store(false, Ordering::Relaxed);
    outboxes.finish(&AtomicBool::new(false));
    assert_eq!(taken.lock().unwrap().len(), 3);
}
