//! Pillow's antialiased `BILINEAR` resize of 8-bit pixels, bit for bit, to signed planes: horizontal pass first, 8 bits in between.
//!
//! Rows come 16 at a time and leave as soon as all that they sum up is there, so that the passes work in the first-level cache.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod coefficients;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use coefficients::Axis;

use super::Isa;

/// Rows that the horizontal pass takes at a time, and pixels of which rows in scratch hold a multiple.
const BLOCK: usize = 16;

/// A resize from one size to another, with its scratch.
pub struct Resize {
    isa: Isa,
    from: (usize, usize),
    columns: Axis,
    rows: Axis,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    /// A block of rows, each as three planes.
    block: Vec<u8>,
    /// A plane of the block, column by column.
    columns: Vec<u8>,
    /// Rows after the horizontal pass, likewise as three planes.
    wide: Vec<u8>,
}

impl Resize {
    /// From `from` to `to`, columns and rows, all at least 1.
    pub fn new(isa: Isa, from: (usize, usize), to: (usize, usize)) -> Self {
        let (columns, rows) = (Axis::new(from.0, to.0), Axis::new(from.1, to.1));
        // Taps of weight 0 may reach beyond the picture.
        let scratch = Scratch {
            block: vec![0; BLOCK * 3 * padded(from.0)],
            columns: vec![0; (padded(from.0) + columns.taps()) * BLOCK],
            wide: vec![0; (BLOCK + 2 * rows.taps()) * 3 * padded(to.0)],
        };
        Self { isa, from, columns, rows, scratch }
    }

    /// Calls `read` for each row from top to bottom, which writes its red, green and blue pixels, and writes `value − 128` to three
    /// planes whose rows start `stride` values apart.
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
        let (narrow, resized) = (padded(width), padded(columns.len()));
        // Rows of the picture that are read, the one that lies first in `wide`, and rows that are written.
        let (mut there, mut base, mut done) = (0, 0, 0);
        while there < height {
            let count = BLOCK.min(height - there);
            for (y, row) in block.chunks_exact_mut(3 * narrow).take(count).enumerate() {
                let (red, rest) = row.split_at_mut(narrow);
                let (green, blue) = rest.split_at_mut(narrow);
                read(there + y, [&mut red[..width], &mut green[..width], &mut blue[..width]]);
            }
            let end = &mut wide[(there - base) * 3 * resized..];
            for channel in 0..3 {
                let (from, to) = (&block[channel * narrow..], &mut end[channel * resized..]);
                horizontal(self.isa, columns, (from, 3 * narrow), (to, 3 * resized), turned);
            }
            there += count;
            while done < rows.len() && (rows.first(done) + rows.taps()).min(height) <= there {
                for (channel, plane) in out.iter_mut().enumerate() {
                    let from = &wide[(rows.first(done) - base) * 3 * resized + channel * resized..];
                    let to = &mut plane[done * stride..][..columns.len()];
                    vertical(self.isa, rows, done, (from, 3 * resized), to);
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

/// The horizontal pass over `BLOCK` rows of a plane, given with how far apart they start; rows are padded to blocks, `turned` is scratch.
fn horizontal(isa: Isa, axis: &Axis, from: (&[u8], usize), to: (&mut [u8], usize), turned: &mut [u8]) {
    match isa {
        Isa::Scalar => {
            for (from, to) in from.0.chunks(from.1).zip(to.0.chunks_mut(to.1)).take(BLOCK) {
                scalar::horizontal(axis, from, to);
            }
        }
        // SAFETY: all of this CPU's instruction sets but scalar have AVX2.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { avx2::horizontal(axis, from, to, turned) },
        #[cfg(target_arch = "aarch64")]
        _ => neon::horizontal(axis, from, to, turned),
    }
}

/// The vertical pass for row `y` of a plane. `from` begins with the first row that it sums up.
fn vertical(isa: Isa, axis: &Axis, y: usize, from: (&[u8], usize), to: &mut [i8]) {
    match isa {
        Isa::Scalar => scalar::vertical(from.0, from.1, axis.weights(y), to),
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { avx2::vertical(axis.pairs(y), from, to) },
        #[cfg(target_arch = "aarch64")]
        _ => neon::vertical(axis.pairs(y), from, to),
    }
}

#[cfg(test)]
mod tests;
