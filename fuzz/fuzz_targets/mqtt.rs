#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    edgeclip::fuzzing::mqtt(data);
});
