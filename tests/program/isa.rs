//! `EDGECLIP_ISA`: every instruction set of this CPU gives the same bits, an unknown one is refused.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use safetensors::SafeTensors;
use tempfile::tempdir;

use crate::common;

fn with_isa(isa: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.args(arguments).env("EDGECLIP_ISA", isa).current_dir(folder).output().unwrap()
}

/// What the refusal of an unknown one lists.
fn available() -> Vec<String> {
    let folder = tempdir().unwrap();
    common::picture(&folder.path().join("blocks.png"), 90, 60);
    let refused =
        with_isa("mmx", folder.path(), &["embed", "blocks.png", "--force", "--out", "mmx.safetensors"]);
    let line = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), line.lines().count()), (Some(2), 1), "{line}");
    let (_, names) = line.trim_end().split_once("EDGECLIP_ISA: found mmx, expected one of ").expect(&line);
    let names: Vec<String> = names.split(", ").map(str::to_owned).collect();
    assert_eq!(names[0], "scalar", "{line}");
    names
}

#[test]
fn every_isa_gives_the_same_embeddings_of_pictures() {
    let folder = tempdir().unwrap();
    common::picture(&folder.path().join("blocks.png"), 90, 60);
    let embed = |isa: &str| {
        let file = format!("{isa}.safetensors");
        let output =
            with_isa(isa, folder.path(), &["embed", "blocks.png", "--dense", "--force", "--out", &file]);
        assert!(output.status.success(), "{output:?}");
        // The header, whose length comes first, is in no fixed order.
        let bytes = fs::read(folder.path().join(file)).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[8 + header..].to_vec()
    };
    let expected = embed("scalar");
    for isa in available() {
        assert!(embed(&isa) == expected, "{isa}");
    }
}

#[test]
fn every_isa_gives_the_same_embeddings_of_prompts() {
    let folder = tempdir().unwrap();
    let embed = |isa: &str| {
        let file = format!("{isa}.vocab.safetensors");
        let prompts = ["vocab", "build", "--prompt", "cat, a person at the door", "--force", "--out", &file];
        let output = with_isa(isa, folder.path(), &prompts);
        assert!(output.status.success(), "{output:?}");
        let bytes = fs::read(folder.path().join(file)).unwrap();
        SafeTensors::deserialize(&bytes).unwrap().tensor("embeddings").unwrap().data().to_vec()
    };
    let expected = embed("scalar");
    for isa in available() {
        assert!(embed(&isa) == expected, "{isa}");
    }
}
