use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::*;

fn close(found: f32, expected: f64) {
    assert!((f64::from(found) - expected).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn vectors_are_rounded_by_their_largest_value_and_keep_unit_length() {
    // 127 / 4: 3 becomes 95.25, −1 becomes −31.75, 0.5 becomes 15.875.
    let vector = FeatureVector::quantised(&[3.0, -4.0, -1.0, 0.5]).unwrap();
    assert_eq!(vector.values, [95, -127, -32, 16]);
    close(vector.scale, 4.0 / 127.0 / 26.25f64.sqrt());
    // Ties go to even: 127 / 254 = ½.
    assert_eq!(FeatureVector::quantised(&[254.0, 1.0, 3.0, -3.0]).unwrap().values, [127, 0, 2, -2]);
    for bad in [&[0.0, 0.0][..], &[], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0], &[1e-45, 0.0]] {
        assert_eq!(FeatureVector::quantised(bad), None, "{bad:?}");
    }
}

#[test]
fn cosines_are_products_of_int8_times_both_scales() {
    let a = FeatureVector { values: vec![127, -10], scale: 0.007 };
    let b = FeatureVector { values: vec![100, 127], scale: 0.006 };
    let expected = 11_430.0f32 * 0.006 * 0.007;
    assert_eq!(a.cosine(&b), expected);
    let table = table(Isa::SCALAR, 2, vec![b.scale], |input, _| b.values[input]);
    assert_eq!(cosines(&table, &[&a, &a]), [expected; 2]);
}

/// A space of two features, projected to one, beside embeddings of two values, with two rows in its bank.
pub(crate) fn space() -> FeatureSpace {
    let pool = |samples, embedding| ExamplePool {
        maps: vec!["map".into()],
        limits: Vec::new(),
        expand: 1.0,
        square: false,
        samples,
        embedding,
        beside_words: [[0.5, 1.0, 2.0, 10.0], [0.25, 3.0, 4.0, 20.0]],
        alone: [[2.0, 1.0], [4.0, 0.0]],
        trust: None,
    };
    let settings = ExampleSettings {
        region: pool(1, 0.5),
        picture: pool(2, 2.0),
        scale: 2.0,
        floor: 0.5,
        counter_scale: 3.0,
        sharpness: 4.0,
        ridge: None,
    };
    let rows = [[127i8, 0, 0], [0, 127, 0]];
    FeatureSpace {
        isa: Isa::SCALAR,
        region: settings.region.pool(),
        settings,
        size: 16,
        mean: vec![1.0, 2.0],
        deviation: vec![0.5, 4.0],
        projection: table(Isa::SCALAR, 2, vec![0.25], |input, _| [-3, 1][input]),
        region_centre: vec![0.0, 0.2],
        picture_centre: vec![0.0, 0.0],
        bank: table(Isa::SCALAR, 3, vec![1.0 / 127.0; 2], |input, row| rows[row][input]),
        everyday: rows.map(|row| FeatureVector { values: row.to_vec(), scale: 1.0 / 127.0 }).to_vec(),
        regression: OnceLock::new(),
    }
}

#[test]
fn a_box_is_pooled_standardised_projected_and_joined_with_its_embedding() {
    let data = vec![1.0, 6.0, 3.0, 2.0, 1.0, 6.0, 3.0, 2.0];
    let map = crate::model::FeatureMap { channels: 2, width: 2, height: 2, data };
    let dense = crate::model::FeatureMap { channels: 0, width: 0, height: 0, data: Vec::new() };
    let maps = [("map".to_owned(), map)].into();
    let out = VisionOutput { image: vec![0.0, -3.0], levels: Vec::new(), maps, dense };
    let content = Rect { x0: 0.0, y0: 0.0, x1: 16.0, y1: 16.0 };
    let left = Rect { x0: 0.0, y0: 0.0, x1: 8.0, y1: 16.0 };
    let right = Rect { x0: 8.0, ..content };
    let embedding = [0.6f32, 0.8];
    // Right: (3 − 1) / ½ = 4 and (2 − 2) / 4 = 0, in int8 127 and 0, projected to −3 · 127 / 4, of unit length −1.
    // The embedding less its centre is (.6, .6), of unit length (√½, √½), of which half counts.
    // Left: 0 and (6 − 2) / 4 = 1, projected to 127 / 4.
    let found = space().of_boxes(&out, &content, &[(right, &embedding), (left, &embedding)], None).unwrap();
    let (right, left) = (found[0].as_ref().unwrap(), found[1].as_ref().unwrap());
    assert_eq!((&right.values[..], &left.values[..]), (&[-127, 45, 45][..], &[127, 45, 45][..]));
    close(right.scale, 1.0 / 127.0 / 1.25f64.sqrt());
    let back = space().embedding(right, false);
    assert!(back.iter().zip(embedding).all(|(found, e)| (found - e).abs() < 1e-6), "{back:?}");
    // The means of all cells are 2 and 4: (2 − 1) / ½ = 2, (4 − 2) / 4 = ½, in int8 127 and 32; the embedding
    // weighs twice as much.
    let whole = space().of_picture(&out, &content).unwrap().unwrap();
    assert_eq!(whole.values, [-64, 0, -127]);
    let empty = Rect { x1: 0.0, ..content };
    assert!(space().of_boxes(&out, &content, &[(empty, &embedding)], None).is_err());
    // What lies at the mean has no direction.
    let map = crate::model::FeatureMap { channels: 2, width: 1, height: 1, data: vec![1.0, 2.0] };
    let out = VisionOutput { maps: [("map".to_owned(), map)].into(), ..out };
    assert_eq!(space().of_boxes(&out, &content, &[(content, &embedding)], None).unwrap(), [None]);
}

#[test]
fn everyday_likeness_is_the_logarithm_of_a_mean_of_exponentials() {
    let vector = FeatureVector { values: vec![127, 0, 0], scale: 1.0 / 127.0 };
    let expected = ((2f64.exp() + 1.0) / 2.0).ln();
    close(space().everyday(&[&vector])[0] as f32, expected);
}

/// Name, type, shape and bytes.
type Tensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);
/// A way to break a file.
type Change = fn(&mut Vec<Tensor>);

