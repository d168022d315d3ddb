//! The text tower through the int8 kernels: each kernel against `quantize/arithmetic/text.py` bit for bit with every instruction set, the
//! whole tower against it and against tract in float. `python -m quantize.golden` makes the cases.

#![cfg(feature = "text")]

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use crate::model::{Bundle, Prompter, TextTower};
use edgeclip_kernels::Isa;
use edgeclip_kernels::attention::{self, Attention, Tokens};
use edgeclip_kernels::gelu::gelu;
use edgeclip_kernels::layer_norm::LayerNorm;
use edgeclip_kernels::product::{self, Columns, Product};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/int8").join(name)
}

fn floats(file: &SafeTensors, name: &str) -> Vec<f32> {
    let data = file.tensor(name).unwrap().data();
    data.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn kernels_give_what_numpy_gives_bit_for_bit() {
    let bytes = fs::read(golden("kernels.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let get = |name: &str| floats(&file, name);
    let weights = file.tensor("product.weights").unwrap();
    let outputs = weights.shape()[1];
    for isa in Isa::available() {
        let columns = Columns { scale: get("product.scale"), bias: get("product.bias") };
        let weight = |input: usize, output: usize| weights.data()[input * outputs + output].cast_signed();
        let kernel = Product::new(isa, weights.shape()[0], columns, weight);
        let mut y = vec![0.0; get("product.y").len()];
        kernel.run(&mut product::Scratch::default(), &get("product.x"), &mut y);
        assert_eq!(bits(&y), bits(&get("product.y")), "{isa:?} product");

        let mut y = get("gelu.x");
        gelu(isa, &mut y);
        assert_eq!(bits(&y), bits(&get("gelu.y")), "{isa:?} gelu");

        let norm = LayerNorm { scale: get("layer_norm.scale"), bias: get("layer_norm.bias"), epsilon: 1e-12 };
        let mut y = get("layer_norm.x");
        norm.run(isa, &mut y);
        assert_eq!(bits(&y), bits(&get("layer_norm.y")), "{isa:?} layer_norm");

        let [query, key, value, mask] = ["q", "k", "v", "mask"].map(|name| get(&format!("attention.{name}")));
        let tokens = Tokens { query: &query, key: &key, value: &value, mask: &mask };
        let mut y = vec![0.0; query.len()];
        let kernel = Attention { heads: 2, width: 20, scale: 0.3 };
        kernel.run(isa, &mut attention::Scratch::default(), tokens, &mut y);
        assert_eq!(bits(&y), bits(&get("attention.y")), "{isa:?} attention");
    }
}

#[test]
fn the_tower_gives_what_numpy_gives_and_stays_near_the_float_one() {
    let bundle = Bundle::embedded().unwrap();
    let (int8, float) = (TextTower::load(&bundle).unwrap(), TextTower::load_float(&bundle).unwrap());
    assert!(int8.left_in_float().is_empty(), "{:?}", int8.left_in_float());
    let bytes = fs::read(golden("texts.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().as_ref().unwrap();
    let network: String =
        Sha256::digest(bundle.file("text.onnx").unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(metadata["text_sha256"], network, "made from another tower: run `python -m quantize.golden`");
    let prompts: Vec<String> = serde_json::from_str(&metadata["prompts"]).unwrap();
    let expected = floats(&file, "embeddings");
    let found = int8.embed(&prompts).unwrap();
    let near = float.embed(&prompts).unwrap();
    let rows = found.iter().zip(expected.chunks_exact(bundle.manifest.embedding)).zip(&near);
    assert_eq!(rows.len(), prompts.len());
    for (((found, expected), float), prompt) in rows.zip(&prompts) {
        assert_eq!(bits(found), bits(expected), "{prompt}: cosine {} to numpy", cosine(found, expected));
        let float = cosine(found, float);
        println!("{prompt}: cosine {float:.4} to float");
        assert!(float > 0.995, "{prompt}: cosine {float} to float");
    }
}

#[test]
fn no_product_of_the_prompter_stays_in_float() {
    let prompter = Prompter::load(&Bundle::embedded().unwrap()).unwrap();
    assert!(prompter.left_in_float().is_empty(), "{:?}", prompter.left_in_float());
}
