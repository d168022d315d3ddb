//! The kernel's V4L2 types and constants as `v4l` 0.14 needs them. Nothing here is written by hand; see README.md.

#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals, missing_docs, clippy::all)]

mod types;
pub use types::*;

/// Sizes and alignments as the kernel's headers have them: a build for which they do not hold fails here.
mod layout {
    use super::types::*;

    #[cfg(target_pointer_width = "64")]
    include!("layout64.rs");
    #[cfg(target_pointer_width = "32")]
    include!("layout32.rs");
}
