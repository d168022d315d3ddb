//! ONNX's own node tests of quantised operators and of those that are lowered, which
//! `quantize/golden/nodes.py` has made networks of a picture: within one step of ONNX's reference.

use std::fs;
use std::path::Path;

use edgeclip_engine::{Engine, Isa};
use safetensors::SafeTensors;

use crate::small::floats;

/// Parts of the names of networks that are refused, and why.
const REFUSED: [(&str, &str); 2] =
    [("linear_blocked", "expected one scale, or one a channel"), ("float16", "unify F16 with F32")];

#[test]
fn node_tests_are_within_a_step_of_the_reference() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nodes.safetensors");
    let bytes = fs::read(file).unwrap();
    let stored = SafeTensors::deserialize(&bytes).unwrap();
    let names = stored.names();
    let mut cases: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(":network")).collect();
    cases.sort_unstable();
    assert!(cases.len() > 100, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let network = stored.tensor(&format!("{case}:network")).unwrap();
        let picture = floats(stored.tensor(&format!("{case}:picture")).unwrap().data());
        for threads in [1, 2] {
            let opened = Engine::options().isa(Isa::SCALAR).threads(threads).load(case, network.data());
            let found = match opened.and_then(|engine| engine.run(&picture[..])) {
                Ok(found) => found,
                Err(error) => {
                    let known = REFUSED
                        .iter()
                        .any(|(name, why)| case.contains(name) && error.to_string().contains(why));
                    if !known {
                        wrong.push(format!("{case}: {error}"));
                    }
                    continue;
                }
            };
            for (index, found) in found.iter().enumerate() {
                let expected = floats(stored.tensor(&format!("{case}:{index}")).unwrap().data());
                let step = floats(stored.tensor(&format!("{case}:{index}:step")).unwrap().data())[0];
                let far = found.iter().zip(&expected).filter(|(a, b)| (*a - *b).abs() > 1.01 * step).count();
                if found.len() != expected.len() || far > 0 {
                    wrong.push(format!("{case} {index}: {far} of {} are off", expected.len()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
}
