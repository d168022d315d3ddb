use std::collections::BTreeMap;

use super::*;

const SIZE: u32 = 64;
const WHOLE: Rect = Rect { x0: 0.0, y0: 0.0, x1: 64.0, y1: 64.0 };

fn rect(x0: f32, y0: f32, x1: f32, y1: f32) -> Rect {
    Rect { x0, y0, x1, y1 }
}

fn map(channels: usize, side: usize, value: impl Fn(usize, usize, usize) -> f32) -> FeatureMap {
    let cells = (0..side * side).flat_map(|i| (0..channels).map(move |c| (c, i / side, i % side)));
    let data = cells.map(|(c, y, x)| value(c, y, x)).collect();
    FeatureMap { channels, width: side, height: side, data }
}

fn output(maps: Vec<(&str, FeatureMap)>) -> VisionOutput {
    let maps: BTreeMap<_, _> = maps.into_iter().map(|(name, map)| (name.to_owned(), map)).collect();
    let dense = FeatureMap { channels: 0, width: 0, height: 0, data: Vec::new() };
    VisionOutput { image: Vec::new(), levels: Vec::new(), maps, dense }
}

fn pool(maps: &[&str], limits: &[f32]) -> Pool {
    let maps = maps.iter().map(|&name| name.to_owned()).collect();
    Pool { maps, limits: limits.to_vec(), expand: 1.0, square: false, samples: 4 }
}

fn vector(out: &VisionOutput, pools: &[Pool], size: u32, content: &Rect, rect: &Rect) -> Result<Vec<f32>> {
    let mut vector = Vec::new();
    super::vector(Isa::SCALAR, out, pools, size, content, rect, &mut vector)?;
    Ok(vector)
}

fn noise(c: usize, y: usize, x: usize) -> f32 {
    ((c * 7919 + y * 104_729 + x * 1_299_709) % 1000) as f32 / 1000.0
}

/// The formula of `docs/architecture.md`, sample by sample.
fn naive(map: &FeatureMap, around: &Rect, samples: usize) -> Vec<f32> {
    let stride = SIZE as f32 / map.width as f32;
    let coordinate = |from: f32, to: f32, i: usize| {
        let pixel = from + (i as f32 + 0.5) / samples as f32 * (to - from);
        (pixel / stride - 0.5).clamp(0.0, (map.width - 1) as f32)
    };
    let mut means = vec![0.0; map.channels];
    for i in 0..samples * samples {
        let u = coordinate(around.x0, around.x1, i % samples);
        let v = coordinate(around.y0, around.y1, i / samples);
        let (x, y) = (u.floor() as usize, v.floor() as usize);
        let (x2, y2) = ((x + 1).min(map.width - 1), (y + 1).min(map.height - 1));
        let (a, b) = (u - x as f32, v - y as f32);
        for (c, mean) in means.iter_mut().enumerate() {
            let at = |y: usize, x: usize| map.data[(y * map.width + x) * map.channels + c];
            let above = at(y, x) * (1.0 - a) + at(y, x2) * a;
            let below = at(y2, x) * (1.0 - a) + at(y2, x2) * a;
            *mean += (above * (1.0 - b) + below * b) / (samples * samples) as f32;
        }
    }
    means
}

#[test]
fn a_ramp_yields_the_centre_of_the_box() {
    // Cell x holds its own centre in pixels, 8x + 4, so a sample's value is its own position.
    let out = output(vec![("ramp", map(1, 8, |_, _, x| 8.0 * x as f32 + 4.0))]);
    let found = vector(&out, &[pool(&["ramp"], &[])], SIZE, &WHOLE, &rect(13.0, 8.0, 31.0, 40.0)).unwrap();
    assert!((found[0] - 22.0).abs() < 1e-5, "{found:?}");
    assert_eq!(found[1..], [(18.0f32 / 64.0).ln(), 0.5f32.ln()]);
}

#[test]
fn samples_beyond_the_outer_cell_centres_are_clamped() {
    let out = output(vec![("ramp", map(1, 8, |_, _, x| x as f32))]);
    let found = vector(&out, &[pool(&["ramp"], &[])], SIZE, &WHOLE, &rect(0.0, 0.0, 4.0, 4.0)).unwrap();
    assert_eq!(found[0], 0.0);
    let found = vector(&out, &[pool(&["ramp"], &[])], SIZE, &WHOLE, &rect(60.0, 0.0, 64.0, 4.0)).unwrap();
    assert_eq!(found[0], 7.0);
}

#[test]
fn separable_sums_equal_the_formula_sample_by_sample() {
    let (fine, coarse) = (map(5, 16, noise), map(3, 2, noise));
    let out = output(vec![("fine", fine.clone()), ("coarse", coarse.clone())]);
    let content = rect(0.0, 9.0, 64.0, 55.0);
    for samples in [1, 2, 3, 7] {
        for r in [rect(3.0, 11.0, 60.0, 50.0), rect(20.0, 20.0, 20.5, 54.0), rect(-9.0, 0.0, 80.0, 70.0)] {
            let mut pools = [pool(&["fine"], &[]), pool(&["coarse"], &[])];
            pools[0].samples = samples;
            (pools[1].expand, pools[1].square) = (1.7, true);
            let found = vector(&out, &pools, SIZE, &content, &r).unwrap();
            let mut expected = naive(&fine, &r.clip(&content), samples);
            expected.extend(naive(&coarse, &r.expand(1.7, true).clip(&content), 4));
            assert_eq!(found.len(), expected.len() + 2);
            for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
                assert!((a - b).abs() < 1e-5, "{r:?}, {samples} samples, feature {i}: {a} for {b}");
            }
        }
    }
}

#[test]
fn the_box_size_chooses_the_map() {
    let names = ["small", "middle", "large"];
    let maps = names.iter().enumerate().map(|(i, &name)| (name, map(1, 4, move |_, _, _| i as f32)));
    let out = output(maps.collect());
    let pools = [pool(&names, &[16.0, 32.0])];
    for (side, chosen) in [(1.0, 0.0), (15.9, 0.0), (16.0, 1.0), (31.9, 1.0), (32.0, 2.0), (64.0, 2.0)] {
        let found = vector(&out, &pools, SIZE, &WHOLE, &rect(0.0, 0.0, side, side)).unwrap();
        assert!((found[0] - chosen).abs() < 1e-6, "a side of {side}: {found:?}");
    }
}

#[test]
fn boxes_without_area_are_errors() {
    let out = output(vec![("map", map(1, 4, noise))]);
    for r in [
        rect(5.0, 5.0, 5.0, 9.0),
        rect(9.0, 5.0, 5.0, 9.0),
        rect(0.0, 0.0, f32::NAN, 1.0),
        rect(0.0, 0.0, f32::INFINITY, 1.0),
        rect(f32::NEG_INFINITY, 0.0, 1.0, 1.0),
    ] {
        let error = vector(&out, &[pool(&["map"], &[])], SIZE, &WHOLE, &r).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{r:?}: {error}");
    }
}

#[test]
fn a_missing_map_is_our_bug() {
    let error = vector(&output(Vec::new()), &[pool(&["map"], &[])], SIZE, &WHOLE, &WHOLE).unwrap_err();
    assert_eq!(error.exit_code(), 70);
}
