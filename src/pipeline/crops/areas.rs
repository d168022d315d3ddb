//! Groups of neighbouring cells.

/// The cells that are `set`, in groups whose members touch or have one cell between them; `set` has rows of `columns`.
pub(super) fn connected(set: &[bool], columns: usize) -> Vec<Vec<usize>> {
    const REACH: isize = 2;
    let mut free = set.to_vec();
    let mut groups = Vec::new();
    let rows = set.len() / columns.max(1);
    for first in 0..set.len() {
        if !std::mem::take(&mut free[first]) {
            continue;
        }
        let mut group = vec![first];
        let mut next = 0;
        while let Some(cell) = group.get(next).copied() {
            next += 1;
            let (x, y) = (cell % columns, cell / columns);
            for (down, right) in
                (-REACH..=REACH).flat_map(|down| (-REACH..=REACH).map(move |right| (down, right)))
            {
                let at = y.checked_add_signed(down).zip(x.checked_add_signed(right));
                let Some((y, x)) = at.filter(|(y, x)| *y < rows && *x < columns) else { continue };
                if free.get_mut(y * columns + x).is_some_and(std::mem::take) {
                    group.push(y * columns + x);
                }
            }
        }
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_a_gap_of_one_are_one_group_and_rows_do_not_join_at_their_ends() {
        let set: Vec<bool> = "#.#....\
                              ......#\
                              .......\
                              .......\
                              #.....#"
            .bytes()
            .map(|byte| byte == b'#')
            .collect();
        assert_eq!(connected(&set, 7), [vec![0, 2], vec![13], vec![28], vec![34]]);
        assert!(connected(&[false; 6], 3).is_empty());
        assert!(connected(&[], 0).is_empty());
    }
}
