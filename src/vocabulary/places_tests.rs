use super::*;

/// Unit vectors of the plane at these angles in degrees.
fn at(degrees: &[f32]) -> Places {
    let rows = degrees.iter().flat_map(|d| [d.to_radians().cos(), d.to_radians().sin()]).collect();
    Places::of(&Embeddings::from_data(2, rows).unwrap())
}

#[test]
fn likeness_is_a_ramp_over_the_cosine() {
    // cos 43.5° = 0.725, cos 49.5° = 0.649, cos 46.6° = 0.687.
    let places = at(&[0.0, 43.4, -46.6, 49.6]);
    let of_first: Vec<(usize, f32)> = places.alike(0).to_vec();
    assert_eq!(of_first.len(), 2, "{of_first:?}");
    assert_eq!(of_first[0], (1, 1.0));
    assert!(of_first[1].0 == 2 && (of_first[1].1 - 0.5).abs() < 0.02, "{of_first:?}");
}

#[test]
fn equal_labels_count_as_one_together() {
    let places = at(&[10.0, 10.0, 10.0, 100.0]);
    let weights: Vec<f32> = (0..4).map(|label| places.weight(label)).collect();
    assert_eq!(weights, [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 1.0]);
    assert_eq!(places.groups(), [vec![0, 1, 2], vec![3]]);
    assert_eq!(places.rivals(1).collect::<Vec<_>>(), [0, 2]);
    assert!(places.have_rivals());
}

#[test]
fn labels_far_apart_are_alone_and_chains_are_one_group() {
    let far = at(&[0.0, 90.0, 180.0]);
    assert_eq!(far.groups(), [vec![0], vec![1], vec![2]]);
    assert!(!far.have_rivals() && far.weight(1) == 1.0);
    // Each is like the next; the ends are not alike.
    let chain = at(&[0.0, 80.0, 40.0]);
    assert_eq!(chain.groups(), [vec![0, 1, 2]]);
    assert!(chain.alike(0).iter().all(|(other, _)| *other == 2));
}

#[test]
fn very_many_labels_are_not_compared() {
    let places = at(&vec![0.0; MAX_COMPARED + 1]);
    assert_eq!((places.groups().len(), places.have_rivals()), (MAX_COMPARED + 1, false));
}
