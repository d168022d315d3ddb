//! A model that compares examples, whatever the default one does: its space is made of a few photos' embeddings.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::edgeclip;
use super::example_manifest::with_examples;

/// Photos of `tests/data/`.
pub(crate) const PHOTOS: [&str; 3] = ["astronaut.jpg", "cat.jpg", "coffee.jpg"];
/// Channels of the map `semantic`, and values of an embedding.
const SIZES: (usize, usize) = (1280, 256);
/// Values that features are projected to.
const PROJECTED: usize = 8;

/// Copies the photos.
pub(crate) fn photos() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in PHOTOS {
        fs::copy(root().join("tests/data").join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// The model's folder.
pub(crate) fn model() -> &'static Path {
    static MODEL: OnceLock<TempDir> = OnceLock::new();
    MODEL.get_or_init(made).path()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn made() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let features = features();
    let hash: String = Sha256::digest(&features).iter().map(|byte| format!("{byte:02x}")).collect();
    for entry in fs::read_dir(root().join("models/default")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "features.safetensors" && entry.file_name() != "model.toml" {
            symlink(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    let manifest = fs::read_to_string(root().join("models/default/model.toml")).unwrap();
    let manifest = with_examples(&manifest, [4.0, 4.0], &hash);
    fs::write(folder.path().join("model.toml"), manifest).unwrap();
    fs::write(folder.path().join("features.safetensors"), features).unwrap();
    folder
}

/// Centres and everyday things: the boxes of a grid on the photos. What the trunk sees hardly counts.
fn features() -> Vec<u8> {
    let (channels, dimension) = SIZES;
    let folder = photos();
    let grid = |w: f64, h: f64| -> Vec<[f64; 4]> {
        let place = |i: usize| ((i % 4) as f64 * w / 4.0, (i / 4) as f64 * h / 4.0);
        (0..16).map(place).map(|(x, y)| [x, y, x + w / 4.0, y + h / 4.0]).collect()
    };
    let boxes = json!({
        "astronaut.jpg": grid(512.0, 512.0), "cat.jpg": grid(451.0, 300.0), "coffee.jpg": grid(600.0, 400.0),
    });
    fs::write(folder.path().join("boxes.json"), boxes.to_string()).unwrap();
    let arguments = [&["embed"], &PHOTOS[..], &["--boxes", "boxes.json", "--out", "e.safetensors"]].concat();
    edgeclip(folder.path(), &arguments).ok();
    let bytes = fs::read(folder.path().join("e.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let rows = |name: &str| -> Vec<Vec<f32>> {
        let values = tensors.tensor(name).unwrap().data().chunks_exact(4);
        let values: Vec<f32> = values.map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        values.chunks_exact(dimension).map(<[f32]>::to_vec).collect()
    };
    let mean = |rows: &[Vec<f32>]| -> Vec<f32> {
        (0..dimension).map(|k| rows.iter().map(|row| row[k]).sum::<f32>() / rows.len() as f32).collect()
    };
    let (regions, images) = (rows("regions"), rows("images"));
    let (region_centre, picture_centre) = (mean(&regions), mean(&images));
    let (mut bank, mut scales) = (Vec::new(), Vec::new());
    for region in &regions {
        let row: Vec<f32> = region.iter().zip(&region_centre).map(|(e, centre)| e - centre).collect();
        let most = row.iter().fold(0f32, |most, v| most.max(v.abs()));
        let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        bank.extend([0; PROJECTED]);
        bank.extend(row.iter().map(|v| ((v * 127.0 / most).round() as i8).cast_unsigned()));
        scales.push(most / 127.0 / norm);
    }
    let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let projection = (0..PROJECTED * channels).map(|i| (i * 37 % 251) as u8).collect();
    let width = PROJECTED + dimension;
    let parts = [
        ("mean", Dtype::F32, vec![channels], floats(&vec![0.0; channels])),
        ("deviation", Dtype::F32, vec![channels], floats(&vec![1.0; channels])),
        ("projection", Dtype::I8, vec![PROJECTED, channels], projection),
        ("projection_scale", Dtype::F32, vec![PROJECTED], floats(&[0.01; PROJECTED])),
        ("region_centre", Dtype::F32, vec![dimension], floats(&region_centre)),
        ("picture_centre", Dtype::F32, vec![dimension], floats(&picture_centre)),
        ("bank", Dtype::I8, vec![scales.len(), width], bank),
        ("bank_scale", Dtype::F32, vec![scales.len()], floats(&scales)),
    ];
    let views: HashMap<&str, TensorView<'_>> = parts
        .iter()
        .map(|(name, kind, shape, data)| (*name, TensorView::new(*kind, shape.clone(), data).unwrap()))
        .collect();
    serialize(views, None).unwrap()
}
