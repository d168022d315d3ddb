//! Examples from data sets that others have labelled.

mod coco;
mod cvat;
mod folder;
mod gathered;
mod label_studio;
mod voc;
mod xml;
mod yolo;

use std::path::{Path, PathBuf};

use self::gathered::text;
use super::shown::{Asked, Shown};
use crate::error::{Error, Result};
use crate::sinks::Inputs;

/// Where a data set is.
#[derive(clap::Args)]
#[group(multiple = true)]
pub(super) struct Import {
    /// A folder with a folder of pictures for each name, which the thing fills
    #[arg(long, value_name = "DIR", group = "data")]
    folder: Option<PathBuf>,
    /// COCO annotations, whose pictures --images holds
    #[arg(long, value_name = "FILE", group = "data", requires = "images")]
    coco: Option<PathBuf>,
    /// data.yaml of a YOLO data set: names, and the folders of pictures beside those of labels
    #[arg(long, value_name = "FILE", group = "data")]
    yolo: Option<PathBuf>,
    /// A folder with Pascal VOC annotations and their pictures, such as VOC2012
    #[arg(long, value_name = "DIR", group = "data")]
    voc: Option<PathBuf>,
    /// Label Studio's export as JSON, whose pictures --images holds
    #[arg(long, value_name = "FILE", group = "data", requires = "images")]
    label_studio: Option<PathBuf>,
    /// CVAT's export for images, annotations.xml, whose pictures --images holds
    #[arg(long, value_name = "FILE", group = "data", requires = "images")]
    cvat: Option<PathBuf>,
    /// Folder of the pictures that annotations name
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
}

impl Import {
    /// Adds what is read.
    pub(super) fn add_to(&self, inputs: &mut Inputs) {
        let files = [&self.coco, &self.yolo, &self.label_studio, &self.cvat];
        files.into_iter().flatten().for_each(|file| inputs.add_file(file));
        [&self.folder, &self.voc, &self.images].into_iter().flatten().for_each(|folder| inputs.add(folder));
    }
}

/// The pictures of the data set, each with what is on it; `None` if none is given.
///
/// # Errors
/// [`Error::Input`] if annotations cannot be read, or show nothing.
pub(super) fn read(import: &Import) -> Result<Option<Vec<Asked>>> {
    let images = import.images.as_deref().unwrap_or(Path::new(""));
    let (place, asked) = if let Some(folder) = &import.folder {
        (folder, folder::read(folder)?)
    } else if let Some(file) = &import.coco {
        (file, asked(coco::parse(&shown(file), &text(file)?, images)?))
    } else if let Some(file) = &import.yolo {
        (file, yolo::read(file)?)
    } else if let Some(folder) = &import.voc {
        (folder, voc::read(folder)?)
    } else if let Some(file) = &import.label_studio {
        (file, asked(label_studio::parse(&shown(file), &text(file)?, images)?))
    } else if let Some(file) = &import.cvat {
        (file, asked(cvat::parse(&shown(file), &text(file)?, images)?))
    } else if let Some(folder) = &import.images {
        let expected = "annotations with it: --coco, --label-studio or --cvat FILE";
        return Err(Error::settings("--images", folder.display().to_string(), expected));
    } else {
        return Ok(None);
    };
    if asked.is_empty() {
        return Err(Error::input(shown(place), "nothing that is labelled", "pictures with names or boxes"));
    }
    Ok(Some(asked))
}

fn asked(pictures: Vec<Shown>) -> Vec<Asked> {
    pictures.into_iter().map(Ok).collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests;
