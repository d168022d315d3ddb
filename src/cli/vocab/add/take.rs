//! From a picture to the feature vectors of what it shows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::super::file::hexadecimal;
use super::super::shown::{Place, Shown};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::model::FeatureVector;
use crate::pipeline::{Encoded, Pipeline, clipped};
use crate::sinks::utc;
use crate::source;
use crate::source::apart::Pictures;
use crate::vocabulary::Origin;

/// Least probability of a box that is taken to hold the thing; below, the whole picture is taken.
const OBJECT: f32 = 0.1;
/// Share of a picture from which a box is rather the scene, and what it is worth beside one of a thing.
const SCENE: f32 = 0.9;
const SCENE_WORTH: f32 = 0.4;
/// Least share of a box that is inside the picture: those who drew it may have gone over the edge a little.
const INSIDE: f32 = 0.5;
/// How far the pixels of a picture of one colour may differ.
const NOISE: u8 = 8;
/// Hexadecimal digits of an example's id.
const ID: usize = 12;

/// Takes examples from pictures.
pub(in crate::cli::vocab) struct Taker {
    pipeline: Pipeline,
    decoder: Pictures,
}

/// An example as it was taken.
pub(in crate::cli::vocab) struct Taken {
    /// What it shows.
    pub name: String,
    /// What is there.
    pub vector: FeatureVector,
    /// Where it came from.
    pub origin: Origin,
    /// The box; `None` for the whole picture.
    pub rect: Option<Rect>,
    /// The pixels of the box as RGB, with width and height.
    pub crop: (Vec<u8>, u32, u32),
    /// What the user did not ask for.
    told: Option<String>,
}

/// A picture, and what was taken from it.
pub(in crate::cli::vocab) struct Picture {
    /// Its pixels.
    pub picture: source::Picture,
    /// What was taken.
    pub things: Vec<Taken>,
}

impl Taken {
    /// A line for the user, if something was chosen for him.
    pub(super) fn told(&self) -> Option<String> {
        self.told.clone()
    }
}

impl Taker {
    /// # Errors
    /// [`Error::Model`] if the model cannot compare examples.
    pub(in crate::cli::vocab) fn new(pipeline: Pipeline, decoder: Pictures) -> Result<Self> {
        if pipeline.features().is_none() {
            let name = &pipeline.manifest().name;
            let expected = "a section [examples]: this model knows words alone";
            return Err(Error::model("model.toml", format!("no [examples] of model {name}"), expected));
        }
        Ok(Self { pipeline, decoder })
    }

    /// Looks at a picture once and takes all that it shows.
    ///
    /// # Errors
    /// [`Error::Input`] if the picture cannot be read or is of another size than its boxes; [`Error::Settings`]
    /// for a box outside of it.
    pub(in crate::cli::vocab) fn take(&self, shown: &Shown) -> Result<Picture> {
        let picture = self.decoder.open(&shown.path)?;
        let (width, height) = (picture.width, picture.height);
        if let Some((w, h)) = shown.size.filter(|size| *size != (width, height)) {
            let found = format!("{width}x{height} pixels");
            return Err(Error::input(
                &picture.name,
                found,
                format!("{w}x{h}, for which its boxes were drawn"),
            ));
        }
        let encoded = self.pipeline.encode(&picture.frame()?)?;
        let sha256 = sha256(&shown.path).map_err(|error| {
            Error::input(&picture.name, error.to_string(), "a picture that can be read twice")
        })?;
        let file =
            shown.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let date: String = utc(SystemTime::now()).chars().take(10).collect();
        let mut things = Vec::new();
        for (index, thing) in shown.things.iter().enumerate() {
            let (rect, told) = self.place(&picture, &encoded, thing.place, index)?;
            let vector = match rect {
                Some(rect) => self.pipeline.box_features(&encoded, &[rect])?.into_iter().next().flatten(),
                None => self.pipeline.picture_features(&encoded)?,
            };
            let Some(vector) = vector else {
                let expected = "a picture with something on it";
                return Err(Error::input(&picture.name, "features that are all the same", expected));
            };
            let edges = rect.map(|rect| [rect.x0, rect.y0, rect.x1, rect.y1]);
            let mut id = hexadecimal(&Sha256::digest(format!("{sha256} {edges:?}")));
            id.truncate(ID);
            let (sha256, file, date) = (sha256.clone(), file.clone(), date.clone());
            let origin = Origin { id, file, sha256, rect: edges, date };
            let crop = crop(&picture, rect);
            things.push(Taken { name: thing.name.clone(), vector, origin, rect, crop, told });
        }
        Ok(Picture { picture, things })
    }

