//! Optimal assignment of rows to columns.

/// Pairs rows with columns, each at most once, so that the sum of gains is greatest; returns each row's
/// column. `gain(row, column)` is called once per pair; pairs whose gain is not above 0 (or NaN) are never
/// made. Ties are always broken the same way.
///
/// Shortest augmenting paths with dual variables (Jonker & Volgenant 1987), O(n²·m) for n ≤ m.
pub(crate) fn assign(rows: usize, columns: usize, gain: impl Fn(usize, usize) -> f32) -> Vec<Option<usize>> {
    let transposed = rows > columns;
    let (n, m) = if transposed { (columns, rows) } else { (rows, columns) };
    // Costs are negative gains. A forbidden pair costs the same as leaving both alone, and is
    // removed at the end.
    let mut costs = Vec::with_capacity(n * m);
    for i in 0..n {
        costs.extend((0..m).map(|j| {
            let gain = if transposed { gain(j, i) } else { gain(i, j) };
            if gain > 0.0 { -f64::from(gain.min(MAX_GAIN)) } else { 0.0 }
        }));
    }
    let mut assigned = vec![None; rows];
    for (j, i) in cheapest(n, m, &costs).into_iter().enumerate() {
        let Some(i) = i else { continue };
        if costs[i * m + j] < 0.0 {
            let (row, column) = if transposed { (j, i) } else { (i, j) };
            assigned[row] = Some(column);
        }
    }
    assigned
}

/// Gains are clamped to this, so that their sums stay finite and precise enough.
const MAX_GAIN: f32 = 1e6;

/// Gives each of `n` ≤ `m` rows a column at minimum total cost, from finite `costs` (`n` × `m`, row-major);
/// returns each column's row.
fn cheapest(n: usize, m: usize, costs: &[f64]) -> Vec<Option<usize>> {
    let (mut row_dual, mut column_dual) = (vec![0.0; n], vec![0.0; m]);
    let mut owner: Vec<Option<usize>> = vec![None; m];
    for start in 0..n {
        // Dijkstra's search over columns, from a row without a column to a column without a row.
        let mut distance = vec![f64::INFINITY; m];
        let mut from: Vec<Option<usize>> = vec![None; m];
        let mut done = vec![false; m];
        let (mut row, mut column) = (start, None);
        loop {
            let mut least = f64::INFINITY;
            let mut next = None;
            for j in (0..m).filter(|&j| !done[j]) {
                let reduced = costs[row * m + j] - row_dual[row] - column_dual[j];
                if reduced < distance[j] {
                    distance[j] = reduced;
                    from[j] = column;
                }
                if distance[j] < least {
                    least = distance[j];
                    next = Some(j);
                }
            }
            let Some(reached) = next else { break };
            // Duals move along with the search, so that `distance` stays relative to the current row.
            row_dual[start] += least;
            for j in 0..m {
                if done[j] {
                    column_dual[j] -= least;
                    if let Some(i) = owner[j] {
                        row_dual[i] += least;
                    }
                } else {
                    distance[j] -= least;
                }
            }
            done[reached] = true;
            column = Some(reached);
            match owner[reached] {
                Some(i) => row = i,
                None => break,
            }
        }
        // Every column on the path takes the row of the column before it.
        while let Some(j) = column {
            column = from[j];
            owner[j] = Some(column.and_then(|before| owner[before]).unwrap_or(start));
        }
    }
    owner
}

#[cfg(test)]
#[path = "assignment_tests.rs"]
mod tests;
