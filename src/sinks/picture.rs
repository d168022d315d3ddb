//! Writing RGB pictures to PNG and JPEG files.

use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::files::{Inputs, PRIVATE, Target};
use crate::error::{Error, Result};
use crate::source::Picture;

/// JPEG quality, 1 to 100: text on the plates stays crisp.
pub(super) const JPEG_QUALITY: u8 = 92;
/// The same for pictures that are seen only briefly: half the bytes.
pub(super) const LIVE_QUALITY: u8 = 80;

/// File formats for written pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PictureKind {
    /// `.png`
    Png,
    /// `.jpg`, `.jpeg`
    Jpeg,
}

impl PictureKind {
    /// The format that a file's extension names, in either case; `None` for any other.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }
}

/// The bytes of a picture file that is to be kept: `width · height` RGB pixels, three bytes each; errors call
/// it `name`.
///
/// # Errors
/// [`Error::Input`] if the format cannot hold the picture (JPEG allows 65,535 pixels per side).
pub(crate) fn encode_picture(
    name: &str,
    kind: PictureKind,
    rgb: &[u8],
    width: u32,
    height: u32,
) -> Result<Vec<u8>> {
    encode(name, kind, JPEG_QUALITY, rgb, width, height)
}

/// The bytes of a JPEG that is seen only briefly.
///
/// # Errors
/// Same as [`encode_picture`].
#[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
pub(crate) fn live_jpeg(name: &str, rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    encode(name, PictureKind::Jpeg, LIVE_QUALITY, rgb, width, height)
}

impl Picture {
    /// Writes the picture to `path`, whose extension names the format: `.png`, `.jpg` or `.jpeg`. The file is
    /// there once it is complete, readable by its user alone; one that was there is replaced, a symbolic link is
    /// not followed.
    ///
    /// # Errors
    /// [`Error::Settings`] for another extension, a folder or a symbolic link; [`Error::Input`] if the format cannot hold the picture (JPEG
    /// allows 65,535 pixels per side); [`Error::Device`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let kind = PictureKind::of(path).ok_or_else(|| {
            Error::settings("picture", path.display().to_string(), "a .png, .jpg or .jpeg file")
        })?;
        let name = path.display().to_string();
        let file = encode_picture(&name, kind, &self.data, self.width, self.height)?;
        let target = Target::new(path, "the picture", PRIVATE, true, &Inputs::default())?;
        if target.is_link() {
            return Err(Error::settings(name, "a symbolic link", "another name, or that which it leads to"));
        }
        target.write(&file)
    }
}

/// The bytes of a picture file; `quality` is that of a JPEG, 1 to 100.
///
/// # Errors
/// Same as [`encode_picture`].
pub(super) fn encode(
    name: &str,
    kind: PictureKind,
    quality: u8,
    rgb: &[u8],
    width: u32,
    height: u32,
) -> Result<Vec<u8>> {
    let expected = width as usize * height as usize * 3;
    if rgb.len() != expected {
        return Err(Error::bug(format!("{} bytes of a {width}x{height} picture", rgb.len())));
    }
    let mut file = Vec::new();
    let encoded = match kind {
        PictureKind::Png => {
            PngEncoder::new(&mut file).write_image(rgb, width, height, ExtendedColorType::Rgb8)
        }
        PictureKind::Jpeg => JpegEncoder::new_with_quality(&mut file, quality).encode(
            rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
    };
    let found = |error| format!("{width}x{height} pixels ({error})");
    encoded.map_err(|error| Error::input(name, found(error), "a size that the file format can hold"))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_names_the_format() {
        assert_eq!(PictureKind::of(Path::new("a/b.PNG")), Some(PictureKind::Png));
        assert_eq!(PictureKind::of(Path::new("b.c.jpeg")), Some(PictureKind::Jpeg));
        for other in ["out", "out.bmp", ".png", "png"] {
            assert_eq!(PictureKind::of(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn pictures_come_back() {
        let rgb: Vec<u8> = (0..16 * 8 * 3).map(|i| if i % 3 == 0 { 200 } else { 40 }).collect();
        for (kind, tolerance) in [(PictureKind::Png, 0), (PictureKind::Jpeg, 8)] {
            let file = encode_picture("out", kind, &rgb, 16, 8).unwrap();
            let back = image::load_from_memory(&file).unwrap().into_rgb8();
            assert_eq!(back.dimensions(), (16, 8));
            assert!(back.as_raw().iter().zip(&rgb).all(|(a, b)| a.abs_diff(*b) <= tolerance), "{kind:?}");
        }
    }

    #[test]
    fn a_picture_is_saved_by_its_extension() {
        let picture = Picture { name: String::new(), width: 2, height: 1, data: vec![7; 6] };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        picture.save(&path).unwrap();
        assert_eq!(Picture::open(&path).unwrap().data, picture.data);
        let error = picture.save(folder.path().join("a.bmp")).unwrap_err().to_string();
        assert!(error.contains("a.bmp, expected a .png, .jpg or .jpeg file"), "{error}");
    }

    #[test]
    fn what_a_link_leads_to_stays() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let picture = Picture { name: String::new(), width: 1, height: 1, data: vec![0; 3] };
        let folder = tempfile::tempdir().unwrap();
        let (mine, link) = (folder.path().join("mine.png"), folder.path().join("link.png"));
        std::fs::write(&mine, "mine").unwrap();
        symlink("mine.png", &link).unwrap();
        let error = picture.save(&link).unwrap_err().to_string();
        assert!(error.contains("link.png: found a symbolic link, expected another name"), "{error}");
        assert_eq!(std::fs::read(&mine).unwrap(), b"mine");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        symlink("nowhere", folder.path().join("loose.png")).unwrap();
        assert!(picture.save(folder.path().join("loose.png")).is_err());
        // A file is replaced whole, and is private.
        picture.save(&mine).unwrap();
        assert_eq!(Picture::open(&mine).unwrap().data, picture.data);
        assert_eq!(std::fs::metadata(&mine).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let picture = Picture { name: String::new(), width: 1, height: 1, data: vec![0; 3] };
        let message = picture.save("/no/such/a.png").unwrap_err();
        assert!(message.to_string().starts_with("/no/such/a.png: "));
    }
}
