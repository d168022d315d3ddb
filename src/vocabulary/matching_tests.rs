use super::super::embeddings::Embeddings;
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
    let words = vocabulary(&[("up", [0.6, 0.8]), ("north", [0.0, 1.0])], &[[-1.0, 0.0]]);
    let calibration = RegionScore { scale: 10.0, weights: [-0.5, 0.25, 2.0] };
    let m0 = 6.0 - (0f64.exp() + (-10f64).exp()).ln();
    let m1 = 0.0 - (6f64.exp() + (-10f64).exp()).ln();
    let expected = [sigmoid(-0.5 + 0.25 * m0 + 2.0 * 0.3), sigmoid(-0.5 + 0.25 * m1 + 2.0 * 0.3)];
    // The length of the embedding does not matter.
    close(&region_scores(&[7.0, 0.0], 0.3, &words, &calibration), &expected);
}

#[test]
fn a_tag_competes_with_the_other_prompts_and_the_negatives() {
    let words = vocabulary(&[("up", [0.6, 0.8]), ("east", [1.0, 0.0])], &[[-1.0, 0.0], [0.0, -1.0]]);
    let calibration = ImageScore { scale: 4.0, weights: [0.1, 0.5] };
    let negatives = (-4f64).exp() + 0f64.exp();
    let m0 = 2.4 - (4f64.exp() + negatives).ln();
    let m1 = 4.0 - (2.4f64.exp() + negatives).ln();
    let expected = [sigmoid(0.1 + 0.5 * m0), sigmoid(0.1 + 0.5 * m1)];
    close(&tag_scores(&[3.0, 0.0], &words, &calibration), &expected);
}

#[test]
fn margins_are_those_of_the_plain_formula_even_when_one_dominates() {
    let cases: [(&[f32], &[f32]); 5] = [
        (&[1.0, 2.0, 3.0], &[0.5]),
        (&[80.0, -80.0, 79.999], &[-80.0, 3.0]),
        (&[5.0, 5.0], &[5.0]),
        (&[-3.0, 2.0], &[90.0]),
        (&[100.0], &[-100.0, -100.0]),
    ];
    for (prompts, negatives) in cases {
        let others = Alternatives::new(prompts, negatives);
        let all: Vec<f64> = prompts.iter().chain(negatives).map(|s| f64::from(*s)).collect();
        for (i, s) in prompts.iter().enumerate() {
            let sum: f64 = all.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, s)| s.exp()).sum();
            let found = f64::from(others.without(i, *s));
            assert!(
                (found - sum.ln()).abs() < 1e-4,
                "{prompts:?} {negatives:?} without {i}: {found}, not {}",
                sum.ln()
            );
        }
    }
}

#[test]
fn without_alternatives_a_right_angle_is_the_alternative() {
    let words = vocabulary(&[("east", [1.0, 0.0])], &[]);
    let region = RegionScore { scale: 2.0, weights: [0.0, 1.0, 0.0] };
    close(&region_scores(&[0.6, 0.8], 0.0, &words, &region), &[sigmoid(1.2)]);
    close(&tag_scores(&[0.6, 0.8], &words, &ImageScore { scale: 2.0, weights: [0.0, 1.0] }), &[sigmoid(1.2)]);
}

#[test]
fn an_embedding_without_a_direction_shows_nothing() {
    let words = vocabulary(&[("east", [1.0, 0.0])], &[[0.0, 1.0]]);
    let region = RegionScore { scale: 2.0, weights: [9.0, 1.0, 0.0] };
    for bad in [[0.0, 0.0], [f32::NAN, 1.0]] {
        assert_eq!(region_scores(&bad, 0.0, &words, &region), [0.0]);
        assert_eq!(tag_scores(&bad, &words, &ImageScore { scale: 2.0, weights: [9.0, 1.0] }), [0.0]);
    }
    assert_eq!(
        region_scores(&[1.0, 0.0], f32::NAN, &words, &RegionScore { weights: [0.0, 1.0, 1.0], ..region }),
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
    let words = Vocabulary {
        names: vec!["".into(); labels],
        prompts: vec![String::new(); labels],
        embeddings: wave(labels, 0.37),
        thresholds: vec![None; labels],
        negatives: wave(1000, 0.61),
        text_sha256: String::new(),
    };
    let calibration = RegionScore { scale: 20.0, weights: [0.0, 1.0, 1.0] };
    let region = vec![1.0; dimension];
    let start = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(region_scores(&region, 0.0, &words, &calibration).len(), labels);
    }
    assert!(start.elapsed().as_secs_f32() < 3.0, "{:?}", start.elapsed());
}
