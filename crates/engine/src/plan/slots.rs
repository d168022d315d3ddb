//! Which buffers share memory.

use crate::steps::{Draft, Output};

/// Replaces buffers by slots, of which each is free again after the last reader of its buffer. Returns the
/// slots' bytes.
pub(super) fn assign(steps: &mut [Draft], outputs: &mut [Output], input: usize) -> Vec<usize> {
    let buffers = 1 + steps.iter().map(|step| step.to.buffer).max().unwrap_or(0);
    let mut last = vec![0; buffers];
    for (index, step) in steps.iter().enumerate() {
        step.from.iter().for_each(|view| last[view.buffer] = index);
    }
    let read = outputs.iter().flat_map(Output::views);
    read.for_each(|view| last[view.buffer] = usize::MAX);
    let mut slots = vec![input];
    let mut slot_of = vec![0; buffers];
    let mut free: Vec<usize> = Vec::new();
    for (index, step) in steps.iter_mut().enumerate() {
        let bytes = step.to.len();
        // The free slot that fits best: the smallest that is large enough, else the largest.
        let best = (0..free.len()).min_by_key(|&at| {
            let size = slots[free[at]];
            if size >= bytes { (0, size) } else { (1, usize::MAX - size) }
        });
        let slot = best.map_or_else(
            || {
                slots.push(0);
                slots.len() - 1
            },
            |at| free.swap_remove(at),
        );
        slots[slot] = slots[slot].max(bytes);
        slot_of[step.to.buffer] = slot;
        let mut done: Vec<usize> =
            step.from.iter().map(|view| view.buffer).filter(|&buffer| last[buffer] == index).collect();
        done.sort_unstable();
        done.dedup();
        free.extend(done.iter().map(|&buffer| slot_of[buffer]));
        // Nobody reads it.
        if last[step.to.buffer] == 0 {
            free.push(slot);
        }
        step.from.iter_mut().for_each(|view| view.buffer = slot_of[view.buffer]);
        step.to.buffer = slot;
    }
    outputs.iter_mut().flat_map(Output::views_mut).for_each(|view| view.buffer = slot_of[view.buffer]);
    slots
}
