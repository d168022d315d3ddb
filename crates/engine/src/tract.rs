//! What all that goes through tract needs: a bound on memory, and its errors in one line.

use tract_onnx::prelude::*;

/// Longest message of tract that is worth a line.
const MESSAGE: usize = 300;

/// Most values of a tensor that tract may compute.
const LARGEST: usize = 1 << 28;

/// Refuses a graph with a tensor of known size that no memory holds: tract would abort the process when it
/// allocates it.
pub(crate) fn bounded(model: &TypedModel) -> TractResult<()> {
    for node in model.nodes() {
        for output in &node.outputs {
            if let Some(shape) = output.fact.shape.as_concrete()
                && shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n)).is_none_or(|n| n > LARGEST)
            {
                return Err(TractError::msg(format!("{} makes a tensor of shape {shape:?}", node.name)));
            }
        }
    }
    Ok(())
}

/// A tract error and its causes, shortened: tract prints whole nodes.
pub(crate) fn message(error: &TractError) -> String {
    let full = format!("{error:#}");
    match full.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &full[..end]),
        None => full,
    }
}
