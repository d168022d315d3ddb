#![no_main]

libfuzzer_sys::fuzz_target!(init: edgeclip::fuzzing::expect_panics_of_tract(), |data: &[u8]| {
    edgeclip::fuzzing::onnx(data);
});
