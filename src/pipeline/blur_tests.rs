use super::*;

fn rect(x0: f32, y0: f32, x1: f32, y1: f32) -> Rect {
    Rect { x0, y0, x1, y1 }
}

impl Hidden {
    /// One that is hidden for itself.
    pub(in crate::pipeline) fn sure(rect: Rect, name: &str) -> Self {
        Self { rect, labels: [(name.into(), 1.0)], confident: true, embedding: Vec::new() }
    }
}

fn found(rect: Rect, score: f32) -> Hidden {
    Hidden { rect, labels: [("face".into(), score)], confident: score >= 0.1, embedding: Vec::new() }
}

fn veil() -> Veil {
    Veil::new(&Settings { lost_seconds: 0.0, ..Settings::default() }).unwrap()
}

/// Whether a box that is hidden holds all of `rect`.
fn holds(boxes: &[Rect], rect: Rect) -> bool {
    boxes.iter().any(|b| b.x0 <= rect.x0 && b.y0 <= rect.y0 && b.x1 >= rect.x1 && b.y1 >= rect.y1)
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_thing_is_hidden_from_the_first_frame_on_and_while_it_is_not_seen() {
    let (mut veil, face) = (veil(), rect(100.0, 100.0, 140.0, 150.0));
    assert!(holds(&veil.cover(Duration::ZERO, true, &[found(face, 0.5)]), with_margin(face)));
    // Missed by the detector for two seconds.
    for at in [100, 500, 1000, 1900] {
        assert!(holds(&veil.cover(MS * at, true, &[]), face), "{at} ms");
    }
    assert!(veil.cover(MS * 2200, true, &[]).is_empty());
    // Below the threshold it is not hidden for itself, but it continues what was.
    assert!(veil.cover(MS * 2300, true, &[found(face, 0.05)]).is_empty());
    veil.cover(MS * 2400, true, &[found(face, 0.2)]);
    for at in 0..60 {
        assert!(holds(&veil.cover(MS * (2500 + 100 * at), true, &[found(face, 0.05)]), face), "{at}");
    }
}

#[test]
fn between_two_looks_a_thing_is_hidden_wherever_it_may_be() {
    let mut veil = veil();
    let at = |ms: u32| rect(ms as f32 * 0.2, 50.0, ms as f32 * 0.2 + 40.0, 90.0);
    for look in 0..8 {
        veil.cover(MS * (look * 200), true, &[found(at(look * 200), 0.6)]);
    }
    let last = [found(at(1400), 0.6)];
    for ms in [1450, 1500, 1550, 1590] {
        let boxes = veil.cover(MS * ms, false, &last);
        assert!(holds(&boxes, at(ms)) && holds(&boxes, at(1400)), "{ms} ms");
    }
}

#[test]
fn boxes_follow_a_change_of_the_picture_s_size() {
    let (mut veil, face) = (veil(), rect(100.0, 100.0, 140.0, 150.0));
    veil.cover(Duration::ZERO, true, &[found(face, 0.5)]);
    veil.resize((640, 480), (320, 240));
    assert!(holds(&veil.cover(MS * 100, true, &[]), rect(50.0, 50.0, 70.0, 75.0)));
}
