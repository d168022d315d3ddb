//! The `edgeclip` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    edgeclip::run_program()
}
