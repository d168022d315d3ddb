use super::*;

fn embeddings(rows: &[[f32; 2]]) -> Embeddings {
    Embeddings::from_data(2, rows.iter().flatten().copied().collect()).unwrap()
}

fn links(names: &[[f32; 2]], ramp: [f32; 2]) -> Links {
    let classes: [&[f32]; 2] = [&[1.0, 0.0], &[0.0, 1.0]];
    Links::of(&embeddings(names), classes.into_iter(), ramp)
}

#[test]
fn a_name_takes_its_nearest_class_as_far_as_it_means_the_same() {
    // Cosines with the nearest class: 1, 0.8, 0.96 (the second class), 0.6.
    let found = links(&[[1.0, 0.0], [0.8, -0.6], [-0.28, 0.96], [0.6, 0.0]], [0.75, 0.95]);
    let link = |class, closeness| Some(Link { class, closeness });
    assert_eq!(found.0[0], link(0, 1.0));
    let near = found.0[1].unwrap();
    assert!(near.class == 0 && (near.closeness - 0.25).abs() < 1e-6, "{near:?}");
    assert_eq!(found.0[2..], [link(1, 1.0), None]);
    assert!(!found.is_empty());
    assert!(links(&[[0.6, 0.0], [0.0, 0.0]], [0.75, 0.95]).is_empty(), "neither near nor with words");
}

#[test]
fn a_class_moves_the_logit_of_words_as_far_as_it_counts() {
    let links = links(&[[0.85, 0.0], [0.0, 1.0], [0.5, 0.5]], [0.75, 0.95]);
    let called = Called { links: &links, logits: &[3.0, -2.0], weights: &[0.5, 0.25, -0.125, 1.5] };
    let both = |logit: f32| 0.5 + 0.25 * 4.0 - 0.125 * 2.0 + 1.5 * logit;
    let found: Vec<f32> = (0..3).map(|label| called.beside(-1.0, label, 4.0, 2.0, 1.0)).collect();
    assert!((found[0] - f32::midpoint(-1.0, both(3.0))).abs() < 1e-5, "{found:?}");
    assert_eq!(found[1..], [both(-2.0), -1.0]);
    assert_eq!(called.beside(-1.0, 1, 4.0, 2.0, 0.0), -1.0, "words that are not believed");
    assert_eq!(called.beside(-1.0, 7, 4.0, 2.0, 1.0), -1.0, "no such label");
}
