use super::super::classes::Links;
use super::super::embeddings::Embeddings;
use super::super::examples::Sum;
use super::super::texts::Texts;
use super::super::words::tests::vocabulary;
use super::*;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f64::from(*f) - e).abs() < 1e-5, "{found:?} is not {expected:?}");
    }
}

#[test]
fn a_region_competes_with_the_other_prompts_and_the_negatives() {
    // Cosines with (1, 0): 0.6 and 0 for the prompts, -1 for the negative; similarities 6, 0, -10.
    let words = vocabulary(&[("down", [0.6, -0.8]), ("north", [0.0, 1.0])], &[[-1.0, 0.0]]);
    let calibration = RegionScore { scale: 10.0, weights: [-0.5, 0.25, 2.0] };
    let m0 = 6.0 - (0f64.exp() + (-10f64).exp()).ln();
    let m1 = 0.0 - (6f64.exp() + (-10f64).exp()).ln();
    let expected = [sigmoid(-0.5 + 0.25 * m0 + 2.0 * 0.3), sigmoid(-0.5 + 0.25 * m1 + 2.0 * 0.3)];
    // The length of the embedding does not matter.
    close(&region_scores(&[7.0, 0.0], 0.3, &words, &calibration, None, None), &expected);
}

#[test]
fn a_tag_competes_with_the_other_prompts_and_the_negatives() {
    let words = vocabulary(&[("up", [0.6, 0.8]), ("east", [1.0, 0.0])], &[[-1.0, 0.0], [0.0, -1.0]]);
    let calibration = ImageScore { scale: 4.0, weights: [0.1, 0.5] };
    let negatives = (-4f64).exp() + 0f64.exp();
    let m0 = 2.4 - (4f64.exp() + negatives).ln();
    let m1 = 4.0 - (2.4f64.exp() + negatives).ln();
    let expected = [sigmoid(0.1 + 0.5 * m0), sigmoid(0.1 + 0.5 * m1)];
    close(&tag_scores(&[3.0, 0.0], &words, &calibration, None), &expected);
}

#[test]
fn what_examples_say_joins_what_words_say() {
    let mut words = vocabulary(&[("down", [0.6, -0.8])], &[[-1.0, 0.0]]);
    words.ensure("our van").unwrap();
    let calibration = RegionScore { scale: 10.0, weights: [-0.5, 0.25, 2.0] };
    let sum = |weight, constant| Some(Sum { weight, constant, otherwise: f64::NEG_INFINITY });
    let sums = vec![sum(0.5, 1.0), sum(0.0, 3.5)];
    let said = Evidence { sums, factors: vec![1.0, 0.5] };
    // The negative's similarity is −10; words exceed it by 16, of which half counts, and 1 by examples; the name
    // without words exceeds it by 3½.
    let (s0, s1) = (-10.0 + 8.0 + 1.0, -10.0 + 3.5);
    let m0 = s0 - (f64::exp(s1) + (-10f64).exp()).ln();
    let m1 = s1 - (f64::exp(s0) + (-10f64).exp()).ln();
    let expected = [sigmoid(-0.5 + 0.25 * m0 + 0.6), 0.5 * sigmoid(-0.5 + 0.25 * m1 + 0.6)];
    close(&region_scores(&[1.0, 0.0], 0.3, &words, &calibration, Some(&said), None), &expected);
    // Nothing is said: the name without words is not there at all.
    let m0 = 6.0 - (-10f64).exp().ln();
    let expected = [sigmoid(-0.5 + 0.25 * m0 + 0.6), 0.0];
    close(&region_scores(&[1.0, 0.0], 0.3, &words, &calibration, None, None), &expected);
    // What zones alone look for is nowhere else, and no alternative.
    words.set_use(0, Some(crate::vocabulary::Kind::State), None);
    let m1 = s1 - (-10f64).exp().ln();
    let expected = [0.0, 0.5 * sigmoid(-0.5 + 0.25 * m1 + 0.6)];
    close(&region_scores(&[1.0, 0.0], 0.3, &words, &calibration, Some(&said), None), &expected);
    assert_eq!(region_scores(&[1.0, 0.0], 0.3, &words, &calibration, None, None), [0.0, 0.0]);
}

/// `m_i` by the formula, from cosines between labels that `alike` gives.
fn plain(similarities: &[f32], negatives: &[f32], places: &Places) -> Vec<f64> {
    let likeness = |i: usize, j: usize| {
        places
            .alike(i)
            .iter()
            .find(|(other, _)| *other == j)
            .map_or(0.0, |(_, likeness)| f64::from(*likeness))
    };
    let labels = 0..similarities.len();
    let margin = |i: usize| {
        let others = labels
            .clone()
            .filter(|j| *j != i)
            .map(|j| (1.0 - likeness(i, j)) * f64::from(places.weight(j)) * f64::from(similarities[j]).exp());
        let sum: f64 = others.sum::<f64>() + negatives.iter().map(|n| f64::from(*n).exp()).sum::<f64>();
        f64::from(similarities[i]) - sum.ln()
    };
    labels.clone().map(margin).collect()
}

