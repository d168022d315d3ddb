//! Where annotated pictures go: one file, or a folder with one file per picture.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::error::{Error, Result};
use crate::sinks::PictureKind;

/// A validated `--annotate`.
pub(crate) enum Annotations {
    /// `--annotate FILE.png` or `FILE.jpg`, for the only picture.
    File(PathBuf, PictureKind),
    /// `--annotate DIR`: `DIR/<stem>.png`, numbered where stems repeat.
    Folder {
        /// The folder, which exists.
        path: PathBuf,
        /// Names already in use, in lower case since some file systems ignore case.
        taken: HashSet<String>,
    },
}

impl Annotations {
    /// Checks `target` against the pictures of the call and creates the folder if necessary. A target that is
    /// a folder, ends in a slash or has no extension is a folder.
    ///
    /// # Errors
    /// If one file would have to take several pictures or overwrite one of them, has an unknown extension, or
    /// the folder cannot be created.
    pub(crate) fn new(target: &Path, pictures: &[Result<PathBuf>]) -> anyhow::Result<Self> {
        let name = target.display().to_string();
        let ends_in_slash = name.ends_with(std::path::is_separator);
        if let Some(kind) = PictureKind::of(target).filter(|_| !target.is_dir() && !ends_in_slash) {
            if pictures.len() > 1 {
                let found = format!("one file for {} pictures", pictures.len());
                bail!(Error::settings(name, found, "a folder for --annotate"));
            }
            let same = |picture: &PathBuf| {
                target.canonicalize().is_ok_and(|t| picture.canonicalize().is_ok_and(|p| p == t))
            };
            if pictures.iter().flatten().any(same) {
                bail!(Error::settings(name, "the picture itself", "another file for --annotate"));
            }
            return Ok(Self::File(target.to_owned(), kind));
        }
        if target.extension().is_some() && !target.is_dir() && !ends_in_slash {
            bail!(Error::settings(
                name,
                "an unknown extension",
                ".png, .jpg, .jpeg or a folder for --annotate",
            ));
        }
        std::fs::create_dir_all(target).context(name)?;
        Ok(Self::Folder { path: target.to_owned(), taken: HashSet::new() })
    }

    /// Where the annotated version of `picture` goes.
    pub(crate) fn file_of(&mut self, picture: &Path) -> (PathBuf, PictureKind) {
        match self {
            Self::File(path, kind) => (path.clone(), *kind),
            Self::Folder { path, taken } => {
                let stem = picture.file_stem().map_or("picture".into(), |stem| stem.to_string_lossy());
                let numbered = (2..).map(|n| format!("{stem}-{n}.png"));
                let mut names = std::iter::once(format!("{stem}.png")).chain(numbered);
                let own =
                    |name: &String| path.join(name).as_path() != picture && taken.insert(name.to_lowercase());
                let name = names.find(own).unwrap_or_else(|| format!("{stem}.png"));
                (path.join(name), PictureKind::Png)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(names: &[&str]) -> Vec<Result<PathBuf>> {
        names.iter().map(|name| Ok(PathBuf::from(name))).collect()
    }

    #[test]
    fn repeated_stems_are_numbered() {
        let mut folder = Annotations::Folder { path: "out".into(), taken: HashSet::new() };
        let names =
            ["a/x.jpg", "a/X.png", "b/x.webp", "c/x-2.png", "y"].map(|p| folder.file_of(Path::new(p)).0);
        let expected = ["out/x.png", "out/X-2.png", "out/x-3.png", "out/x-2-2.png", "out/y.png"];
        assert_eq!(names, expected.map(PathBuf::from));
    }

    #[test]
    fn a_picture_in_the_folder_is_not_overwritten() {
        let mut folder = Annotations::Folder { path: "out".into(), taken: HashSet::new() };
        assert_eq!(folder.file_of(Path::new("out/x.png")).0, Path::new("out/x-2.png"));
    }

    #[test]
    fn one_file_takes_one_picture() {
        let error = |target: &str, names: &[&str]| match Annotations::new(Path::new(target), &pictures(names))
        {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{target} was accepted"),
        };
        assert!(
            error("o.png", &["a.jpg", "b.jpg"]).contains("found one file for 2 pictures, expected a folder")
        );
        assert!(error("o.bmp", &["a.jpg"]).contains("an unknown extension"));
        assert!(error("Cargo.toml", &["a.jpg"]).contains("an unknown extension"));
        assert!(matches!(
            Annotations::new(Path::new("o.JPG"), &pictures(&["a"])),
            Ok(Annotations::File(_, PictureKind::Jpeg))
        ));
    }
}
