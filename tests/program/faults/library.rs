//! A program that uses the library, and leaves reading and decoding to `edgeclip`.

use std::ops::ControlFlow;

use edgeclip::Watcher;

use super::apart::{camera, endless_body};

#[test]
fn a_named_program_reads_what_would_fill_the_memory() {
    let program = env!("CARGO_BIN_EXE_edgeclip");
    let url = camera("rtsp", endless_body);
    let watcher = Watcher::builder().source(&url).prompts(["cat"]).config("decoder_mb = 64");
    let ended = watcher.decoder_program(program).build();
    let error =
        ended.and_then(|watcher| watcher.run_with(|_| ControlFlow::Continue(()))).unwrap_err().to_string();
    assert!(error.contains("the decoder needed more than 64 MB of memory"), "{error}");

    for (other, found) in [("/bin/echo", "\"--version\""), ("/no/such", "No such file")] {
        let error = Watcher::builder().source(&url).prompts(["cat"]).decoder_program(other).build();
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("decoder program: found ") && error.contains("expected the program edgeclip "),
            "{error}"
        );
        assert!(error.contains(found) || error.contains("echo"), "{error}");
    }
}
