//! The seal: what is forbidden is stopped and told, what is needed goes on.

mod attempts;
mod calls;
mod killed;
mod report;
mod running;
mod tracer;

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::common::edgeclip;

/// What the kernel can do for the seal, as `edgeclip privacy-report` says.
fn kernel() -> &'static Value {
    static KERNEL: OnceLock<Value> = OnceLock::new();
    KERNEL.get_or_init(|| {
        let report = edgeclip(Path::new("."), &["privacy-report", "--json"]).ok().json().remove(0);
        report["seal"].clone()
    })
}

/// Whether system calls can be refused here; emulators of programs cannot.
pub(crate) fn can_seal() -> bool {
    let can = kernel()["seccomp"] == true;
    if !can {
        eprintln!("NOT CHECKED: this kernel cannot refuse system calls");
    }
    can
}

/// Whether the kernel has at least this version of Landlock.
fn has_landlock(version: u64) -> bool {
    let has = kernel()["landlock"].as_u64() >= Some(version);
    if !has {
        eprintln!("NOT CHECKED: this kernel has no Landlock {version}");
    }
    has
}
