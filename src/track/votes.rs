//! Which name a track bears: a vote over its observations.

use std::sync::Arc;

/// A name's share of all votes below which it is forgotten.
const FORGOTTEN: f32 = 1e-3;

/// Votes of the observations so far. One whose best probability is s gives each of its names s · p votes of s that it
/// could give, p being the name's probability. Votes lose half their weight in some observations.
#[derive(Debug, Clone)]
pub struct Votes {
    /// Names with their votes, most votes first.
    names: Vec<(Arc<str>, f32)>,
    /// How many votes could have been given.
    most: f32,
}

impl Votes {
    /// Starts with one observation; `None` if it names nothing.
    pub fn new(labels: &[(Arc<str>, f32)]) -> Option<Self> {
        let mut votes = Self { names: Vec::new(), most: 0.0 };
        votes.add(labels, f32::INFINITY);
        (!votes.names.is_empty()).then_some(votes)
    }

    /// One more observation; one that names nothing does not count. Votes halve in `half_life` observations.
    pub fn add(&mut self, labels: &[(Arc<str>, f32)], half_life: f32) {
        let valid = || labels.iter().filter(|(_, p)| *p > 0.0).map(|(name, p)| (name, p.min(1.0)));
        let weight = valid().fold(0.0, |best: f32, (_, p)| best.max(p));
        if weight == 0.0 {
            return;
        }
        let decay = (-1.0 / half_life).exp2();
        for (_, votes) in &mut self.names {
            *votes *= decay;
        }
        self.most = self.most * decay + weight;
        for (name, p) in valid() {
            match self.names.iter_mut().find(|(known, _)| known == name) {
                Some((_, votes)) => *votes += weight * p,
                None => self.names.push((name.clone(), weight * p)),
            }
        }
        // Stable: of names with equally many votes the one that was ahead stays ahead.
        self.names.sort_by(|a, b| b.1.total_cmp(&a.1));
        let remembered = self.names.partition_point(|(_, votes)| *votes > self.most * FORGOTTEN);
        self.names.truncate(remembered.max(1));
    }

    /// The winner and its share: the mean of its probability over the observations, weighted by their best ones; 0 to 1.
    pub fn winner(&self) -> Option<(&Arc<str>, f32)> {
        self.names.first().map(|(name, votes)| (name, (votes / self.most).clamp(0.0, 1.0)))
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
    fn sure_observations_outvote_many_unsure_ones() {
        let (cup, bowl) = ([label("cup", 0.9)], [label("bowl", 0.4)]);
        let votes = vote(&[&bowl, &cup, &bowl, &bowl], f32::INFINITY);
        // 0.81 votes against 3 · 0.16, of 0.9 + 3 · 0.4.
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
    fn votes_halve_in_a_half_life() {
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
        assert_eq!(votes.names.len(), 1, "what nobody says any more is forgotten");
    }

    #[test]
    fn a_name_that_was_ahead_stays_ahead_of_its_equal() {
        let both = [label("b", 0.5), label("a", 0.5)];
        let votes = vote(&[&both, &[label("a", 0.5), label("b", 0.5)]], f32::INFINITY);
        assert_eq!(winner(&votes).0, "b");
    }

    #[test]
    fn what_names_nothing_does_not_count() {
        for nothing in [&[][..], &[label("x", f32::NAN)], &[label("x", 0.0)], &[label("x", -1.0)]] {
            assert!(Votes::new(nothing).is_none());
            let votes = vote(&[&[label("y", 0.5)], nothing], 1.0);
            assert_eq!(winner(&votes), ("y", 0.5));
        }
        assert_eq!(winner(&vote(&[&[label("x", f32::INFINITY)]], 1.0)), ("x", 1.0));
        assert_eq!(winner(&vote(&[&[label("x", 1e-30)][..]; 3], 1.0)).0, "x");
    }
}
