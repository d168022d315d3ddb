use std::path::Path;
use std::thread;

use super::*;

/// A vocabulary of one name for each.
fn words(names: &[&str]) -> Vocabulary {
    let prompts: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let prompts = format!("[{}]", prompts.join(","));
    let unit: Vec<u8> = names.iter().flat_map(|_| [1f32, 0.0]).flat_map(f32::to_le_bytes).collect();
    let thresholds = vec![0xff; names.len() * 4];
    use safetensors::tensor::{Dtype, TensorView, serialize};
    let view = |shape, data| TensorView::new(Dtype::F32, shape, data).unwrap();
    let tensors = [
        ("embeddings", view(vec![names.len(), 2], &unit)),
        ("negatives", view(vec![0, 2], &[])),
        ("thresholds", view(vec![names.len()], &thresholds)),
    ];
    let metadata = [
        ("format", "edgeclip-vocab-1"),
        ("names", &prompts),
        ("prompts", &prompts),
        ("text_sha256", &"0f".repeat(32)),
    ];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Vocabulary::from_bytes("new", &serialize(tensors, Some(metadata.into())).unwrap()).unwrap()
}

fn at(path: &Path) -> VocabularyFile {
    VocabularyFile::new(path, &Inputs::default()).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    at(path).existing().unwrap().names().iter().map(ToString::to_string).collect()
}

fn rename(path: &Path, from: &str, to: &str) -> Result<()> {
    at(path).update(
        || Ok(words(&["a"])),
        |vocabulary| {
            let label = vocabulary.position(from).unwrap();
            vocabulary.rename(label, to)
        },
    )
}

#[test]
fn changes_are_whole_and_the_last_can_be_undone_and_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.vocab.safetensors");
    let error = |result: Result<()>| result.unwrap_err().to_string();
    assert!(error(at(&path).undo()).contains("found nothing there"));
    rename(&path, "a", "b").unwrap();
    assert!(error(at(&path).undo()).contains("that the last change made"));
    rename(&path, "b", "c").unwrap();
    at(&path).undo().unwrap();
    assert_eq!(names(&path), ["b"]);
    at(&path).undo().unwrap();
    assert_eq!(names(&path), ["c"]);
    // What fails changes nothing.
    let before = fs::read(&path).unwrap();
    let failed: Result<()> = at(&path).update(
        || Ok(words(&["a"])),
        |vocabulary| {
            vocabulary.rename(0, "half").unwrap();
            vocabulary.rename(0, "")
        },
    );
    assert!(failed.is_err() && fs::read(&path).unwrap() == before);
    assert!(
        error(at(&path).update(
            || Ok(words(&["a"])),
            |v| {
                v.remove(0);
                Ok(())
            }
        ))
        .contains("without names")
    );
    // Another program's change is not taken back.
    fs::write(&path, words(&["theirs"]).to_bytes().unwrap()).unwrap();
    assert!(error(at(&path).undo()).contains("changed in another way since"));
    assert_eq!(names(&path), ["theirs"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_another_program_writes_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.vocab.safetensors");
    for there in [false, true] {
        if there {
            fs::write(&path, words(&["a"]).to_bytes().unwrap()).unwrap();
        }
        let theirs = words(&["theirs"]).to_bytes().unwrap();
        let changed = at(&path).update(
            || Ok(words(&["a"])),
            |vocabulary| {
                fs::write(&path, &theirs).unwrap();
                vocabulary.rename(0, "b")
            },
        );
        let message = changed.unwrap_err().to_string();
        assert!(message.contains("another program has just changed"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), theirs);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn commands_wait_for_each_other_and_links_stay_links() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("x.vocab.safetensors"), folder.path().join("link"));
    fs::write(&path, words(&["a"]).to_bytes().unwrap()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("x.vocab.safetensors", &link).unwrap();
    thread::scope(|scope| {
        for i in 0..8 {
            let link = &link;
            scope.spawn(move || {
                let add = |vocabulary: &mut Vocabulary| vocabulary.ensure(&format!("n{i}")).map(drop);
                // A name needs words or examples; those of its number do.
                let bank = words(&["a"]);
                at(link).update(
                    || Ok(words(&["a"])),
                    |vocabulary| {
                        add(vocabulary)?;
                        let label = vocabulary.position(&format!("n{i}")).unwrap();
                        vocabulary.add_words(label, &[(format!("w{i}"), vec![1.0, 0.0])], &bank, 2.0)
                    },
                )
            });
        }
    });
    assert_eq!(names(&path).len(), 9);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn folders_and_inputs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &Path, inputs: &Inputs| VocabularyFile::new(path, inputs).err().unwrap().to_string();
    assert!(error(folder.path(), &Inputs::default()).contains("found a folder"));
    assert!(error(&folder.path().join("no/x"), &Inputs::default()).contains("found no folder of this name"));
    let picture = folder.path().join("a.jpg");
    fs::write(&picture, "x").unwrap();
    let mut inputs = Inputs::default();
    inputs.add_file(&picture);
    assert!(error(&picture, &inputs).contains("the input itself"));
}
