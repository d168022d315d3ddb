//! Which name a track gets: a vote over its observations.

use std::sync::Arc;

/// Names whose share of all votes falls below this are forgotten.
const MIN_SHARE: f32 = 1e-3;

/// How far another name must be ahead to take over: names that hardly differ would otherwise take turns.
const LEAD: f32 = 1.1;

/// Votes of the observations so far. An observation whose best probability is s gives each of its names s · p
/// out of s possible votes, where p is the name's probability. Votes decay with a half-life in observations.
#[derive(Debug, Clone)]
pub(crate) struct Votes {
    /// Names with their votes, in descending order of votes.
    names: Vec<(Arc<str>, f32)>,
    /// Number of votes that could have been given.
    possible: f32,
}

impl Votes {
    /// Starts with one observation; `None` if it has no name.
    pub(crate) fn new(labels: &[(Arc<str>, f32)]) -> Option<Self> {
        let mut votes = Self { names: Vec::new(), possible: 0.0 };
        votes.add(labels, f32::INFINITY);
        (!votes.names.is_empty()).then_some(votes)
    }

    /// Adds an observation; one without a name does not count. Votes halve every `half_life` observations.
    pub(crate) fn add(&mut self, labels: &[(Arc<str>, f32)], half_life: f32) {
        let valid = || labels.iter().filter(|(_, p)| *p > 0.0).map(|(name, p)| (name, p.min(1.0)));
        let weight = valid().fold(0.0, |best: f32, (_, p)| best.max(p));
        if weight == 0.0 {
            return;
        }
        let decay = (-1.0 / half_life).exp2();
        let leader = self.names.first().map(|(name, _)| name.clone());
        for (_, votes) in &mut self.names {
            *votes *= decay;
        }
        self.possible = self.possible * decay + weight;
        for (name, p) in valid() {
            match self.names.iter_mut().find(|(known, _)| known == name) {
                Some((_, votes)) => *votes += weight * p,
                None => self.names.push((name.clone(), weight * p)),
            }
        }
        self.names.sort_by(|a, b| b.1.total_cmp(&a.1));
        let place = leader.and_then(|leader| self.names.iter().position(|(name, _)| *name == leader));
        if let Some(ahead) = place.and_then(|place| self.names.get_mut(..=place))
            && let [(_, most), .., (_, own)] = ahead
            && *most <= *own * LEAD
        {
            ahead.rotate_right(1);
        }
        let remembered = self.names.partition_point(|(_, votes)| *votes > self.possible * MIN_SHARE);
        self.names.truncate(remembered.max(1));
    }

    /// The winner and its share, 0 to 1: the mean of its probability over the observations, weighted by
    /// their best probability.
    pub(crate) fn winner(&self) -> Option<(&Arc<str>, f32)> {
        self.names.first().map(|(name, votes)| (name, (votes / self.possible).clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name with its probability.
    fn label(name: &str, p: f32) -> (Arc<str>, f32) {
        (name.into(), p)
    }

    /// The vote over `observations`.
    fn vote(observations: &[&[(Arc<str>, f32)]], half_life: f32) -> Votes {
        let (first, rest) = observations.split_first().unwrap();
        let mut votes = Votes::new(first).unwrap();
        rest.iter().for_each(|labels| votes.add(labels, half_life));
        votes
    }

    fn winner(votes: &Votes) -> (&str, f32) {
        let (name, share) = votes.winner().unwrap();
        (name, share)
    }

    #[test]
    fn confident_observations_outvote_many_uncertain_ones() {
        let (cup, bowl) = ([label("cup", 0.9)], [label("bowl", 0.4)]);
        let votes = vote(&[&bowl, &cup, &bowl, &bowl], f32::INFINITY);
        // 0.81 votes against 3 · 0.16, out of 0.9 + 3 · 0.4.
        let (name, share) = winner(&votes);
        assert_eq!(name, "cup");
        assert!((share - 0.81 / 2.1).abs() < 1e-6, "{share}");
    }

    #[test]
    fn the_share_of_a_steady_name_is_its_probability() {
        let steady = [label("cat", 0.7), label("animal", 0.6)];
        let votes = vote(&[&steady[..]; 50], 10.0);
        let (name, share) = winner(&votes);
        assert_eq!(name, "cat");
        assert!((share - 0.7).abs() < 1e-5, "{share}");
    }

    #[test]
    fn votes_halve_per_half_life() {
        let (old, new) = ([label("old", 0.5)], [label("new", 0.5)]);
        let mut votes = vote(&[&old[..]; 200], 8.0);
        // The past weighs 1 / (1 − 2^(−1/8)) observations, of which half is left after eight.
        for _ in 0..8 {
            assert_eq!(winner(&votes).0, "old");
            votes.add(&new, 8.0);
        }
        votes.add(&new, 8.0);
        assert_eq!(winner(&votes).0, "new");
        for _ in 0..200 {
            votes.add(&new, 8.0);
        }
        assert_eq!(votes.names.len(), 1, "names without new votes are forgotten");
    }

    #[test]
    fn ties_keep_the_earlier_winner() {
        let both = [label("b", 0.5), label("a", 0.5)];
        let votes = vote(&[&both, &[label("a", 0.5), label("b", 0.5)]], f32::INFINITY);
        assert_eq!(winner(&votes).0, "b");
    }

    #[test]
    fn names_that_hardly_differ_do_not_take_turns() {
        let mut votes = vote(&[&[label("cat", 0.7), label("cats", 0.6)]], 8.0);
        for _ in 0..100 {
            votes.add(&[label("cats", 0.73), label("cat", 0.7)], 8.0);
            assert_eq!(winner(&votes).0, "cat");
        }
        // A name that is clearly better takes over.
        for _ in 0..16 {
            votes.add(&[label("cats", 0.8), label("cat", 0.3)], 8.0);
        }
        assert_eq!(winner(&votes).0, "cats");
    }

    #[test]
    fn unnamed_observations_do_not_count() {
        for nothing in [&[][..], &[label("x", f32::NAN)], &[label("x", 0.0)], &[label("x", -1.0)]] {
            assert!(Votes::new(nothing).is_none());
            let votes = vote(&[&[label("y", 0.5)], nothing], 1.0);
            assert_eq!(winner(&votes), ("y", 0.5));
        }
        assert_eq!(winner(&vote(&[&[label("x", f32::INFINITY)]], 1.0)), ("x", 1.0));
        assert_eq!(winner(&vote(&[&[label("x", 1e-30)][..]; 3], 1.0)).0, "x");
    }
}
