use super::*;
use crate::model::{ExamplePool, example_space};
use crate::vocabulary::embeddings::Embeddings;

fn examples(rows: &[(usize, bool, [i8; 3])]) -> Examples {
    let hash = String::new;
    let example = |(entry, counter, values): &(usize, bool, [i8; 3])| Example {
        entry: *entry,
        counter: *counter,
        vector: vector(*values),
        origin: Origin { id: hash(), file: hash(), sha256: hash(), rect: None, date: hash() },
    };
    let space = SpaceId { vision_sha256: hash(), prompt_sha256: hash(), features_sha256: hash() };
    Examples { space, rows: rows.iter().map(example).collect() }
}

fn vector(values: [i8; 3]) -> FeatureVector {
    FeatureVector::quantised(&values.map(f32::from)).unwrap()
}

fn close(found: f32, expected: f64) {
    assert!((f64::from(found) - expected).abs() < 1e-5, "{found} is not {expected}");
}

/// The words of two entries: none of the first, the second axis for the second.
fn words() -> Embeddings {
    Embeddings::from_data(2, vec![0.0, 0.0, 1.0, 0.0]).unwrap()
}

/// The space's bank has the first two axes; its scale is 2, its floor ½, its counter scale 3, its sharpness 4.
#[test]
fn evidence_is_likeness_to_the_mean_example_less_that_to_everyday_things() {
    let space = example_space();
    let rows = [(0, false, [1, 0, 0]), (0, false, [0, 0, 1]), (0, true, [0, 1, 0]), (1, false, [0, 1, 1])];
    let prototypes = Prototypes::of(&examples(&rows), &words(), &space);
    let kind = &space.settings().region;
    let vectors = [vector([1, 0, 0]), vector([0, 1, 0]), vector([0, 0, 1])];
    let found = prototypes.evidence(&space, kind, &vectors.each_ref());
    let near = ((2f64.exp() + 1.0) / 2.0).ln();
    let sum = |picture: usize, entry: usize| found[picture].sums[entry].unwrap();
    // The mean of both examples has a cosine of √½ with each; beside an axis of the bank lies the other. At two
    // examples, weights lie half way between 2, 1 and 4, 0.
    for (picture, evidence) in [(0, 2.0 * 0.5f64.sqrt() - near), (1, -near), (2, 2.0 * 0.5f64.sqrt())] {
        close(sum(picture, 0).constant as f32, 3.0 * evidence + 0.5);
        assert_eq!(sum(picture, 0).weight, 0.0);
    }
    // Words (1, 0) agree with the joint part (1, 1) by √½; weights at one example are ½, 1, 2 and 10.
    assert_eq!(sum(1, 1).weight, 0.5);
    close(sum(1, 1).constant as f32, 12.0 * 0.5f64.sqrt() - near + 2.0);
    // A counter-example speaks above the floor only, and against its own entry.
    assert_eq!((found[0].factors[0], found[2].factors[0]), (1.0, 1.0));
    close(found[1].factors[0], (-1.5f64).exp());
    assert!(found.iter().all(|said| said.factors[1] == 1.0));
}

#[test]
fn words_that_do_not_fit_their_examples_give_way() {
    let space = example_space();
    let prototypes = Prototypes::of(&examples(&[(1, false, [0, 1, 1])]), &words(), &space);
    let kind = &space.settings().region;
    let trusting = ExamplePool { trust: Some([2.0, -1.0, 0.5]), ..kind.clone() };
    let sum = |kind| prototypes.evidence(&space, kind, &[&vector([0, 1, 0])])[0].sums[1].unwrap();
    let (beside, found) = (sum(kind), sum(&trusting));
    // They agree by √½, at one example; examples alone weigh 2, and 1 is added.
    let trust = 1.0 / (1.0 + (-(2.0 * 0.5f64.sqrt() - 1.0 + 0.5)).exp());
    let evidence = 2.0 * 0.5f64.sqrt() - ((2f64.exp() + 1.0) / 2.0).ln();
    for words in [-3.0, 0.5] {
        let (both, alone) = (beside.at(words), 2.0 * evidence + 1.0);
        close(found.at(words) as f32, (trust * both.exp() + (1.0 - trust) * alone.exp()).ln());
    }
    assert_eq!(beside.at(2.0), 2.0 * beside.weight + beside.constant);
}

