//! What a step does that is more than one call of a kernel.

use super::arena::Scratch;
use crate::steps::{Meeting, View};
use edgeclip_kernels::matmul::MatMul;
use edgeclip_kernels::table::Table;
use edgeclip_kernels::{Isa, layout, matmul, table};

/// Rows of products from row `first` on, of matrices of so many `rows` each.
pub(super) fn matrices(
    isa: Isa,
    product: &MatMul,
    own: &mut matmul::Scratch,
    rows: usize,
    [a, b]: [&[i8]; 2],
    first: usize,
    to: &mut [i8],
) {
    let length = product.length;
    let columns = b.len() / length / (a.len() / length / rows);
    let (mut at, mut rest) = (first, to);
    while !rest.is_empty() {
        let (matrix, row) = (at / rows, at % rows);
        let count = (rows - row).min(rest.len() / columns);
        let (to, others) = rest.split_at_mut(count * columns);
        let a = &a[at * length..][..count * length];
        let b = &b[matrix * columns * length..][..columns * length];
        matmul::run(isa, product, own, a, b, to);
        (at, rest) = (at + count, others);
    }
}

/// Rows of `row` values from row `first` on: of the convolutions' sums, each of a slice and its stride, and of `tensors`.
#[allow(clippy::too_many_arguments, reason = "as many as it needs")]
pub(super) fn meet(
    isa: Isa,
    meeting: &Meeting,
    own: &mut Scratch,
    convolutions: &[(&[i8], usize)],
    tensors: &[&[i8]],
    row: usize,
    first: usize,
    to: &mut [i8],
) {
    let Scratch { wide, rows, lines, .. } = own;
    let Meeting { convolutions: kernels, formula } = meeting;
    if kernels.is_empty() {
        return formula.run(isa, lines, &[], tensors, first * row, to);
    }
    rows.resize_with(rows.len().max(kernels.len()), Vec::new);
    for (y, to) in to.chunks_exact_mut(row).enumerate() {
        let y = first + y;
        for ((kernel, &(input, stride)), sums) in kernels.iter().zip(convolutions).zip(&mut *rows) {
            sums.resize(row, 0);
            kernel.row(isa, wide, input, stride, y, sums);
        }
        formula.run(isa, lines, rows, tensors, y * row, to);
    }
}

/// The values of views as the graph has them.
pub(super) fn planes(isa: Isa, from: &[View], slots: &[Vec<i8>]) -> Vec<Vec<i8>> {
    let planes = from.iter().map(|view| {
        let mut planes = vec![0; view.len()];
        layout::planes(isa, view.channels, view.stride, &slots[view.buffer][view.offset..], &mut planes);
        planes
    });
    planes.collect()
}

/// Writes the inputs' channels side by side, each through its table.
pub(super) fn concat<'a>(
    isa: Isa,
    tables: &[Table],
    from: &[View],
    input: impl Fn(usize) -> &'a [i8],
    to: &mut [i8],
) {
    let stride = from.iter().map(|view| view.channels).sum();
    let mut start = 0;
    for (index, (view, table)) in from.iter().zip(tables).enumerate() {
        if view.is_dense() && stride == view.channels {
            table::apply(isa, table, &input(index)[..to.len()], to);
            continue;
        }
        for (to, from) in to.chunks_exact_mut(stride).zip(input(index).chunks(view.stride)) {
            table::apply(isa, table, &from[..view.channels], &mut to[start..][..view.channels]);
        }
        start += view.channels;
    }
}