/// `features.safetensors` with these tensors.
fn file(tensors: &[Tensor]) -> Vec<u8> {
    let views =
        tensors.iter().map(|(n, t, shape, data)| (*n, TensorView::new(*t, shape.clone(), data).unwrap()));
    serialize(views.collect::<Vec<_>>(), None).unwrap()
}

#[test]
fn broken_files_are_refused_by_name() {
    let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let refused = |change: Change| {
        let mut tensors = vec![
            ("mean", Dtype::F32, vec![2], floats(&[0.0, 1.0])),
            ("deviation", Dtype::F32, vec![2], floats(&[1.0, 1.0])),
            ("projection", Dtype::I8, vec![1, 2], vec![1, 2]),
            ("projection_scale", Dtype::F32, vec![1], floats(&[0.1])),
            ("region_centre", Dtype::F32, vec![256], floats(&[0.0; 256])),
            ("picture_centre", Dtype::F32, vec![256], floats(&[0.0; 256])),
            ("bank", Dtype::I8, vec![1, 257], vec![1; 257]),
            ("bank_scale", Dtype::F32, vec![1], floats(&[0.1])),
        ];
        change(&mut tensors);
        let folder = crate::model::example_bundle::made(&file(&tensors));
        match Bundle::open(folder.path()).and_then(|bundle| FeatureSpace::load(&bundle)) {
            Ok(space) => panic!("accepted: {}", space.is_some()),
            Err(error) => error.to_string(),
        }
    };
    let cases: [(Change, &str); 7] = [
        (|t| t[1].3 = vec![0; 8], "deviation with 0, expected positive numbers"),
        (|t| t[0] = ("mean", Dtype::F32, vec![1], vec![0; 4]), "deviation of shape [2], expected [1]"),
        (|t| t[0].3 = vec![255; 8], "mean with NaN"),
        (|t| t[2].2 = vec![2, 1], "projection of shape [2, 1], expected [1, 2]"),
        (|t| t[6].1 = Dtype::U8, "bank of type U8"),
        (
            |t| t[4] = ("region_centre", Dtype::F32, vec![1], vec![0; 4]),
            "region_centre of shape [1], expected [256]",
        ),
        (|t| drop(t.pop()), "no tensor bank_scale"),
    ];
    for (change, part) in cases {
        let message = refused(change);
        assert!(message.contains("features.safetensors: found ") && message.contains(part), "{message}");
    }
    let folder = crate::model::example_bundle::made(b"");
    let bundle = Bundle::open(folder.path()).unwrap();
    assert!(FeatureSpace::load(&bundle).err().unwrap().to_string().contains("0 bytes"));
    fs::remove_file(folder.path().join(FEATURES)).unwrap();
    assert!(Path::new(&bundle.path(FEATURES)).parent().is_some());
    assert!(FeatureSpace::load(&bundle).err().unwrap().to_string().contains("features.safetensors"));
}

