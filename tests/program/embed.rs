//! `edgeclip embed` from end to end.

use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use tempfile::tempdir;

use crate::common::{edgeclip, picture};

/// Shape and values of an f32 tensor.
fn tensor(bytes: &[u8], name: &str) -> (Vec<usize>, Vec<f32>) {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let view = file.tensor(name).unwrap();
    let values = view.data().as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)).collect();
    (view.shape().to_vec(), values)
}

fn is_unit<'a>(row: impl IntoIterator<Item = &'a f32>) -> bool {
    (row.into_iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-3
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

fn embed(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    edgeclip(folder, &[&["embed", "--out", "e.safetensors", "--force"], arguments].concat()).ok();
    fs::read(folder.join("e.safetensors")).unwrap()
}

#[test]
fn pictures_boxes_and_places_are_embedded() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    picture(&path.join("wide.png"), 160, 80);
    picture(&path.join("tall.png"), 60, 90);
    let boxes = r#"{"tall.png": [[10, 20, 40, 60], [0, 0, 60, 90]], "wide.png": [[100.5, 5, 170, 80]]}"#;
    fs::write(path.join("boxes.json"), boxes).unwrap();
    let bytes = embed(path, &["wide.png", "tall.png", "--boxes", "boxes.json", "--dense"]);

    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    assert_eq!(metadata["paths"], r#"["wide.png","tall.png"]"#);
    assert_eq!(metadata["format"], "edgeclip-embeddings-1");

    let (shape, images) = tensor(&bytes, "images");
    let dimension = shape[1];
    assert_eq!(shape, [2, dimension]);
    assert!(images.chunks(dimension).all(is_unit));

    let (shape, regions) = tensor(&bytes, "regions");
    assert_eq!(shape, [3, dimension]);
    assert!(regions.chunks(dimension).all(is_unit));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let owners = file.tensor("region_picture").unwrap();
    assert_eq!(owners.dtype(), safetensors::Dtype::I32);
    assert_eq!(owners.data(), [0, 1, 1].map(i32::to_le_bytes).concat());

    let (shape, dense) = tensor(&bytes, "dense");
    let [2, channels, height, width] = shape[..] else { panic!("{shape:?}") };
    assert_eq!(channels, dimension);
    for place in [0, height * width / 2, height * width - 1] {
        assert!(is_unit(dense.iter().skip(place).step_by(height * width).take(channels)), "place {place}");
    }
    let (shape, content) = tensor(&bytes, "content");
    assert_eq!(shape, [2, 4]);
    let aspect = |c: &[f32]| (c[2] - c[0]) / (c[3] - c[1]);
    assert!((aspect(&content[..4]) - 2.0).abs() < 0.02 && (aspect(&content[4..]) - 2.0 / 3.0).abs() < 0.02);

    // Alone, in another order: the same embeddings.
    let boxes = r#"{"tall.png": [[0, 0, 60, 90], [10, 20, 40, 60]]}"#;
    fs::write(path.join("boxes.json"), boxes).unwrap();
    let bytes = embed(path, &["tall.png", "--boxes", "boxes.json"]);
    assert!(close(&tensor(&bytes, "images").1, &images[dimension..]));
    let swapped = [&regions[2 * dimension..], &regions[dimension..2 * dimension]].concat();
    assert!(close(&tensor(&bytes, "regions").1, &swapped));
    assert!(SafeTensors::deserialize(&bytes).unwrap().tensor("dense").is_err());
}

#[test]
fn texts_share_the_space_of_pictures() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    let cat = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cat.jpg");
    let texts = ["a cat", "a cup of coffee, seen from above", "a cat"];
    let flags = texts.iter().flat_map(|text| ["--text", text]);
    let arguments: Vec<&str> = flags.chain([cat.to_str().unwrap()]).collect();
    let bytes = embed(path, &arguments);
    let (shape, words) = tensor(&bytes, "texts");
    let dimension = shape[1];
    assert_eq!(shape, [3, dimension]);
    assert!(words.chunks(dimension).all(is_unit));
    let (_, images) = tensor(&bytes, "images");
    let like = |row: usize| -> f32 {
        words[row * dimension..][..dimension].iter().zip(&images).map(|(a, b)| a * b).sum()
    };
    assert!(like(0) > like(1) + 0.05, "{} {}", like(0), like(1));
    assert!(close(&words[..dimension], &words[2 * dimension..]));
    let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
    assert_eq!(metadata["texts"], r#"["a cat","a cup of coffee, seen from above","a cat"]"#);
    // Without a picture.
    let bytes = embed(path, &["--text", "a cat"]);
    assert_eq!(SafeTensors::deserialize(&bytes).unwrap().names(), ["texts"]);
    assert!(close(&tensor(&bytes, "texts").1, &words[..dimension]));
    edgeclip(path, &["embed", "--text", " ", "--out", "x.safetensors"]).refuses(&["--text"]);
    edgeclip(path, &["embed", "--out", "x.safetensors"]).refuses(&["PATH"]);
}

#[test]
fn without_boxes_there_are_no_regions() {
    let folder = tempdir().unwrap();
    picture(&folder.path().join("a.png"), 30, 30);
    let bytes = embed(folder.path(), &["a.png"]);
    assert_eq!(SafeTensors::deserialize(&bytes).unwrap().names(), ["images"]);
}

#[test]
fn a_bad_picture_is_left_out() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    for name in ["a.png", "c.png"] {
        picture(&path.join(name), 30, 30);
    }
    fs::write(path.join("b.png"), "no picture").unwrap();
    fs::write(path.join("boxes.json"), r#"{"b.png": [[0, 0, 9, 9]], "c.png": [[0, 0, 9, 9]]}"#).unwrap();
    let arguments = ["embed", "a.png", "b.png", "c.png", "--boxes", "boxes.json", "--out", "e.safetensors"];
    edgeclip(path, &arguments).refuses(&["b.png"]);
    let bytes = fs::read(path.join("e.safetensors")).unwrap();
    assert_eq!(
        SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap()["paths"],
        r#"["a.png","c.png"]"#
    );
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("region_picture").unwrap().data(), 1i32.to_le_bytes());
}
