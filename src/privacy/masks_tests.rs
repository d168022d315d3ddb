use super::*;
use crate::frame::PixelFormat;

fn mask(points: &[[f32; 2]]) -> Mask {
    Mask { name: None, points: points.to_vec(), rect: None }
}

fn boxed(rect: [f32; 4]) -> Mask {
    Mask { name: None, points: Vec::new(), rect: Some(rect) }
}

/// `#` for black, by rows.
fn picture(masks: &mut Masks, width: u32, height: u32) -> Vec<String> {
    let mut grey = vec![255; (width * height) as usize];
    let mut frame = FrameMut::new(&mut grey, width, height, width as usize, PixelFormat::Grey8).unwrap();
    masks.blacken(&mut frame);
    let row = |row: &[u8]| row.iter().map(|pixel| if *pixel == 0 { '#' } else { '.' }).collect();
    grey.chunks(width as usize).map(row).collect()
}

#[test]
fn a_box_covers_its_pixels_and_those_that_it_cuts() {
    let mut masks = Masks::new(&[boxed([0.3, 0.2, 0.7, 0.6])]);
    let expected = ["..........", "...####...", "...####...", "..........", ".........."];
    assert_eq!(picture(&mut masks, 10, 5), expected);
    // The same in another size, which is worked out anew: 2.4 to 5.6, 0.6 to 1.8.
    assert_eq!(picture(&mut masks, 8, 3), ["..####..", "..####..", "........"]);
    assert_eq!(picture(&mut Masks::new(&[boxed([0.0, 0.0, 1.0, 1.0])]), 3, 2), ["###", "###"]);
}

#[test]
fn a_polygon_covers_every_pixel_that_it_touches() {
    let mut triangle = Masks::new(&[mask(&[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])]);
    assert_eq!(picture(&mut triangle, 4, 4), ["####", "###.", "##..", "#..."]);
    // Thinner than a pixel, and a notch.
    let mut thin = Masks::new(&[mask(&[[0.1, 0.45], [0.9, 0.45], [0.9, 0.46], [0.1, 0.46]])]);
    assert_eq!(picture(&mut thin, 10, 4), ["..........", ".########.", "..........", ".........."]);
    let notched = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5], [0.0, 1.0]];
    assert_eq!(picture(&mut Masks::new(&[mask(&notched)]), 4, 4), ["####", "####", "####", "#..#"]);
}

#[test]
fn areas_of_several_masks_add_up() {
    let two = [
        boxed([0.0, 0.0, 0.5, 1.0]),
        boxed([0.25, 0.0, 0.75, 0.5]),
        mask(&[[0.9, 0.9], [1.0, 0.9], [1.0, 1.0]]),
    ];
    assert_eq!(picture(&mut Masks::new(&two), 8, 4), ["######..", "######..", "####....", "####...#"]);
    assert_eq!(picture(&mut Masks::default(), 4, 1), ["...."]);
}

#[test]
fn what_is_no_area_is_refused_by_name() {
    let refusal = |mask: Mask| mask.check(1).unwrap_err().to_string();
    assert_eq!(refusal(mask(&[[0.0, 0.0], [1.0, 1.0]])), "mask 2: found 2 points, expected at least 3");
    let named = Mask { name: Some("garden".to_owned()), ..boxed([0.0, 0.0, 320.0, 240.0]) };
    assert!(refusal(named).starts_with("mask \"garden\": found the point [320, 240], expected fractions"));
    let crossed = mask(&[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
    assert!(refusal(crossed).contains("neither crosses nor touches itself"));
    assert!(boxed([0.0, 0.0, 1.0, 0.2]).check(0).is_ok());
}

/// A mask that takes half of the picture, in the layout that most cameras have. Run with `--ignored`.
#[test]
#[ignore = "a measurement"]
fn what_a_mask_costs() {
    use crate::frame::Range;
    let mut masks = Masks::new(&[mask(&[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])]);
    for (format, bytes) in [
        (PixelFormat::Yuyv(Range::Limited), 2),
        (PixelFormat::Rgb8, 3),
        (PixelFormat::Nv12(Range::Limited), 1),
    ] {
        let mut data = vec![9; 640 * 480 * 3];
        let mut took = Vec::new();
        for _ in 0..101 {
            let started = std::time::Instant::now();
            let mut frame = FrameMut::new(&mut data, 640, 480, 640 * bytes, format).unwrap();
            masks.blacken(&mut frame);
            took.push(started.elapsed());
        }
        took.sort();
        eprintln!("{format:?}: median {:?}, first {:?}", took[50], took[100]);
    }
}
