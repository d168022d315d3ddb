//! Pixels of any layout → opaque 8-bit sRGB, in place where the layout allows it.

use image::{ColorType, RgbImage};

use super::colour::Profile;

/// A picture of this size from `buffer`, whose samples are laid out as `colour` says, 16-bit ones in the machine's
/// byte order. An alpha channel is composed over white: `(a · colour + (255 − a) · 255 + 127) / 255`. `None` if
/// that is no layout of a picture file.
pub(super) fn picture(
    (width, height): (u32, u32),
    buffer: Vec<u8>,
    colour: ColorType,
    profile: Option<&Profile>,
) -> Option<RgbImage> {
    let convert = |rgb| profile.map_or(rgb, |profile| profile.convert(rgb));
    let wide = |bytes: [u8; 2]| ((u32::from(u16::from_ne_bytes(bytes)) + 128) / 257) as u8;
    let rgb = match colour {
        ColorType::Rgb8 if profile.is_none() => buffer,
        ColorType::Rgb8 => shrink(buffer, |&[r, g, b]: &[u8; 3]| convert([r, g, b])),
        ColorType::Rgba8 => shrink(buffer, |&[r, g, b, a]: &[u8; 4]| over_white(convert([r, g, b]), a)),
        ColorType::Rgb16 => shrink(buffer, |&[r, s, g, h, b, c]: &[u8; 6]| {
            convert([wide([r, s]), wide([g, h]), wide([b, c])])
        }),
        ColorType::Rgba16 => shrink(buffer, |&[r, s, g, h, b, c, a, z]: &[u8; 8]| {
            over_white(convert([wide([r, s]), wide([g, h]), wide([b, c])]), wide([a, z]))
        }),
        ColorType::La16 => {
            shrink(buffer, |&[l, m, a, z]: &[u8; 4]| over_white(convert([wide([l, m]); 3]), wide([a, z])))
        }
        ColorType::L8 => grow(&buffer, |&[l]: &[u8; 1]| convert([l; 3])),
        ColorType::La8 => grow(&buffer, |&[l, a]: &[u8; 2]| over_white(convert([l; 3]), a)),
        ColorType::L16 => grow(&buffer, |&[l, m]: &[u8; 2]| convert([wide([l, m]); 3])),
        _ => return None,
    };
    RgbImage::from_raw(width, height, rgb)
}

/// One frame of an animation.
pub(in crate::source) fn opaque(frame: image::RgbaImage, profile: Option<&Profile>) -> Option<RgbImage> {
    picture(frame.dimensions(), frame.into_raw(), ColorType::Rgba8, profile)
}

fn over_white(rgb: [u8; 3], alpha: u8) -> [u8; 3] {
    let alpha = u32::from(alpha);
    rgb.map(|colour| ((alpha * u32::from(colour) + (255 - alpha) * 255 + 127) / 255) as u8)
}

/// Replaces pixels of `N` bytes, 3 or more, in place.
fn shrink<const N: usize>(mut buffer: Vec<u8>, pixel: impl Fn(&[u8; N]) -> [u8; 3]) -> Vec<u8> {
    let count = buffer.len() / N;
    for index in 0..count {
        let rgb = buffer.get(index * N..).and_then(|rest| rest.first_chunk()).map(&pixel);
        if let Some((out, rgb)) = buffer.get_mut(index * 3..index * 3 + 3).zip(rgb) {
            out.copy_from_slice(&rgb);
        }
    }
    buffer.truncate(count * 3);
    buffer
}

/// Replaces pixels of fewer than 3 bytes.
fn grow<const N: usize>(buffer: &[u8], pixel: impl Fn(&[u8; N]) -> [u8; 3]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(buffer.len() / N * 3);
    rgb.extend(buffer.as_chunks::<N>().0.iter().flat_map(pixel));
    rgb
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageBuffer};

    use super::*;

    /// What `image` makes of it, on two copies.
    fn expected(picture: DynamicImage) -> Vec<u8> {
        if !picture.color().has_alpha() {
            return picture.into_rgb8().into_raw();
        }
        picture.into_rgba8().pixels().flat_map(|p| over_white([p.0[0], p.0[1], p.0[2]], p.0[3])).collect()
    }

    #[test]
    fn every_layout_becomes_what_image_makes_of_it() {
        let bytes: Vec<u8> = (0..6 * 4 * 8u32).map(|at| (at * 73 + at / 7) as u8).collect();
        let words: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect();
        let (b, w) = (|n: usize| bytes[..24 * n].to_vec(), |n: usize| words[..24 * n].to_vec());
        let pictures: [DynamicImage; 8] = [
            ImageBuffer::<image::Luma<u8>, _>::from_raw(6, 4, b(1)).unwrap().into(),
            ImageBuffer::<image::LumaA<u8>, _>::from_raw(6, 4, b(2)).unwrap().into(),
            ImageBuffer::<image::Rgb<u8>, _>::from_raw(6, 4, b(3)).unwrap().into(),
            ImageBuffer::<image::Rgba<u8>, _>::from_raw(6, 4, b(4)).unwrap().into(),
            ImageBuffer::<image::Luma<u16>, _>::from_raw(6, 4, w(1)).unwrap().into(),
            ImageBuffer::<image::LumaA<u16>, _>::from_raw(6, 4, w(2)).unwrap().into(),
            ImageBuffer::<image::Rgb<u16>, _>::from_raw(6, 4, w(3)).unwrap().into(),
            ImageBuffer::<image::Rgba<u16>, _>::from_raw(6, 4, w(4)).unwrap().into(),
        ];
        for source in pictures {
            let colour = source.color();
            let found = picture((6, 4), source.as_bytes().to_vec(), colour, None).unwrap();
            assert_eq!(found.into_raw(), expected(source), "{colour:?}");
        }
    }
}
