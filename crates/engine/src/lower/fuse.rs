//! Passes over the steps: moving tables into the convolutions before them, dropping what nobody reads.

use std::collections::HashSet;

use crate::steps::{Draft, Op, View};
use edgeclip_kernels::table::Table;

/// Moves tables into the convolutions before them where nothing else reads what lies between: the kernel
/// applies them in registers, to the same quantised values. `outputs` count as readers.
pub(super) fn fuse_tables(steps: &mut Vec<Draft>, outputs: &[View]) {
    let mut index = 0;
    while index < steps.len() {
        let removed = (0..steps[index].from.len()).any(|input| fuse(steps, outputs, index, input));
        // If so, another step is in its place, which has not been looked at.
        if !removed {
            index += 1;
        }
    }
}

/// Drops the steps whose results nobody reads.
pub(super) fn drop_unread(steps: &mut Vec<Draft>, outputs: &[View]) {
    let mut read: HashSet<usize> = outputs.iter().map(|view| view.buffer).collect();
    let mut kept = Vec::with_capacity(steps.len());
    while let Some(step) = steps.pop() {
        if read.contains(&step.to.buffer) {
            read.extend(step.from.iter().map(|view| view.buffer));
            kept.push(step);
        }
    }
    kept.reverse();
    *steps = kept;
}

/// Moves the table of input `input` of step `index`, if it has one. Whether nothing is left of the step.
fn fuse(steps: &mut Vec<Draft>, outputs: &[View], index: usize, input: usize) -> bool {
    let from = steps[index].from[input];
    let readers = steps.iter().flat_map(|step| &step.from).chain(outputs);
    let lonely = readers.filter(|view| view.buffer == from.buffer).count() == 1;
    let maker = steps.iter().position(|step| step.to.buffer == from.buffer);
    let Some(maker) = maker.filter(|_| lonely && from.is_dense()) else { return false };
    if !matches!(steps[maker].op, Op::Convolution(_)) {
        return false;
    }
    let identity = Table::new(|q| q);
    let table = match &mut steps[index].op {
        Op::Table(table) => std::mem::replace(table, identity),
        Op::Concat(tables) => std::mem::replace(&mut tables[input], identity),
        Op::Interleave(tables) => std::mem::replace(&mut tables[input], identity),
        _ => return false,
    };
    if let Op::Convolution(conv) = &mut steps[maker].op {
        let before = conv.requantise.table.take();
        conv.requantise.table =
            Some(Box::new(before.map_or_else(|| table.clone(), |before| before.then(&table))));
    }
    if !matches!(steps[index].op, Op::Table(_)) {
        return false;
    }
    // Its own height and width stay: the kernel writes row by row, and a Reshape before the table may have
    // changed them.
    steps[maker].to.buffer = steps[index].to.buffer;
    steps.remove(index);
    true
}
