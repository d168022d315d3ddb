//! `edgeclip embed` and `edgeclip vocab build`.

use std::fs;
use std::os::unix::fs::symlink;

use super::{photos, refused};
use crate::common::edgeclip;

#[test]
fn embed_and_vocab_build_replace_files_on_request_only_and_never_an_input() {
    let folder = photos();
    let path = folder.path();
    fs::write(path.join("words.txt"), "dog\ncat\n").unwrap();
    fs::write(path.join("boxes.json"), "{}").unwrap();
    fs::write(path.join("mine"), "mine").unwrap();
    symlink("mine", path.join("to-mine")).unwrap();
    symlink("words.txt", path.join("to-words")).unwrap();
    let embed = ["embed", "photos/x.jpg", "--boxes", "boxes.json", "--out"];
    let vocab = ["vocab", "build", "--prompt", "@words.txt", "--out"];
    for (command, output, found) in [
        (&embed[..], "link/x.jpg", "the input photos/x.jpg"),
        (&embed, "./boxes.json", "the input boxes.json"),
        (&vocab, "./words.txt", "the input words.txt"),
        (&vocab, "to-words", "the input words.txt"),
    ] {
        refused(path, &[command, &[output]].concat(), &[found, "expected another file for --out"]);
        refused(path, &[command, &[output, "--force"]].concat(), &[found]);
    }
    for command in [&embed[..], &vocab] {
        let expected = "expected a free name for --out, or --force to replace it";
        refused(path, &[command, &["mine"]].concat(), &["found a file that is there already", expected]);
        refused(path, &[command, &["to-mine"]].concat(), &["found a symbolic link", expected]);
        refused(path, &[command, &["photos"]].concat(), &["found a folder"]);
        edgeclip(path, &[command, &["mine", "--force"]].concat());
        assert!(fs::metadata(path.join("mine")).unwrap().len() > 1000, "{command:?}");
        fs::write(path.join("mine"), "mine").unwrap();
    }
    assert_eq!(edgeclip(path, &[&vocab[..], &["/dev/null"]].concat()).code, Some(0));
}
