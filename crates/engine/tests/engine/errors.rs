//! What goes wrong says who must act, in one line.

use std::fs;

use edgeclip_engine::{Dim, Engine, Graph, Isa, Kind, Signature, Tensor};

use crate::networks;

#[test]
fn a_missing_file_and_one_that_is_no_network() {
    let error = Engine::open("no/such.onnx").unwrap_err();
    assert_eq!(error.kind(), Kind::System);
    assert!(error.to_string().starts_with("no/such.onnx: "), "{error}");
    let error = Engine::options().load("x.onnx", b"no network").unwrap_err();
    assert_eq!(error.kind(), Kind::Model);
    let line = error.to_string();
    assert!(line.starts_with("model file x.onnx: found ") && !line.contains('\n'), "{line}");
}

#[test]
fn an_input_of_another_type_or_length() {
    let engine = Engine::open(networks().join("mobile_int8.onnx")).unwrap();
    let count: usize = engine.input().shape.iter().product();
    let error = engine.run(&vec![0i8; count - 1][..]).unwrap_err();
    assert_eq!(error.kind(), Kind::Input);
    let error = engine.run(&vec![0u8; count][..]).unwrap_err();
    assert!(error.kind() == Kind::Input && error.to_string().contains("Uint8"), "{error}");
}

#[test]
fn an_output_that_there_is_not() {
    let file = networks().join("mobile_int8.onnx");
    for options in [Engine::options(), Engine::options().in_float()] {
        let engine = options.open(&file).unwrap();
        let error = engine.output("nowhere").unwrap_err();
        assert!(error.to_string().contains("an output called nowhere"), "{error}");
        let picture = vec![3i8; engine.input().shape.iter().product()];
        let mut pass = engine.pass(&picture[..]).unwrap();
        let outputs = engine.outputs().unwrap().len();
        assert_eq!(pass.read(outputs, &mut Vec::new()).unwrap_err().kind(), Kind::Input);
        assert_eq!(pass.read_pixels(outputs, &mut Vec::new()).unwrap_err().kind(), Kind::Input);
        pass.read(outputs - 1, &mut Vec::new()).unwrap();
    }
}

#[test]
fn a_graph_of_other_inputs_than_declared() {
    let bytes = fs::read(networks().join("mobile_float32.onnx")).unwrap();
    let shape = Engine::open(networks().join("mobile_float32.onnx")).unwrap().input().shape;
    let fixed = shape.map(Dim::Fixed);
    let load = |isa, inputs: &[Signature<'_>]| Graph::load("x.onnx", bytes.clone().into(), isa, inputs);
    for isa in [None, Some(Isa::SCALAR)] {
        let graph = load(isa, &[Signature::Float(&fixed)]).unwrap();
        assert_eq!(graph.input(0).unwrap(), shape);
        let picture = vec![0.5; shape.iter().product()];
        let outputs = graph.run(&[Tensor::Float(&shape, &picture)]).unwrap();
        assert_eq!(outputs.values(0).unwrap().len(), outputs.shape(0).unwrap().iter().product::<usize>());
        assert_eq!(outputs.values(99).unwrap_err().kind(), Kind::Input);
        let error = graph.run(&[Tensor::Float(&shape, &picture[1..])]).err().unwrap();
        assert_eq!(error.kind(), Kind::Input);
        // The file's own sizes are the same.
        let declared = load(isa, &[Signature::Float(&[Dim::Declared; 4])]).unwrap();
        assert_eq!(declared.input(0).unwrap(), shape);
    }
    for inputs in [
        &[][..],
        &[Signature::Int64(&fixed)],
        &[Signature::Float(&fixed[1..])],
        &[Signature::Float(&[Dim::Declared; 5])],
    ] {
        let error = load(None, inputs).unwrap_err();
        assert_eq!(error.kind(), Kind::Model, "{error}");
    }
}
