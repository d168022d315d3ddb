//! The committed bundle in this program against the same files in Python: the vision network by the integer reference
//! (`quantize/arithmetic/vision.py`), the others in ONNX Runtime, with `quantize/arithmetic/reference.py` around them.
//! `python -m quantize.golden` makes the cases, and must be run again after each change of the bundle.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use crate::detect::{Candidate, candidates, decode};
use crate::geometry::Rect;
use crate::model::{Bundle, Cell, Networks, VisionOutput};
use crate::preprocess::letterbox;
use crate::source::Picture;
use crate::vocabulary::{Called, Prompt, Vocabulary, region_scores, tag_scores};
use edgeclip_kernels::normalise;

/// Least cosine between two embeddings of the same thing.
const MIN_COSINE: f32 = 0.99;
/// Least cosine of texts: products in int8 here, in float there.
const MIN_TEXT_COSINE: f32 = 0.995;
/// Largest difference of a probability.
const MAX_SCORE: f32 = 0.1;
/// Least IoU of a box with what the same cell of the network says here.
const MIN_IOU: f32 = 0.9;
/// Largest difference of its objectness logit.
const MAX_LOGIT: f32 = 0.4;
/// Share of candidates that must be candidates here, too; suppression and the cut at the end may choose others.
const MIN_CHOSEN: f32 = 0.75;
/// Every so many rows and columns of the dense map are kept in a case.
const DENSE_STEP: usize = 5;

/// What Python made of one photo.
struct Case {
    picture: PathBuf,
    metadata: HashMap<String, String>,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Case {
    fn open(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let floats =
            |data: &[u8]| data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let tensor = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
            (name, (view.shape().to_vec(), floats(view.data())))
        };
        Self {
            picture: path.with_extension("png"),
            metadata,
            tensors: tensors.tensors().into_iter().map(tensor).collect(),
        }
    }

    fn values(&self, name: &str) -> &[f32] {
        &self.tensors[name].1
    }

    /// The rows of a matrix.
    fn rows(&self, name: &str) -> Vec<&[f32]> {
        let (shape, values) = &self.tensors[name];
        values.chunks_exact(shape[1]).collect()
    }

    fn cells(&self) -> Vec<Cell> {
        let cell = |row: &[f32]| Cell { level: row[0] as usize, index: row[1] as usize };
        self.rows("cells").into_iter().map(cell).collect()
    }

    fn boxes(&self) -> Vec<Rect> {
        let rect = |row: &[f32]| Rect { x0: row[0], y0: row[1], x1: row[2], y1: row[3] };
        self.rows("boxes").into_iter().map(rect).collect()
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "{what} {i}: found {f}, expected {e} ± {tolerance}");
    }
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let mut vector = vector.to_vec();
    normalise::l2(&mut vector);
    vector
}

/// The vector of every DENSE_STEP-th cell, unit norm, row by row.
fn dense_cells(out: &VisionOutput) -> Vec<Vec<f32>> {
    let map = &out.dense;
    let cells = (0..map.height)
        .step_by(DENSE_STEP)
        .flat_map(|y| (0..map.width).step_by(DENSE_STEP).map(move |x| (y, x)));
    let at = |(y, x): (usize, usize)| unit(&map.data[(y * map.width + x) * map.channels..][..map.channels]);
    cells.map(at).collect()
}

#[test]
fn photos_give_what_onnx_runtime_gives() {
    let bundle = Bundle::embedded().unwrap();
    let networks = Networks::load(&bundle, true, 2).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/model");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "safetensors")).collect();
    assert!(cases.len() >= 2, "golden cases are missing: {cases:?}");
    for path in cases {
        println!("{}", path.display());
        compare(&Case::open(&path), &bundle, &networks);
    }
}

