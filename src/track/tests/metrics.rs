//! How well hypotheses follow the truth: CLEAR-MOT and IDF1.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Sum;

use crate::geometry::Rect;
use crate::track::assignment::assign;

/// Boxes of one frame with their ids.
pub(crate) type Boxes = Vec<(u64, Rect)>;

/// Boxes match from this IoU on.
const MATCH: f32 = 0.5;

/// Counts over one or several sequences.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Score {
    /// Boxes of the truth.
    pub truths: usize,
    /// Boxes of the truth without a hypothesis.
    pub misses: usize,
    /// Hypotheses without a truth.
    pub false_alarms: usize,
    /// How often a thing's hypothesis had another id than the one before.
    pub switches: usize,
    /// Boxes that match under the best one-to-one mapping of true ids to hypothetical ids over the whole sequence.
    pub identity_hits: usize,
    /// Hypotheses.
    pub hypotheses: usize,
}

impl Score {
    /// 1 − (misses + false alarms + switches) / truths (Bernardin & Stiefelhagen 2008).
    pub(crate) fn mota(&self) -> f64 {
        1.0 - (self.misses + self.false_alarms + self.switches) as f64 / self.truths as f64
    }

    /// 2 · identity hits / (truths + hypotheses) (Ristani et al. 2016).
    pub(crate) fn idf1(&self) -> f64 {
        2.0 * self.identity_hits as f64 / (self.truths + self.hypotheses) as f64
    }
}

impl Sum for Score {
    fn sum<I: Iterator<Item = Self>>(scores: I) -> Self {
        scores.fold(Self::default(), |a, b| Self {
            truths: a.truths + b.truths,
            misses: a.misses + b.misses,
            false_alarms: a.false_alarms + b.false_alarms,
            switches: a.switches + b.switches,
            identity_hits: a.identity_hits + b.identity_hits,
            hypotheses: a.hypotheses + b.hypotheses,
        })
    }
}

/// Follows frame by frame; truth and hypotheses of one frame each.
pub(crate) fn evaluate(frames: &[(Boxes, Boxes)]) -> Score {
    let mut score = Score { identity_hits: identity_hits(frames), ..Score::default() };
    // For each true id the hypothesis that it matched last.
    let mut partner: BTreeMap<u64, u64> = BTreeMap::new();
    for (truth, hypotheses) in frames {
        let pairs = matches(truth, hypotheses, &partner);
        score.truths += truth.len();
        score.hypotheses += hypotheses.len();
        score.misses += truth.len() - pairs.len();
        score.false_alarms += hypotheses.len() - pairs.len();
        for (true_id, id) in pairs {
            let before = partner.insert(true_id, id);
            score.switches += usize::from(before.is_some_and(|before| before != id));
        }
    }
    score
}

/// Pairs of one frame: those of earlier frames stay as long as they match, then as many as can be at the greatest sum of IoU.
fn matches(truth: &Boxes, hypotheses: &Boxes, partner: &BTreeMap<u64, u64>) -> Vec<(u64, u64)> {
    let continued = |t: &&(u64, Rect)| {
        let id = *partner.get(&t.0)?;
        hypotheses.iter().any(|h| h.0 == id && h.1.iou(&t.1) >= MATCH).then_some((t.0, id))
    };
    let mut taken = BTreeSet::new();
    let mut pairs = Vec::new();
    for (true_id, id) in truth.iter().filter_map(|t| continued(&t)) {
        // Two truths may have had the same partner at different times.
        if taken.insert(id) {
            pairs.push((true_id, id));
        }
    }
    let paired: BTreeSet<u64> = pairs.iter().map(|p| p.0).collect();
    let rest_truth: Vec<_> = truth.iter().filter(|t| !paired.contains(&t.0)).collect();
    let rest: Vec<_> = hypotheses.iter().filter(|h| !taken.contains(&h.0)).collect();
    let gain = |i: usize, j: usize| {
        let iou = rest_truth[i].1.iou(&rest[j].1);
        // One more pair is worth more than any IoU.
        if iou >= MATCH { 1000.0 + iou } else { 0.0 }
    };
    let assigned = assign(rest_truth.len(), rest.len(), gain);
    let new = rest_truth.iter().zip(assigned).filter_map(|(t, j)| j.map(|j| (t.0, rest[j].0)));
    pairs.extend(new);
    pairs
}

