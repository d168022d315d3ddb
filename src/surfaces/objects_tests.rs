use super::*;
use crate::report::Findings;
use crate::source::Picture;

fn track(id: u64, score: f32, x: f32) -> Track {
    let rect = Rect { x0: x, y0: 0.0, x1: x + 10.0, y1: 20.0 };
    Track { id, label: "cat".into(), score, rect, velocity: [0.0; 2], seen: true, age: Duration::ZERO }
}

fn report(seconds: f64, tracks: Vec<Track>, events: Vec<Event>) -> FrameReport {
    let picture = Picture { name: String::new(), width: 100, height: 50, data: vec![0; 15_000] };
    let mut report = FrameReport::of_picture("yard", &picture, Findings::default());
    report.time = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1000.0 + seconds);
    (report.tracks, report.events) = (tracks, events);
    report
}

fn follow(objects: &mut Objects, seconds: f64, tracks: Vec<Track>, events: Vec<Event>) -> Vec<Change> {
    objects.follow("yard", &report(seconds, tracks, events), true, |zone| Some(zone.to_owned()))
}

fn after(change: &Change) -> Value {
    serde_json::from_str::<Value>(&change.payload).unwrap()["after"].clone()
}

fn kinds(changes: &[Change]) -> Vec<(&'static str, bool)> {
    changes.iter().map(|change| (change.kind, change.is_best)).collect()
}

#[test]
fn what_has_not_moved_for_ten_seconds_stands_still_until_it_moves() {
    let mut objects = Objects::default();
    assert_eq!(kinds(&follow(&mut objects, 0.0, vec![track(1, 0.5, 0.0)], Vec::new())), [("new", true)]);
    for second in 1..10 {
        assert!(follow(&mut objects, f64::from(second), vec![track(1, 0.5, 1.0)], Vec::new()).is_empty());
    }
    assert_eq!(objects.counts()["cat"], Count { all: 1, active: 1 });
    let still = follow(&mut objects, 10.0, vec![track(1, 0.5, 0.0)], Vec::new());
    assert_eq!(kinds(&still), [("update", false)]);
    let state = after(&still[0]);
    assert_eq!((&state["stationary"], &state["motionless_count"]), (&true.into(), &11.into()));
    assert_eq!(objects.counts()["cat"], Count { all: 1, active: 0 });
    let moved = follow(&mut objects, 11.0, vec![track(1, 0.5, 30.0)], Vec::new());
    let state = after(&moved[0]);
    assert_eq!((&state["active"], &state["position_changes"]), (&true.into(), &1.into()));
    assert_eq!(objects.counts()["cat"], Count { all: 1, active: 1 });
}

#[test]
fn a_better_picture_is_told_but_not_with_every_frame() {
    let mut objects = Objects::default();
    follow(&mut objects, 0.0, vec![track(1, 0.5, 0.0)], Vec::new());
    assert!(follow(&mut objects, 0.5, vec![track(1, 0.7, 0.0)], Vec::new()).is_empty());
    let better = follow(&mut objects, 2.5, vec![track(1, 0.8, 0.0)], Vec::new());
    assert_eq!(kinds(&better), [("update", true)]);
    assert_eq!(after(&better[0])["snapshot"]["score"], 0.8);
    assert!(follow(&mut objects, 5.0, vec![track(1, 0.6, 0.0)], Vec::new()).is_empty());
    let renamed = Track { label: "dog".into(), ..track(1, 0.6, 0.0) };
    let changes = follow(&mut objects, 6.0, vec![renamed.clone()], Vec::new());
    assert_eq!(
        (kinds(&changes), changes[0].renamed, &*changes[0].label),
        (vec![("update", false)], true, "dog")
    );
    assert!(follow(&mut objects, 6.5, vec![renamed], Vec::new()).is_empty());
    follow(&mut objects, 7.0, vec![track(1, 0.6, 0.0)], Vec::new());
    // Predicted, not seen.
    let hidden = Track { seen: false, ..track(1, 0.99, 0.0) };
    assert!(follow(&mut objects, 7.5, vec![hidden], Vec::new()).is_empty());
}

#[test]
fn zones_come_and_go_and_the_end_is_told_once() {
    let mut objects = Objects::default();
    let label: Arc<str> = "cat".into();
    let enter = |zone: &str| Event::Enter { zone: zone.into(), track: 1, label: "cat".into() };
    let leave = |zone: &str| Event::Leave {
        zone: zone.into(),
        track: 1,
        label: "cat".into(),
        stayed: Duration::ZERO,
    };
    follow(&mut objects, 0.0, vec![track(1, 0.5, 0.0), track(2, 0.5, 50.0)], vec![enter("a")]);
    let changes = follow(
        &mut objects,
        1.0,
        vec![track(1, 0.5, 0.0), track(2, 0.5, 50.0)],
        vec![leave("a"), enter("b")],
    );
    assert_eq!(kinds(&changes), [("update", false)]);
    let state = after(&changes[0]);
    assert_eq!(
        (&state["current_zones"], &state["entered_zones"]),
        (&serde_json::json!(["b"]), &serde_json::json!(["a", "b"]))
    );
    let gone = Event::Disappear { track: 1, label, stayed: Duration::ZERO };
    let changes = follow(&mut objects, 4.0, vec![track(2, 0.5, 50.0)], vec![gone.clone()]);
    assert_eq!((kinds(&changes), &after(&changes[0])["end_time"]), (vec![("end", false)], &1001.0.into()));
    assert!(follow(&mut objects, 5.0, vec![track(2, 0.5, 50.0)], vec![gone]).is_empty());
    let ids: Vec<String> = objects.end("yard", true).into_iter().map(|change| change.id).collect();
    assert_eq!(ids.len(), 1);
    assert!(ids[0].starts_with("1000.000000-") && ids[0] != changes[0].id, "{ids:?}");
    assert!(objects.counts().is_empty());
}
