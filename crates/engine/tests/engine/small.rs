//! Small networks in the forms that exporters and quantisers write: against `quantize/arithmetic/vision.py`
//! bit for bit, with every instruction set.

use std::fs;

use edgeclip_engine::{Element, Engine, Isa};
use safetensors::SafeTensors;

use crate::networks;

/// Names of the networks.
fn names() -> Vec<String> {
    let files = fs::read_dir(networks()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "onnx"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    names
}

pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// The outputs of a network by name: found and expected.
fn outputs(name: &str, network: &Engine) -> Vec<(String, Vec<f32>, Vec<f32>)> {
    let bytes = fs::read(networks().join(format!("{name}.safetensors"))).unwrap();
    let stored = SafeTensors::deserialize(&bytes).unwrap();
    let image = stored.tensor("image").unwrap();
    assert_eq!(image.shape(), network.input().shape);
    let signed: Vec<i8> = image.data().iter().map(|&byte| byte as i8).collect();
    let found = match network.input().element {
        Element::Int8 => network.run(&signed[..]),
        Element::Uint8 => network.run(image.data()),
        Element::Float => network.run(&floats(image.data())[..]),
    };
    let named = network.outputs().unwrap().into_iter().zip(found.unwrap());
    let compared = named.map(|((output, shape), found)| {
        let expected = stored.tensor(&output).unwrap();
        assert_eq!(expected.shape(), shape, "{name} {output}");
        (output, found, floats(expected.data()))
    });
    compared.collect()
}

#[test]
fn networks_equal_the_integer_reference_bit_for_bit_on_every_isa() {
    for name in names().iter().filter(|name| *name != "float_tail") {
        for (isa, threads) in
            Isa::available().into_iter().flat_map(|isa| (1..=4).map(move |threads| (isa, threads)))
        {
            let options = Engine::options().isa(isa).threads(threads);
            let network = options.open(networks().join(format!("{name}.onnx"))).unwrap();
            assert!(network.is_int8() && network.left_in_float().is_empty(), "{:?}", network.left_in_float());
            for (output, found, expected) in outputs(name, &network) {
                let differing = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
                assert_eq!(
                    differing,
                    0,
                    "{name} {output}, {isa:?}, {threads} threads: of {} values",
                    expected.len()
                );
            }
        }
    }
}

#[test]
fn what_no_kernel_can_do_stays_in_float() {
    let network = Engine::options().threads(2).open(networks().join("float_tail.onnx")).unwrap();
    assert!(network.is_int8());
    let left = network.left_in_float();
    assert!(left.len() == 1 && left[0].contains("weights that are not quantised"), "{left:?}");
    for (output, found, expected) in outputs("float_tail", &network) {
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-5, "{output}: {a} {b}");
        }
    }
}

#[test]
fn tract_in_float_agrees() {
    for name in names() {
        let network = Engine::options().in_float().open(networks().join(format!("{name}.onnx"))).unwrap();
        assert!(!network.is_int8());
        for (output, found, expected) in outputs(&name, &network) {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            let cosine = dot(&found, &expected) / (dot(&found, &found) * dot(&expected, &expected)).sqrt();
            assert!(cosine > 0.999, "{name} {output}: cosine {cosine}");
        }
    }
}
