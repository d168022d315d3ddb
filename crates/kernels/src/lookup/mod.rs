//! Rows of an int8 table: word embeddings.

use std::borrow::Cow;

/// A table with one scale per row.
#[derive(Debug)]
pub struct Lookup {
    /// `[rows, width]`, int8 as bytes.
    pub table: Cow<'static, [u8]>,
    /// `[rows]`.
    pub scales: Vec<f32>,
    /// Values per row, at least 1.
    pub width: usize,
}

impl Lookup {
    /// Appends `table[row] · scale[row]`; `None` if there is no such row.
    pub fn push(&self, row: i64, output: &mut Vec<f32>) -> Option<()> {
        let row = usize::try_from(row).ok()?;
        let scale = self.scales.get(row)?;
        let values = self.table.chunks_exact(self.width).nth(row)?;
        output.extend(values.iter().map(|&q| f32::from(q.cast_signed()) * scale));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Lookup;

    #[test]
    fn rows_are_scaled_and_there_are_no_others() {
        let table = vec![1, 2, 0x80, 0x7F].into();
        let lookup = Lookup { table, scales: vec![0.5, 2.0], width: 2 };
        let mut output = Vec::new();
        assert!(lookup.push(1, &mut output).is_some() && lookup.push(0, &mut output).is_some());
        assert_eq!(output, [-256.0, 254.0, 0.5, 1.0]);
        assert!(lookup.push(2, &mut output).is_none() && lookup.push(-1, &mut output).is_none());
    }
}
