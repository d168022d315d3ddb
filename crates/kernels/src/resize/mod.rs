//! Pillow's antialiased `BILINEAR` resize of 8-bit pixels, bit for bit, into signed planes: horizontal pass
//! first, 8 bits in between.
//!
//! Rows are read 16 at a time, and an output row is written as soon as all its input rows are there, so that
//! both passes work in L1 cache.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod coefficients;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use coefficients::Axis;

use super::Isa;
use super::isa::Level;

/// Rows per horizontal pass; rows in scratch are padded to a multiple of this many pixels.
const BLOCK: usize = 16;

/// Most rows or columns of a picture, so that no size wraps around.
const MOST: usize = 1 << 24;

/// A resize from one size to another, with its scratch.
#[derive(Debug)]
pub struct Resize {
    isa: Isa,
    from: (usize, usize),
    columns: Axis,
    rows: Axis,
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Scratch {
    /// A block of rows, each as three planes.
    block: Vec<u8>,
    /// A plane of the block, column by column.
    columns: Vec<u8>,
    /// Rows after the horizontal pass, also as three planes.
    wide: Vec<u8>,
}

/// Consecutive rows of three planes each.
#[derive(Clone, Copy)]
struct Rows<B> {
    bytes: B,
    /// Bytes per row of a plane, a multiple of `BLOCK`.
    width: usize,
}

impl Resize {
    /// Resizes from size `from` to size `to`, each (columns, rows), all at least 1.
    ///
    /// # Panics
    /// If one is 0 or more than 2²⁴.
    pub fn new(isa: Isa, from: (usize, usize), to: (usize, usize)) -> Self {
        assert!([from.0, from.1, to.0, to.1].iter().all(|side| (1..=MOST).contains(side)));
        let (columns, rows) = (Axis::new(from.0, to.0), Axis::new(from.1, to.1));
        // Taps with weight 0 may reach outside the input, vertically as well.
        let narrow = padded(from.0 + columns.taps());
        let scratch = Scratch {
            block: vec![0; BLOCK * 3 * narrow],
            columns: vec![0; BLOCK * narrow],
            wide: vec![0; (BLOCK + 2 * rows.taps()) * 3 * padded(to.0)],
        };
        Self { isa, from, columns, rows, scratch }
    }

    /// Calls `read` for each input row from top to bottom, which writes its red, green and blue pixels;
    /// writes `value − 128` to three planes whose rows start `stride` values apart.
    ///
    /// # Panics
    /// If a plane is too short.
    pub fn run(
        &mut self,
        mut read: impl FnMut(usize, [&mut [u8]; 3]),
        mut out: [&mut [i8]; 3],
        stride: usize,
    ) {
        let (columns, rows, (width, height)) = (&self.columns, &self.rows, self.from);
        let Scratch { block, columns: turned, wide } = &mut self.scratch;
        let (narrow, resized) = (padded(width + columns.taps()), padded(columns.len()));
        // Input rows read so far, the input row at the start of `wide`, and output rows written.
        let (mut there, mut base, mut done) = (0, 0, 0);
        while there < height {
            let count = BLOCK.min(height - there);
            for (y, row) in block.chunks_exact_mut(3 * narrow).take(count).enumerate() {
                let (red, rest) = row.split_at_mut(narrow);
                let (green, blue) = rest.split_at_mut(narrow);
                read(there + y, [&mut red[..width], &mut green[..width], &mut blue[..width]]);
            }
            let block = Rows { bytes: &block[..], width: narrow };
            let end = Rows { bytes: &mut wide[(there - base) * 3 * resized..], width: resized };
            horizontal(self.isa, columns, block, end, turned);
            there += count;
            while done < rows.len() && (rows.first(done) + rows.taps()).min(height) <= there {
                let from = &wide[(rows.first(done) - base) * 3 * resized..];
                for (channel, plane) in out.iter_mut().enumerate() {
                    let from = Rows { bytes: &from[channel * resized..], width: resized };
                    vertical(self.isa, rows, done, from, &mut plane[done * stride..][..columns.len()]);
                }
                done += 1;
            }
            let needed = if done < rows.len() { rows.first(done).min(there) } else { there };
            wide.copy_within((needed - base) * 3 * resized..(there - base) * 3 * resized, 0);
            base = needed;
        }
    }
}

fn padded(width: usize) -> usize {
    width.next_multiple_of(BLOCK)
}

/// The horizontal pass over `BLOCK` rows of three planes. `turned` is scratch for one plane.
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    expect(unused_variables, reason = "only the SIMD bodies need the transposed columns")
)]
fn horizontal(isa: Isa, axis: &Axis, from: Rows<&[u8]>, to: Rows<&mut [u8]>, turned: &mut [u8]) {
    match isa.level() {
        Level::Scalar => {
            let (planes, out) = (3 * from.width, 3 * to.width);
            for (row, out) in from.bytes.chunks(planes).zip(to.bytes.chunks_mut(out)).take(BLOCK) {
                scalar::horizontal(axis, row, out);
            }
        }
        // SAFETY: every instruction set of this CPU except scalar includes AVX2.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { avx2::horizontal(axis, from, to, turned) },
        #[cfg(target_arch = "aarch64")]
        _ => neon::horizontal(axis, from, to, turned),
    }
}

/// The vertical pass for row `y` of a plane. `from` begins with the first row that contributes to it.
fn vertical(isa: Isa, axis: &Axis, y: usize, from: Rows<&[u8]>, to: &mut [i8]) {
    match isa.level() {
        Level::Scalar => scalar::vertical(axis.weights(y), from, to),
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { avx2::vertical(axis.pairs(y), from, to) },
        #[cfg(target_arch = "aarch64")]
        _ => neon::vertical(axis.pairs(y), from, to),
    }
}

#[cfg(test)]
mod tests;