#[test]
fn an_entry_without_examples_says_nothing() {
    let space = example_space();
    let prototypes = Prototypes::of(&examples(&[(0, false, [1, 0, 0])]), &words(), &space);
    let found = prototypes.evidence(&space, &space.settings().picture, &[&vector([1, 0, 0])]);
    assert!(found[0].sums[0].is_some() && found[0].sums[1].is_none());
}

#[test]
fn states_lean_by_what_differs_between_their_examples() {
    let space = example_space();
    let prototypes =
        Prototypes::of(&examples(&[(0, false, [4, 6, 0]), (1, false, [4, 0, 6])]), &words(), &space);
    // The second and third value are compared with words and weigh half: (4, 3, 0) and (4, 0, 3). Their cosine is .64, so
    // D² = 2 − 2 · .64 = .72.
    let found = prototypes.leanings(&space, &vector([4, 6, 0])).unwrap();
    assert!((f64::from(found[0] - found[1]) - 2.0 * 4.0 * 0.36 / 0.72).abs() < 0.05, "{found:?}");
    let middle = prototypes.leanings(&space, &vector([1, 0, 0])).unwrap();
    assert!((middle[0] - middle[1]).abs() < 0.05, "{middle:?}");
    let half = Prototypes::of(&examples(&[(0, false, [1, 0, 0])]), &words(), &space);
    assert_eq!(half.leanings(&space, &vector([1, 0, 0])), None);
}

#[test]
fn a_mean_is_of_unit_length_and_there_may_be_none() {
    let both = mean([&vector([1, 0, 0]), &vector([0, 0, 1])].into_iter()).unwrap();
    assert_eq!(both.values, [127, 0, 127]);
    close(both.scale, 1.0 / 127.0 / 2f64.sqrt());
    assert_eq!(mean(std::iter::empty::<FeatureVector>()), None);
    assert_eq!(mean([&vector([1, 0, 0]), &vector([-1, 0, 0])].into_iter()), None);
}

/// As `quantize/arithmetic/examples.py` has it.
#[test]
fn a_mean_is_that_of_the_reference_in_python() {
    let row =
        |values: [i8; 9], scale: u32| FeatureVector { values: values.to_vec(), scale: f32::from_bits(scale) };
    let rows = [
        row([-33, 125, 1, 86, 13, -98, 92, -26, -127], 998_677_309),
        row([22, 101, 1, 6, -40, 127, 24, -27, 13], 1_002_295_295),
    ];
    let found = mean(rows.iter()).unwrap();
    assert_eq!(found.values, [-1, 127, 1, 45, -21, 39, 60, -30, -52]);
    assert_eq!(found.scale.to_bits(), 1_002_873_858);
}

#[test]
fn what_is_taught_both_ways_contradicts_itself() {
    let rows =
        [(0, false, [100, 0, 0]), (0, false, [0, 100, 0]), (0, true, [0, 0, 100]), (1, false, [50, 50, 70])];
    let examples = examples(&rows);
    let found = |entry, counter, values| {
        examples.contradicted(entry, counter, &vector(values), |_| true).map(|other| other.vector.clone())
    };
    // cos 11° = 0.982, cos 17° = 0.956.
    assert_eq!(found(0, true, [100, 19, 0]), Some(vector([100, 0, 0])));
    assert_eq!(found(0, true, [100, 31, 0]), None);
    assert_eq!(found(0, false, [0, 0, 50]), Some(vector([0, 0, 100])));
    assert_eq!(found(1, false, [100, 0, 0]), Some(vector([100, 0, 0])), "an example of two names");
    assert_eq!(found(1, true, [100, 0, 0]), None, "what one name is, another is not");
    assert_eq!(examples.contradicted(1, false, &vector([100, 0, 0]), |_| false), None);
}
