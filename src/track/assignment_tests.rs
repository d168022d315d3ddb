use super::*;

/// The greatest sum over all pairings, by exhaustive search.
fn brute_force(gains: &[Vec<f32>], taken: &mut Vec<bool>) -> f32 {
    let Some((first, rest)) = gains.split_first() else { return 0.0 };
    let mut best = brute_force(rest, taken);
    for (column, &gain) in first.iter().enumerate() {
        if gain > 0.0 && !taken[column] {
            taken[column] = true;
            best = best.max(gain + brute_force(rest, taken));
            taken[column] = false;
        }
    }
    best
}

/// SplitMix64 (Steele et al. 2014), its upper bits as a fraction.
fn random(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
}

#[test]
fn the_sum_matches_brute_force() {
    let mut state = 7;
    for round in 0..2000 {
        let rows = (random(&mut state) * 6.99) as usize;
        let columns = (random(&mut state) * 6.99) as usize;
        // Half of the pairs are forbidden; every third round has few distinct values, so that
        // many assignments tie.
        let gains: Vec<Vec<f32>> = (0..rows)
            .map(|_| {
                let value = |state: &mut u64| {
                    let v = random(state) * 2.0 - 1.0;
                    if round % 3 == 0 { (v * 3.0).round() } else { v }
                };
                (0..columns).map(|_| value(&mut state)).collect()
            })
            .collect();
        let answer = assign(rows, columns, |i, j| gains[i][j]);
        assert_eq!(answer.len(), rows);
        let mut columns_used: Vec<usize> = answer.iter().flatten().copied().collect();
        let pairs = columns_used.len();
        columns_used.sort_unstable();
        columns_used.dedup();
        assert_eq!(columns_used.len(), pairs, "a column was assigned twice: {answer:?}");
        let chosen: Vec<f32> =
            answer.iter().enumerate().filter_map(|(i, j)| j.map(|j| gains[i][j])).collect();
        assert!(chosen.iter().all(|&gain| gain > 0.0), "{gains:?} {answer:?}");
        let best = brute_force(&gains, &mut vec![false; columns]);
        assert!((chosen.iter().sum::<f32>() - best).abs() < 1e-4, "{gains:?} {answer:?} {best}");
    }
}

#[test]
fn the_total_counts_and_not_the_best_pair() {
    let gains = [[0.9, 0.8], [0.8, 0.1]];
    assert_eq!(assign(2, 2, |i, j| gains[i][j]), [Some(1), Some(0)]);
    let gains = [[0.9, 0.3], [0.3, 0.0]];
    assert_eq!(assign(2, 2, |i, j| gains[i][j]), [Some(0), None]);
}

#[test]
fn invalid_gains_make_no_pairs() {
    assert_eq!(assign(2, 2, |_, _| f32::NAN), [None, None]);
    assert_eq!(assign(1, 2, |_, j| [f32::NEG_INFINITY, 0.0][j]), [None]);
    let gains = [[f32::INFINITY, 1.0], [f32::MAX, f32::NAN]];
    assert_eq!(assign(2, 2, |i, j| gains[i][j]), [Some(1), Some(0)]);
    assert!(assign(0, 3, |_, _| 1.0).is_empty());
    assert_eq!(assign(3, 0, |_, _| 1.0), [None; 3]);
}