fn compare(case: &Case, bundle: &Bundle, networks: &Networks) {
    let manifest = &bundle.manifest;
    let files: BTreeMap<String, String> = serde_json::from_str(&case.metadata["files"]).unwrap();
    assert_eq!(
        files, manifest.files,
        "the case was made from another bundle: run `python -m quantize.golden`"
    );

    let picture = Picture::open(&case.picture).unwrap();
    let (input, placed) = letterbox(&picture.frame().unwrap(), manifest.input.size).unwrap();
    let bytes: Vec<u8> = input.iter().map(|&v| v as u8).collect();
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, case.metadata["input_sha256"], "input");

    let out = networks.vision.run(&input).unwrap();
    let image = unit(&out.image);
    assert!(cosine(&image, case.values("image")) >= MIN_COSINE, "image");
    for (cell, vector) in dense_cells(&out).iter().enumerate() {
        let (shape, values) = &case.tensors["dense"];
        let expected: Vec<f32> = values.iter().skip(cell).step_by(shape[1] * shape[2]).copied().collect();
        let found = cosine(vector, &expected);
        assert!(found >= MIN_COSINE, "dense cell {cell}: cosine {found}");
    }

    let boxes = case.boxes();
    let objectness = case.values("objectness");
    let content = placed.content();
    let same = |found: &Candidate, rect: &Rect, logit: f32| {
        found.rect.iou(rect) >= MIN_IOU && (found.objectness - logit).abs() <= MAX_LOGIT
    };
    let decoded: Vec<Candidate> = out
        .levels
        .iter()
        .enumerate()
        .flat_map(|(index, level)| decode(index, level, f32::NEG_INFINITY))
        .filter_map(|c| Some(Candidate { rect: c.rect.intersection(&content)?, ..c }))
        .collect();
    let chosen = candidates(&out, &manifest.detection, content);
    let mut again = 0;
    for (i, (rect, &logit)) in boxes.iter().zip(objectness).enumerate() {
        assert!(decoded.iter().any(|c| same(c, rect, logit)), "candidate {i}: no cell has {rect:?}, {logit}");
        again += usize::from(chosen.iter().any(|c| same(c, rect, logit)));
    }
    assert!(again as f32 >= MIN_CHOSEN * boxes.len() as f32, "{again} of {} candidates", boxes.len());

    let regions = networks.prompter.embed(&out, content, &boxes).unwrap();
    for (i, (region, expected)) in regions.iter().zip(case.rows("regions")).enumerate() {
        let found = cosine(region, expected);
        assert!(found >= MIN_COSINE, "region {i}: cosine {found}");
    }

    let classes = networks.classes.as_ref().unwrap();
    let logits = classes.logits(&out, &case.cells()).unwrap();
    assert_eq!(logits, case.rows("class_logits"), "class logits");

    let names: Vec<String> = serde_json::from_str(&case.metadata["prompts"]).unwrap();
    let prompts: Vec<Prompt> =
        names.iter().map(|name| Prompt { name: name.clone(), text: name.clone() }).collect();
    let bank = Vocabulary::bank(bundle).unwrap();
    let tower = networks.text.as_ref().unwrap();
    let vocabulary = Vocabulary::build(&prompts, tower, &bank, manifest.score.max_similarity).unwrap();
    for (row, expected) in vocabulary.embeddings().rows().zip(case.rows("texts")) {
        assert!(cosine(row, expected) >= MIN_TEXT_COSINE, "texts");
    }
    close(
        "tag",
        &tag_scores(&image, &vocabulary, &manifest.score.image, None),
        case.values("tag_scores"),
        MAX_SCORE,
    );
    for (i, (region, expected)) in regions.iter().zip(case.rows("region_scores")).enumerate() {
        let (links, weights) = (vocabulary.links(classes), &classes.settings().weights);
        let called = Called { links, weights, logits: &logits[i] };
        let calibration = &manifest.score.region;
        let scores = region_scores(region, objectness[i], &vocabulary, calibration, None, Some(called));
        close(&format!("region {i}, name"), &scores, expected, MAX_SCORE);
    }
}