fn at(degrees: &[f32]) -> Places {
    let rows = degrees.iter().flat_map(|d| [d.to_radians().cos(), d.to_radians().sin()]).collect();
    Places::of(&Embeddings::from_data(2, rows).unwrap())
}

#[test]
fn margins_are_those_of_the_plain_formula_even_when_one_dominates() {
    let cases: [(&[f32], &[f32], &[f32]); 7] = [
        (&[1.0, 2.0, 3.0], &[0.5], &[0.0, 90.0, 180.0]),
        (&[80.0, -80.0, 79.999], &[-80.0, 3.0], &[0.0, 90.0, 180.0]),
        (&[5.0, 5.0], &[5.0], &[0.0, 120.0]),
        (&[-3.0, 2.0], &[90.0], &[0.0, 120.0]),
        (&[100.0], &[-100.0, -100.0], &[0.0]),
        (&[1.0, 4.0, 3.0, 2.0], &[0.5, -1.0], &[0.0, 80.0, 40.0, 200.0]),
        (&[70.0, 69.0, -70.0, 68.0, 3.0], &[-60.0], &[0.0, 46.0, 180.0, 10.0, 230.0]),
    ];
    for (prompts, negatives, degrees) in cases {
        let places = at(degrees);
        let found = margins(prompts, negatives, &places);
        for (found, expected) in found.iter().zip(plain(prompts, negatives, &places)) {
            assert!((f64::from(*found) - expected).abs() < 1e-4, "{prompts:?}: {found}, not {expected}");
        }
    }
}

#[test]
fn synonyms_share_a_place_and_are_told_apart_by_likelihood() {
    let region = RegionScore { scale: 10.0, weights: [-0.5, 0.5, 1.0] };
    let negatives = [[0.0, 1.0], [-1.0, 0.0]];
    let alone = vocabulary(&[("cat", [0.8, 0.6]), ("dog", [-0.6, 0.8])], &negatives);
    let twins = vocabulary(&[("cat", [0.8, 0.6]), ("dog", [-0.6, 0.8]), ("cats", [0.6, 0.8])], &negatives);
    let copies = vocabulary(
        &[("cat", [0.8, 0.6]), ("dog", [-0.6, 0.8]), ("cats", [0.8, 0.6]), ("a cat", [0.8, 0.6])],
        &negatives,
    );
    let scores = |words: &Vocabulary| region_scores(&[1.0, 0.0], 0.5, words, &region, None, None);
    let (one, two, many) = (scores(&alone), scores(&twins), scores(&copies));
    // The better name has what it has alone, the other falls behind by exp(−10 · (0.8 − 0.6)).
    assert!((two[0] - one[0]).abs() < 1e-6, "{two:?} {one:?}");
    let margin = 6.0 - (f64::from(-6.0f32).exp() + 0f64.exp() + (-10f64).exp()).ln();
    close(&two[2..], &[sigmoid(-0.5 + 0.5 * margin + 0.5) * (-2f64).exp()]);
    // Copies change nothing, neither for the place nor for the others.
    for (copy, of) in [(0, 0), (1, 1), (2, 0), (3, 0)] {
        assert!((many[copy] - one[of]).abs() < 1e-6, "{many:?} {one:?}");
    }
    let tags = |words: &Vocabulary| {
        tag_scores(&[1.0, 0.0], words, &ImageScore { scale: 10.0, weights: [0.1, 0.5] }, None)
    };
    assert!((tags(&twins)[0] - tags(&alone)[0]).abs() < 1e-6);
}

#[test]
fn without_alternatives_a_right_angle_is_the_alternative() {
    let words = vocabulary(&[("east", [1.0, 0.0])], &[]);
    let region = RegionScore { scale: 2.0, weights: [0.0, 1.0, 0.0] };
    close(&region_scores(&[0.6, 0.8], 0.0, &words, &region, None, None), &[sigmoid(1.2)]);
    close(
        &tag_scores(&[0.6, 0.8], &words, &ImageScore { scale: 2.0, weights: [0.0, 1.0] }, None),
        &[sigmoid(1.2)],
    );
}