    /// The box of a place, and what there is to say of it.
    fn place(
        &self,
        picture: &source::Picture,
        encoded: &Encoded,
        place: Place,
        index: usize,
    ) -> Result<(Option<Rect>, Option<String>)> {
        let (w, h) = (picture.width as f32, picture.height as f32);
        let name = || format!("{}, box {index}", picture.name);
        let rect = match place {
            Place::Whole => return Ok((None, None)),
            Place::Best if is_blank(&picture.data) => {
                let expected = "something to see; --whole, if that is how it looks";
                return Err(Error::input(&picture.name, "a picture of one colour", expected));
            }
            Place::Best => return Ok(self.best(picture, encoded)),
            Place::Pixels(rect) => rect,
            Place::Fractions(r) => Rect { x0: r.x0 * w, y0: r.y0 * h, x1: r.x1 * w, y1: r.y1 * h },
        };
        let inside = clipped(&name(), rect, picture.width, picture.height)?;
        let found = || format!("[{}, {}, {}, {}]", rect.x0, rect.y0, rect.x1, rect.y1);
        if matches!(place, Place::Pixels(_)) && rect.x1 <= 1.0 && rect.y1 <= 1.0 {
            let expected = format!("pixels of a picture of {w}x{h}, such as 0,0,{w},{h} for all of it");
            return Err(Error::settings(name(), format!("{} in fractions", found()), expected));
        }
        if inside.area() < INSIDE * rect.area() {
            let expected = format!("a box drawn on this picture of {w}x{h} pixels");
            return Err(Error::settings(name(), format!("{}, mostly outside", found()), expected));
        }
        Ok((Some(inside), None))
    }

    /// The box that most likely holds what the picture was taken for.
    fn best(&self, picture: &source::Picture, encoded: &Encoded) -> (Option<Rect>, Option<String>) {
        let (width, height) = (picture.width as f32, picture.height as f32);
        let objects = self.pipeline.objects(encoded);
        let found = objects.into_iter().filter(|(_, object)| *object >= OBJECT);
        let found = found.map(|(rect, object)| (rect, object, object.sqrt() * subject(&rect, width, height)));
        let found = found.max_by(|a, b| a.2.total_cmp(&b.2)).map(|(rect, object, _)| (rect, object));
        match found {
            Some((rect, object)) => {
                let Rect { x0, y0, x1, y1 } = rect;
                let told = format!(
                    "{}: took the box {x0:.0},{y0:.0},{x1:.0},{y1:.0} (an object with {:.0} %); --box or --whole takes \
                     another",
                    picture.name,
                    object * 100.0
                );
                (Some(rect), Some(told))
            }
            None => (None, Some(format!("{}: no object stands out; took the whole picture", picture.name))),
        }
    }
}

/// How likely a box is what a picture of this size was taken for, if it is an object at all: people put what they mean
/// large and in the middle, yet what reaches all edges is often the scene around it. With the square root of objectness,
/// which says little more of what is an object surely, this finds the one thing of a photo that is much larger than others
/// in 76 of 100.
fn subject(rect: &Rect, width: f32, height: f32) -> f32 {
    let share = rect.area() / (width * height);
    let (x, y) = ((rect.x0 + rect.x1) / 2.0 / width - 0.5, (rect.y0 + rect.y1) / 2.0 / height - 0.5);
    let whole = if share > SCENE { SCENE_WORTH } else { 1.0 };
    share.powf(0.6) * (-4.0 * (x * x + y * y)).exp() * whole
}

/// Whether all pixels are alike but for noise.
fn is_blank(pixels: &[u8]) -> bool {
    let (pixels, _) = pixels.as_chunks::<3>();
    let range = |channel: usize| {
        let values = pixels.iter().filter_map(|pixel| pixel.get(channel));
        values.clone().max().zip(values.min()).map_or(0, |(most, least)| most - least)
    };
    (0..3).all(|channel| range(channel) <= NOISE)
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// The pixels of a box, or of the whole picture.
fn crop(picture: &source::Picture, rect: Option<Rect>) -> (Vec<u8>, u32, u32) {
    let Some(rect) = rect else { return (picture.data.clone(), picture.width, picture.height) };
    let edge = |value: f32, most: u32| (value.round() as u32).min(most);
    let (x0, y0) = (edge(rect.x0, picture.width - 1), edge(rect.y0, picture.height - 1));
    let (x1, y1) = (edge(rect.x1, picture.width).max(x0 + 1), edge(rect.y1, picture.height).max(y0 + 1));
    let rows = picture.data.chunks_exact(picture.width as usize * 3);
    let rows = rows.skip(y0 as usize).take((y1 - y0) as usize);
    let pixels = rows.flat_map(|row| row.get(x0 as usize * 3..x1 as usize * 3).unwrap_or_default());
    (pixels.copied().collect(), x1 - x0, y1 - y0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a picture of 100×100 pixels.
    fn worth(x0: f32, y0: f32, x1: f32, y1: f32) -> f32 {
        subject(&Rect { x0, y0, x1, y1 }, 100.0, 100.0)
    }

    #[test]
    fn noise_is_nothing_to_see() {
        assert!(is_blank(&[9, 99, 200]) && is_blank(&[9, 99, 200, 12, 95, 207]) && is_blank(&[]));
        assert!(!is_blank(&[9, 99, 200, 9, 99, 180]));
    }

    #[test]
    fn what_is_meant_is_large_and_central_and_not_the_scene() {
        assert!((worth(25.0, 25.0, 75.0, 75.0) - 0.25f32.powf(0.6)).abs() < 1e-6);
        assert!(worth(20.0, 20.0, 80.0, 80.0) > worth(25.0, 25.0, 75.0, 75.0));
        assert!(
            (worth(0.0, 25.0, 50.0, 75.0) / worth(25.0, 25.0, 75.0, 75.0) - (-0.25f32).exp()).abs() < 1e-6
        );
        assert!(worth(0.0, 0.0, 100.0, 96.0) < worth(20.0, 20.0, 80.0, 80.0), "the scene");
        assert!(
            worth(5.0, 5.0, 95.0, 95.0) > worth(20.0, 20.0, 80.0, 80.0),
            "a thing that fills the picture"
        );
    }
}