/// What `quantize/arithmetic/examples.py` makes of the same numbers, bit for bit.
#[test]
fn vectors_are_those_of_the_reference_in_python() {
    let mut state = 7u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let floats = |count: usize, next: &mut dyn FnMut() -> u32| -> Vec<f32> {
        (0..count).map(|_| next() as f32 / 8_388_608.0 - 1.0).collect()
    };
    let int8s = |count: usize, next: &mut dyn FnMut() -> u32| -> Vec<i8> {
        (0..count).map(|_| ((next() % 255) as i32 - 127) as i8).collect()
    };
    let (channels, projected, dimension, rows) = (12, 5, 4, 3);
    let mean = floats(channels, &mut next);
    let deviation: Vec<f32> = floats(channels, &mut next).iter().map(|v| v.abs() + 0.25).collect();
    let projection = int8s(projected * channels, &mut next);
    let scales: Vec<f32> = floats(projected, &mut next).iter().map(|v| v.abs() + 0.01).collect();
    let (region_centre, picture_centre) = (floats(dimension, &mut next), floats(dimension, &mut next));
    let width = projected + dimension;
    let bank = int8s(rows * width, &mut next);
    let bank_scales: Vec<f32> = floats(rows, &mut next).iter().map(|v| v.abs() * 0.01 + 0.001).collect();
    let pooled = [floats(channels, &mut next), floats(channels, &mut next)];
    let embeddings = [floats(dimension, &mut next), floats(dimension, &mut next)];
    for isa in Isa::available() {
        let mut space = space();
        (space.isa, space.mean, space.deviation) = (isa, mean.clone(), deviation.clone());
        (space.region_centre, space.picture_centre) = (region_centre.clone(), picture_centre.clone());
        space.projection =
            table(isa, channels, scales.clone(), |input, row| projection[row * channels + input]);
        space.bank = table(isa, width, bank_scales.clone(), |input, row| bank[row * width + input]);
        (space.settings.region.embedding, space.settings.scale) = (1.2, 10.0);
        let content = Rect { x0: 0.0, y0: 0.0, x1: 16.0, y1: 16.0 };
        let vector = |pooled: &[f32], embedding: &[f32]| {
            let map = crate::model::FeatureMap { channels, width: 1, height: 1, data: pooled.to_vec() };
            let dense = crate::model::FeatureMap { channels: 0, width: 0, height: 0, data: Vec::new() };
            let maps = [("map".to_owned(), map)].into();
            let out = VisionOutput { image: Vec::new(), levels: Vec::new(), maps, dense };
            space.of_boxes(&out, &content, &[(content, embedding)], None).unwrap().remove(0).unwrap()
        };
        let found = [vector(&pooled[0], &embeddings[0]), vector(&pooled[1], &embeddings[1])];
        assert_eq!(found[0].values, [-33, 125, 1, 86, 13, -98, 92, -26, -127], "{isa:?}");
        assert_eq!(found[1].values, [22, 101, 1, 6, -40, 127, 24, -27, 13], "{isa:?}");
        assert_eq!(found.each_ref().map(|row| row.scale.to_bits()), [998_677_309, 1_002_295_295], "{isa:?}");
        let cosines = cosines(&space.bank, &[&found[0]]);
        let bits: Vec<u32> = cosines.iter().map(|cosine| cosine.to_bits()).collect();
        assert_eq!(bits, [3_186_056_077, 1_055_685_551, 3_193_533_309], "{isa:?}");
        assert!((space.everyday(&[&found[0]])[0] - 3.524_556_794_811_759).abs() < 1e-9, "{isa:?}");
    }
}