/// The greatest number of matching boxes over all one-to-one mappings of ids.
fn identity_hits(frames: &[(Boxes, Boxes)]) -> usize {
    let mut together: BTreeMap<(u64, u64), usize> = BTreeMap::new();
    for (truth, hypotheses) in frames {
        for t in truth {
            for h in hypotheses.iter().filter(|h| h.1.iou(&t.1) >= MATCH) {
                *together.entry((t.0, h.0)).or_default() += 1;
            }
        }
    }
    let ids = |of: fn(&(u64, u64)) -> u64| -> Vec<u64> {
        together.keys().map(of).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let (rows, columns) = (ids(|k| k.0), ids(|k| k.1));
    let count = |i: usize, j: usize| together.get(&(rows[i], columns[j])).copied().unwrap_or(0);
    let mapping = assign(rows.len(), columns.len(), |i, j| count(i, j) as f32);
    mapping.iter().enumerate().filter_map(|(i, j)| j.map(|j| count(i, j))).sum()
}

/// A box of 10 × 10 pixels at `x`: two of them, `d` apart, have an IoU of (10 − d) / (10 + d).
fn at(x: f32) -> Rect {
    Rect { x0: x, y0: 0.0, x1: x + 10.0, y1: 10.0 }
}

#[test]
fn a_perfect_answer_scores_one() {
    let frame = || (vec![(1, at(0.0)), (2, at(50.0))], vec![(7, at(50.0)), (9, at(1.0))]);
    let score = evaluate(&[frame(), frame(), frame()]);
    assert_eq!((score.mota(), score.idf1(), score.switches), (1.0, 1.0, 0));
}

#[test]
fn a_switch_costs_once_in_mota_and_for_long_in_idf1() {
    // One thing in five frames, followed by 1 in three and by 2 in two.
    let frames: Vec<_> = [1, 1, 1, 2, 2].map(|id| (vec![(1, at(0.0))], vec![(id, at(2.0))])).into();
    let score = evaluate(&frames);
    assert_eq!((score.truths, score.misses, score.false_alarms, score.switches), (5, 0, 0, 1));
    assert_eq!((score.mota(), score.idf1()), (0.8, 0.6));
}

#[test]
fn misses_and_false_alarms_are_counted() {
    let thing = (1, at(0.0));
    let frames = [
        (vec![thing], vec![(1, at(0.0)), (2, at(50.0))]),
        // An IoU of 5/15 is no match: a miss and a false alarm.
        (vec![thing], vec![(1, at(5.0))]),
        (vec![thing], vec![]),
        (vec![thing], vec![(1, at(0.0))]),
    ];
    let score = evaluate(&frames);
    assert_eq!((score.misses, score.false_alarms, score.switches, score.identity_hits), (2, 2, 0, 2));
    // 1 − 4/4, and 2 · 2 of 4 + 4 boxes.
    assert_eq!((score.mota(), score.idf1()), (0.0, 0.5));
}

#[test]
fn a_match_is_kept_while_it_holds() {
    // The other hypothesis is nearer in the second frame, but the first still matches.
    let frames =
        [(vec![(1, at(0.0))], vec![(1, at(0.0))]), (vec![(1, at(0.0))], vec![(1, at(3.0)), (2, at(0.0))])];
    let score = evaluate(&frames);
    assert_eq!((score.switches, score.false_alarms), (0, 1));
}

/// `py_motmetrics.py` beside this file prints what py-motmetrics 1.4.0 makes of the same boxes.
#[test]
fn the_figures_are_those_of_py_motmetrics() {
    let mut frames = vec![(Boxes::new(), Boxes::new()); 40];
    for line in include_str!("../../../tests/data/track_motmetrics.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f32>().unwrap();
        let rect = Rect { x0: number(3), y0: number(4), x1: number(5), y1: number(6) };
        let frame = &mut frames[number(0) as usize - 1];
        let side = if cells[1] == "truth" { &mut frame.0 } else { &mut frame.1 };
        side.push((number(2) as u64, rect));
    }
    let score = evaluate(&frames);
    let theirs = Score {
        truths: 252,
        misses: 144,
        false_alarms: 249,
        switches: 11,
        identity_hits: 71,
        hypotheses: 357,
    };
    assert_eq!(score, theirs);
    assert!((score.mota() - -0.603_175).abs() < 1e-6 && (score.idf1() - 0.233_169).abs() < 1e-6);
}
