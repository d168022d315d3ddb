//! What all that goes through tract needs: a bound on memory before anything is computed, no panic that ends
//! the process, and errors in one line.

mod memory;

pub(crate) use memory::planned;

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tract_onnx::prelude::*;

/// Longest message of tract that is worth a line.
const MESSAGE: usize = 300;

thread_local! {
    /// The file that this thread reads.
    static READING: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Why a network cannot be planned.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A tensor, and what it needs.
    Memory(String),
    /// What tract says.
    Tract(String),
}

impl From<TractError> for Failure {
    fn from(error: TractError) -> Self {
        Self::Tract(message(&error))
    }
}

/// The file that the calling thread reads, while it is inside code that may panic over a broken network.
///
/// The functions that load and run networks turn such a panic into an [`Error`](crate::Error). A program that
/// aborts on panics has no such second chance: its panic hook can ask here whether the network is to blame, say
/// so, and exit.
///
/// ```
/// std::panic::set_hook(Box::new(|panic| {
///     if let Some(file) = edgeclip_engine::reading() {
///         eprintln!("model file {file} is broken: {panic}");
///         std::process::exit(2);
///     }
/// }));
/// assert_eq!(edgeclip_engine::reading(), None);
/// ```
pub fn reading() -> Option<String> {
    READING.with(|reading| reading.try_borrow().ok().and_then(|reading| reading.clone()))
}

/// Does `work` on the network of `file`; a panic becomes the error that `panicked` makes of its message.
pub(crate) fn guarded<T, E>(
    file: &str,
    work: impl FnOnce() -> Result<T, E>,
    panicked: impl FnOnce(String) -> E,
) -> Result<T, E> {
    let outer = READING.replace(Some(file.to_owned()));
    let result = catch_unwind(AssertUnwindSafe(work));
    READING.set(outer);
    result.unwrap_or_else(|panic| Err(panicked(words(&*panic))))
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
    format!("what makes tract fail: {}", shortened(text))
}

/// Whether values of a type can be given as f32.
pub(crate) fn is_numeric(kind: DatumType) -> bool {
    kind.is_number() || kind == bool::datum_type()
}

/// The values of a tensor of numbers: integers as the f32 that is nearest.
pub(crate) fn floats(tensor: &Tensor) -> TractResult<Vec<f32>> {
    let tensor = tensor.cast_to::<f32>()?;
    Ok(tensor.to_plain_array_view::<f32>()?.iter().copied().collect())
}

/// A tract error and its causes, shortened: tract prints whole nodes.
pub(crate) fn message(error: &TractError) -> String {
    shortened(&format!("{error:#}"))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
