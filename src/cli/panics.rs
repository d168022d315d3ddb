//! What a panic over a broken network says.

use std::panic;
use std::process;

use super::failures::complain;

/// Networks are read by code that may panic over a broken one. Where panics end the process, this ends it as the
/// error that it is.
pub(super) fn install() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |information| {
        let Some(file) = edgeclip_engine::reading() else { return usual(information) };
        // Else it becomes an error.
        if cfg!(panic = "abort") {
            let why = information.payload_as_str().unwrap_or("no reason");
            let found = format!("what makes tract fail: {why}");
            complain(&format!(
                "model file {file}: found {found}, expected an ONNX network that tract can run"
            ));
            process::exit(2);
        }
    }));
}
