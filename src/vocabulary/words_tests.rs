use super::*;

/// A vocabulary of two dimensions: each name with its embedding, and the negatives' embeddings.
pub(crate) fn vocabulary(labels: &[(&str, [f32; 2])], negatives: &[[f32; 2]]) -> Vocabulary {
    let rows = |rows: Vec<[f32; 2]>| Embeddings::from_data(2, rows.concat()).unwrap();
    let prompts = labels.iter().map(|label| format!("a {}", label.0)).collect();
    Vocabulary::of_parts(
        labels.iter().map(|label| label.0.into()).collect(),
        vec![Entry::default(); labels.len()],
        Texts::each(prompts, rows(labels.iter().map(|label| label.1).collect())),
        rows(negatives.to_vec()),
        "00ff".repeat(16),
        None,
    )
}

fn prompts(names: &[&str]) -> Vec<Prompt> {
    names.iter().map(|name| Prompt { name: name.to_string(), text: format!("a {name}") }).collect()
}

#[test]
fn names_of_the_bank_that_mean_a_prompt_are_no_negatives() {
    let bank = vocabulary(&[("east", [1.0, 0.0]), ("up", [0.6, 0.8]), ("north", [0.0, 1.0])], &[]);
    let build = |max_similarity| {
        Vocabulary::from_rows(&prompts(&["right"]), &[vec![1.0, 0.0]], &bank, max_similarity, "ab").unwrap()
    };
    assert_eq!(build(0.85).negatives.data(), [0.6, 0.8, 0.0, 1.0]);
    assert_eq!(build(0.5).negatives.data(), [0.0, 1.0]);
    assert_eq!(build(1.0).negatives.len(), 3);
    let built = build(0.5);
    assert_eq!(
        (built.names(), built.prompts_of(0).collect::<Vec<_>>()),
        (&["right".into()][..], vec!["a right"])
    );
    assert_eq!((built.entries(), built.text_sha256()), (&[Entry::default()][..], "ab"));
}

#[test]
fn embeddings_of_another_size_than_the_bank_are_an_error() {
    let bank = vocabulary(&[("east", [1.0, 0.0])], &[]);
    let error =
        Vocabulary::from_rows(&prompts(&["a"]), &[vec![1.0; 3]], &bank, 0.9, "ab").unwrap_err().to_string();
    assert!(error.contains("found 3 values per embedding, expected 2"), "{error}");
}

#[test]
fn thresholds_are_set_by_name() {
    let mut words = vocabulary(&[("cat", [1.0, 0.0]), ("dog", [0.0, 1.0])], &[]);
    words.set_threshold("dog", 0.4).unwrap();
    assert_eq!(words.entries().iter().map(|entry| entry.threshold).collect::<Vec<_>>(), [None, Some(0.4)]);
    assert!(words.set_threshold("cow", 0.4).unwrap_err().to_string().contains("\"cow\""));
    assert!(words.set_threshold("dog", f32::NAN).unwrap_err().to_string().contains("0 to 1"));
    assert!(words.set_threshold("dog", 1.1).is_err());
}

#[test]
fn the_nearest_prompt_is_another_one() {
    let words = vocabulary(&[("east", [1.0, 0.0]), ("up", [0.6, 0.8]), ("north", [0.0, 1.0])], &[]);
    let nearest: Vec<_> = words.nearest().into_iter().map(|n| n.map(|n| (n.label, n.similarity))).collect();
    assert_eq!(nearest, [Some((1, 0.6)), Some((2, 0.8)), Some((1, 0.8))]);
    assert_eq!(vocabulary(&[("east", [1.0, 0.0])], &[]).nearest(), [None]);
}
