use std::cell::Cell;

use super::super::blur::Hidden;
use super::*;
use crate::config::{Settings, SourceSettings};
use crate::frame::PixelFormat;
use crate::model::Bundle;
use crate::vocabulary::Vocabulary;

const SIDE: usize = 64;

/// A source that tells of a tag once it has held for a second.
fn state() -> SourceState {
    let bundle = Bundle::embedded().unwrap();
    let bank = Vocabulary::bank(&bundle).unwrap();
    let mut settings = Settings { source: vec![SourceSettings::default()], ..Settings::default() };
    (settings.scene.hold, settings.scene.smoothing) = (1.0, 0.0);
    let plan =
        Plan::new(&settings, bank, None, &bundle.manifest.score, |_| panic!("no zone has prompts")).unwrap();
    SourceState::new("cam".into(), Arc::default(), &plan, 0).unwrap()
}

/// Frame by frame, all of which look alike: whether each was looked at, what it tells, and what it hides.
struct Scene {
    state: SourceState,
    looks: Cell<usize>,
}

impl Scene {
    /// A frame at so many milliseconds; whoever looks at it finds a face at `x`.
    fn at(&mut self, ms: u64, due: bool, veiled: bool, x: f32) -> (usize, usize, Option<Vec<f32>>) {
        let data = [100; SIDE * SIDE];
        let frame = Frame::new(&data, SIDE as u32, SIDE as u32, SIDE, PixelFormat::Grey8).unwrap();
        let rect = Rect { x0: x, y0: 10.0, x1: x + 10.0, y1: 20.0 };
        let look = |_: &[Tile]| {
            self.looks.set(self.looks.get() + 1);
            let mut result = FrameResult::default();
            result.hidden = vec![Hidden::sure(rect, "face")];
            result.scene = vec![("cat".into(), 1.0)];
            Ok(result)
        };
        let asked = Asked { due, skip_still: true, input: 320, veiled };
        let step = self.state.advance(Duration::from_millis(ms), asked, &frame, None, look).unwrap();
        let centres = |boxes: Vec<Rect>| boxes.iter().map(|b| f32::midpoint(b.x0, b.x1) - 5.0).collect();
        (self.looks.take(), step.events.len(), step.hidden.map(centres))
    }
}

#[test]
fn a_picture_is_shown_only_if_somebody_has_looked_for_what_it_must_not_show() {
    let mut scene = Scene { state: state(), looks: Cell::new(0) };
    let (looks, events, hidden) = scene.at(0, true, true, 7.0);
    assert_eq!((looks, events), (1, 0));
    assert!(hidden.unwrap().contains(&7.0));
    // Between two looks, and where nothing seems to have moved, nobody has.
    assert_eq!(scene.at(300, false, true, 40.0), (0, 0, None));
    assert_eq!(scene.at(600, true, true, 40.0), (0, 0, None));
    // The picture of an event is wanted.
    let (looks, events, hidden) = scene.at(1200, true, true, 40.0);
    assert_eq!((looks, events), (1, 1));
    assert!(hidden.unwrap().contains(&40.0));
}

#[test]
fn a_recording_gets_to_its_next_look_however_often_cameras_are_due() {
    let (mut camera, mut film) = (state(), state());
    let second = Duration::from_secs(1);
    film.serve(Duration::ZERO, Instant::now(), second);
    camera.serve(Duration::ZERO, Instant::now(), second);
    // The camera, which was served last, is due again, and the film's next frames are not.
    let early = second / 2;
    assert!(film.rank(early, true) < camera.rank(second, false));
    // A look at a frame between two looks is a turn as well.
    film.looked_besides();
    assert!(film.rank(early, true) > camera.rank(second, false));
    // Of cameras, those that are due come first.
    assert!(camera.rank(second, false) < film.rank(early, false));
}

#[test]
fn without_anything_to_hide_nobody_looks_for_it() {
    let mut scene = Scene { state: state(), looks: Cell::new(0) };
    assert_eq!(scene.at(0, true, false, 7.0).0, 1);
    for ms in [300, 600, 900, 1200] {
        let (looks, _, hidden) = scene.at(ms, ms % 600 == 0, false, 40.0);
        assert!(looks == 0 && hidden.is_some(), "{ms} ms");
    }
}