#[test]
fn what_the_detector_calls_a_region_counts_beside_its_margin() {
    let words = vocabulary(&[("down", [0.6, -0.8]), ("north", [0.0, 1.0])], &[[-1.0, 0.0]]);
    let classes: [&[f32]; 2] = [&[1.0, 0.0], &[0.0, 1.0]];
    let links = Links::of(words.embeddings(), classes.into_iter(), [0.5, 0.9]);
    let called = Called { links: &links, logits: &[9.0, -2.0], weights: &[0.5, 0.125, -1.0, 1.5] };
    let calibration = RegionScore { scale: 10.0, weights: [-0.5, 0.25, 2.0] };
    let m0 = 6.0 - (0f64.exp() + (-10f64).exp()).ln();
    let m1 = 0.0 - (6f64.exp() + (-10f64).exp()).ln();
    let both = |margin: f64, class: f64| 0.5 + 0.125 * margin - 0.3 + 1.5 * class;
    let alone = -0.5 + 0.25 * m0 + 2.0 * 0.3;
    // "down" is nearest to the first class, with a cosine of 0.6: a quarter.
    let expected = [sigmoid(alone + 0.25 * (both(m0, 9.0) - alone)), sigmoid(both(m1, -2.0))];
    close(&region_scores(&[1.0, 0.0], 0.3, &words, &calibration, None, Some(called)), &expected);
}

#[test]
fn a_class_counts_as_far_as_words_are_believed_beside_examples() {
    let mut words = vocabulary(&[("east", [1.0, 0.0])], &[[-1.0, 0.0]]);
    words.ensure("our van").unwrap();
    let classes: [&[f32]; 1] = [&[1.0, 0.0]];
    let links = Links::of(words.embeddings(), classes.into_iter(), [0.5, 0.9]);
    let called = Called { links: &links, logits: &[4.0], weights: &[0.0, 0.0, 0.0, 1.0] };
    let calibration = RegionScore { scale: 1.0, weights: [0.0, 0.5, 0.0] };
    // Words say 2 above the negative; so do examples if words are wrong: each is believed by half.
    let said = |otherwise| {
        let sums = vec![Some(Sum { weight: 1.0, constant: 0.0, otherwise }), None];
        Evidence { sums, factors: vec![1.0; 2] }
    };
    let alone = (2.0 + 2f64.ln()) / 2.0;
    let scores = |said| region_scores(&[1.0, 0.0], 0.0, &words, &calibration, Some(&said), Some(called));
    close(&scores(said(2.0)), &[sigmoid(f64::midpoint(alone, 4.0)), 0.0]);
    close(&scores(said(f64::NEG_INFINITY)), &[sigmoid(4.0), 0.0]);
}

#[test]
fn an_embedding_without_a_direction_shows_nothing() {
    let words = vocabulary(&[("east", [1.0, 0.0])], &[[0.0, 1.0]]);
    let region = RegionScore { scale: 2.0, weights: [9.0, 1.0, 0.0] };
    for bad in [[0.0, 0.0], [f32::NAN, 1.0]] {
        assert_eq!(region_scores(&bad, 0.0, &words, &region, None, None), [0.0]);
        assert_eq!(tag_scores(&bad, &words, &ImageScore { scale: 2.0, weights: [9.0, 1.0] }, None), [0.0]);
    }
    assert_eq!(
        region_scores(
            &[1.0, 0.0],
            f32::NAN,
            &words,
            &RegionScore { weights: [0.0, 1.0, 1.0], ..region },
            None,
            None
        ),
        [0.0]
    );
}

#[test]
fn choices_add_up_to_one_and_keep_their_order() {
    let found = softmax(&[1000.0, 998.0, 0.0]);
    assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    assert!((found[0] - 0.880_797).abs() < 1e-5 && found[1] > found[2], "{found:?}");
    assert!(softmax(&[]).is_empty());
}

#[test]
fn five_thousand_prompts_and_a_hundred_regions_are_quick() {
    let (labels, dimension) = (5000, 256);
    let wave = |n: usize, step: f32| {
        let rows = (0..n).flat_map(|i| {
            normalised(&(0..dimension).map(|k| (i as f32 * step + k as f32).sin()).collect::<Vec<_>>())
        });
        Embeddings::from_data(dimension, rows.flatten().collect()).unwrap()
    };
    let words = Vocabulary::of_parts(
        vec!["".into(); labels],
        vec![Default::default(); labels],
        Texts::each(vec![String::new(); labels], wave(labels, 0.37)),
        wave(1000, 0.61),
        String::new(),
        None,
    );
    let calibration = RegionScore { scale: 20.0, weights: [0.0, 1.0, 1.0] };
    let region = vec![1.0; dimension];
    let start = processor_seconds();
    for _ in 0..100 {
        assert_eq!(region_scores(&region, 0.0, &words, &calibration, None, None).len(), labels);
    }
    let taken = processor_seconds() - start;
    assert!(taken < 3.0, "{taken} s");
}

/// What this thread has used, whatever else runs on the machine.
fn processor_seconds() -> f32 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    // The first after the name is field 3; 14 and 15 are user and system time, in hundredths of a second.
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f32>().unwrap() / 100.0).sum()
}
