use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::*;
use crate::source::{CapturedFrame, Encoding, Live, Next, Picture};

/// Shows the cat so many times; then ends, or falls silent.
struct Cat {
    picture: Picture,
    left: u64,
    silent: bool,
}

impl Cat {
    fn times(left: u64) -> Self {
        Self { picture: Picture::open("tests/data/cat.jpg").unwrap(), left, silent: false }
    }
}

impl Live for Cat {
    fn name(&self) -> &str {
        "window"
    }

    fn waits(&self) -> bool {
        true
    }

    fn next(&mut self, shot: &mut CapturedFrame) -> Result<Next> {
        if self.left == 0 {
            thread::sleep(Duration::from_millis(10));
            return Ok(if self.silent { Next::Nothing } else { Next::End });
        }
        self.left -= 1;
        let Picture { width, height, ref data, .. } = self.picture;
        let stride = width as usize * 3;
        let encoding = Encoding::Raw { width, height, stride, format: crate::frame::PixelFormat::Rgb8 };
        shot.fill(data, encoding, 0);
        Ok(Next::Frame)
    }
}

/// Remembers what it took.
struct Memory<T>(Arc<Mutex<Vec<T>>>);

impl Sink for Memory<FrameReport> {
    fn name(&self) -> &str {
        "memory"
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        self.0.lock().unwrap().push(report.clone());
        Ok(())
    }
}

impl PictureSink for Memory<Picture> {
    fn name(&self) -> &str {
        "screen"
    }

    fn take(&mut self, _: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        self.0.lock().unwrap().extend(picture.cloned());
        Ok(())
    }
}

fn watching(source: Cat) -> WatcherBuilder {
    Watcher::builder().own_source(source).prompts(["pet = cat"]).threads(1)
}

#[test]
fn every_report_of_an_own_source_reaches_own_sinks_and_the_caller() {
    let (seen, shown) = (Arc::default(), Arc::default());
    let (sink, screen) = (Memory(Arc::clone(&seen)), Memory::<Picture>(Arc::clone(&shown)));
    let config = "zone = [{ name = 'all', box = [0, 0, 1, 1] }]\ntrack.confirm_hits = 1";
    let watcher = watching(Cat::times(3)).sink(sink).picture_sink(screen).config(config).build().unwrap();
    assert!(format!("{watcher:?}").contains("window"));
    let mut frames = Vec::new();
    let ended = watcher.run_with(|report| {
        assert_eq!((&*report.source, &*report.detections[0].label), ("window", "pet"));
        frames.push(report.tracks.len());
        ControlFlow::Continue(())
    });
    ended.unwrap();
    assert_eq!(frames.len(), 3);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].outlines.len(), shown.lock().unwrap().len()), (1, 3));
    let cat = Picture::open("tests/data/cat.jpg").unwrap();
    assert!(shown.lock().unwrap().iter().all(|picture| picture.data == cat.data));
    assert!(!seen[0].events.is_empty() && frames[0] > 0, "{:?}", seen[0]);
}

#[test]
fn the_caller_ends_the_loop_by_a_break_a_panic_or_a_handle() {
    let forever = || Cat { silent: true, ..Cat::times(2) };
    let mut count = 0;
    let broken = watching(forever()).build().unwrap().run_with_pictures(|_, picture| {
        assert!(picture.is_some());
        count += 1;
        ControlFlow::Break(())
    });
    broken.unwrap();
    assert_eq!(count, 1);

    let watcher = watching(forever()).build().unwrap();
    let panic = std::panic::AssertUnwindSafe(|| watcher.run_with(|_| panic!("the caller's")));
    let watcher = std::panic::catch_unwind(panic);
    assert!(watcher.is_err());

    let watcher = watching(forever()).build().unwrap();
    let stop = watcher.stop_handle();
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            stop.stop();
        });
        watcher.run().unwrap();
    });
    assert!(stop.is_stopped() && started.elapsed() >= Duration::from_millis(300));
}

#[test]
fn settings_come_from_methods_and_from_a_configuration_alike() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edgeclip.toml");
    std::fs::write(&file, "prompt = 'dog'\nframes = 1\nthreshold = 0.99\n").unwrap();
    let mut found = Vec::new();
    let watcher = watching(Cat::times(3)).config_file(&file).threshold(0.2).build().unwrap();
    let watched = watcher.run_with(|report| {
        found.extend(report.detections.iter().map(|detection| detection.label.to_string()));
        ControlFlow::Continue(())
    });
    watched.unwrap();
    assert_eq!(found, ["pet"]);
}

#[test]
fn what_cannot_be_used_is_named() {
    let error = |builder: WatcherBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(error(Watcher::builder()), "source: found no source, expected for example /dev/video0");
    let nothing = Watcher::builder().own_source(Cat::times(1));
    assert!(error(nothing).starts_with("prompt: found nothing to look for"));
    let misspelt = watching(Cat::times(1)).config("fps = 5\ntreshold = 0.4");
    assert!(error(misspelt).starts_with("configuration, line 2: found "));
    assert!(error(watching(Cat::times(1)).threshold(7.0)).starts_with("threshold: found 7"));
    assert!(error(watching(Cat::times(1)).source("no/such")).contains("no/such"));
}
