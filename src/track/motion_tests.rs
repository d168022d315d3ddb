use super::*;

fn rect(x: f32, y: f32, width: f32, height: f32) -> Rect {
    Rect { x0: x - width / 2.0, y0: y - height / 2.0, x1: x + width / 2.0, y1: y + height / 2.0 }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

/// The textbook form with full matrices: P ← F P Fᵀ + Q, K = P Hᵀ / S, P ← (I − K H) P.
#[test]
fn an_axis_matches_the_textbook_filter() {
    let (value_noise, rate_noise, variance) = (0.3, 2.0, 0.5);
    let mut axis = Axis::new(10.0, 4.0, 9.0);
    let (mut x, mut p) = ([10.0, 0.0], [[4.0, 0.0], [0.0, 9.0]]);
    for (dt, measured) in [(0.1, 11.0), (0.0, 10.5), (1.7, 20.0), (0.03, 19.0)] {
        let f = [[1.0, dt], [0.0, 1.0]];
        x = [x[0] + dt * x[1], x[1]];
        let multiply = |a: [[f64; 2]; 2], b: [[f64; 2]; 2]| {
            [0, 1].map(|i| [0, 1].map(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j]))
        };
        p = multiply(multiply(f, p), [[1.0, 0.0], [dt, 1.0]]);
        p[0][0] += value_noise * dt + rate_noise * dt.powi(3) / 3.0;
        p[0][1] += rate_noise * dt * dt / 2.0;
        p[1][0] += rate_noise * dt * dt / 2.0;
        p[1][1] += rate_noise * dt;
        let gain = [p[0][0] / (p[0][0] + variance), p[1][0] / (p[0][0] + variance)];
        let innovation = measured - x[0];
        x = [x[0] + gain[0] * innovation, x[1] + gain[1] * innovation];
        p = multiply([[1.0 - gain[0], 0.0], [-gain[1], 1.0]], p);

        axis.predict(dt, (dt, 1.0), value_noise, rate_noise);
        axis.correct(measured, variance);
        let ours = [axis.value, axis.rate, axis.value_variance, axis.covariance, axis.rate_variance];
        for (a, b) in ours.into_iter().zip([x[0], x[1], p[0][0], p[0][1], p[1][1]]) {
            assert!(near(a, b), "{ours:?} {x:?} {p:?}");
        }
    }
}

#[test]
fn velocity_is_learnt_from_irregular_times() {
    let settings = Settings::default();
    let mut motion = Motion::new(&rect(100.0, 100.0, 40.0, 60.0), &settings);
    let mut t = 0.0;
    for step in [0.1, 0.25, 0.05, 0.4, 0.1, 0.3, 0.2, 0.1] {
        t += step;
        motion.predict(step, false, &settings);
        let (x, y) = (100.0 + 80.0 * t as f32, 100.0 - 30.0 * t as f32);
        motion.correct(&rect(x, y, 40.0, 60.0), 1.0, &settings);
    }
    let [right, down] = motion.velocity();
    assert!((right - 80.0).abs() < 4.0 && (down + 30.0).abs() < 4.0, "{right} {down}");
    motion.predict(0.5, false, &settings);
    let expected = rect(100.0 + 80.0 * (t as f32 + 0.5), 100.0 - 30.0 * (t as f32 + 0.5), 40.0, 60.0);
    assert!(motion.rect().iou(&expected) > 0.9, "{:?} {expected:?}", motion.rect());
}

#[test]
fn an_object_out_of_sight_comes_to_rest_and_keeps_its_size() {
    let settings = Settings::default();
    let mut motion = Motion::new(&rect(0.0, 0.0, 40.0, 60.0), &settings);
    for i in 1..20u8 {
        motion.predict(0.1, false, &settings);
        motion.correct(&rect(10.0 * f32::from(i), 0.0, 40.0 + f32::from(i), 60.0), 1.0, &settings);
    }
    let (before, speed) = (motion.rect(), motion.velocity()[0]);
    motion.predict(1e4, true, &settings);
    let moved = motion.rect().x0 + motion.rect().x1 - before.x0 - before.x1;
    // Speed falls to 1/e per second, so the remaining distance is one second at the old speed.
    assert!((moved / 2.0 - speed).abs() < 1.0, "{moved} {speed}");
    assert!((motion.rect().width() - before.width()).abs() < 1e-3);
}

#[test]
fn every_state_stays_finite() {
    let settings = Settings::default();
    let boxes = [rect(0.0, 0.0, 1e-3, 1e-3), rect(-9e5, 9e5, 1e5, 1e-2), rect(5.0, 5.0, 10.0, 10.0)];
    for first in &boxes {
        for dt in [0.0, 1e-9, 0.03, 1e3, 1e9, 1.8e19] {
            for coasting in [false, true] {
                let mut motion = Motion::new(first, &settings);
                for seen in &boxes {
                    motion.predict(dt, coasting, &settings);
                    assert!(motion.distance(seen, &settings).is_finite());
                    motion.correct(seen, if coasting { 2.0 } else { 1.0 }, &settings);
                    let r = motion.rect();
                    let all = [r.x0, r.y0, r.x1, r.y1, motion.velocity()[0], motion.velocity()[1]];
                    assert!(all.iter().all(|v| v.is_finite()) && r.x1 >= r.x0, "{all:?} after {dt} s");
                    assert!(motion.axes.iter().all(|a| a.value_variance >= 0.0 && a.rate_variance >= 0.0));
                }
            }
        }
    }
}

#[test]
fn a_change_of_picture_size_scales_the_state() {
    let settings = Settings::default();
    let mut motion = Motion::new(&rect(100.0, 100.0, 40.0, 60.0), &settings);
    motion.predict(0.1, false, &settings);
    motion.correct(&rect(110.0, 100.0, 40.0, 60.0), 1.0, &settings);
    let (before, speed) = (motion.rect(), motion.velocity());
    motion.scale(0.5, 2.0);
    let after = motion.rect();
    let pairs = [(after.x0, before.x0 / 2.0), (after.x1, before.x1 / 2.0), (after.y0, before.y0 * 2.0)];
    assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-3), "{before:?} {after:?}");
    assert_eq!(motion.velocity(), [speed[0] / 2.0, speed[1] * 2.0]);
}
