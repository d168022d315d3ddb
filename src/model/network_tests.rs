//! Networks on their own, opened from an ONNX file.

use std::path::Path;

use crate::model::{Bundle, Vision};
use edgeclip_engine::{Element, Engine, Kind};

fn vision() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default/vision.onnx")
}

#[test]
fn a_lone_network_gives_what_the_bundle_gives() {
    let network = Engine::options().threads(2).open(vision()).unwrap();
    assert!(network.is_int8(), "{:?}", network.left_in_float());
    let input = network.input();
    assert_eq!((input.name.as_str(), input.element, input.shape), ("image", Element::Int8, [1, 3, 320, 320]));
    let values: Vec<i8> =
        (0..3 * 320 * 320).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 25) as i8).collect();
    let found = network.run(&values[..]).unwrap();
    let expected = Vision::load(&Bundle::embedded().unwrap(), 1).unwrap().run(&values).unwrap();
    assert_eq!(network.outputs().unwrap()[0], ("image_embedding".to_owned(), vec![1, 256]));
    assert_eq!(found[0], expected.image);
    assert_eq!(network.run(&values[1..]).unwrap_err().kind(), Kind::Input);
    let bytes = vec![0u8; values.len()];
    assert!(network.run(&bytes[..]).unwrap_err().to_string().contains("Uint8"));
}

#[test]
fn a_missing_file_is_named() {
    let line = Engine::open("no/such.onnx").err().unwrap().to_string();
    assert!(line.starts_with("no/such.onnx: "), "{line}");
}
