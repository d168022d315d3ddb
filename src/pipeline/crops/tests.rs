//! What moves is looked at closely, whatever the light does and the camera.

use super::*;
use crate::frame::PixelFormat;

const WIDTH: usize = 960;
const HEIGHT: usize = 540;

/// A pattern of stripes and squares, each pixel known.
fn scene(x: i32, y: i32) -> f32 {
    let stripes = if (x / 24 + y / 40) % 2 == 0 { 30.0 } else { 0.0 };
    90.0 + stripes + 25.0 * ((x as f32) * 0.031).sin() + 15.0 * ((y as f32) * 0.047).cos()
}

/// A grey picture of the scene as a camera that is off by `shake` sees it, with `paint` over it.
fn picture(shake: (i32, i32), paint: impl Fn(i32, i32, f32) -> f32) -> Vec<u8> {
    let pixel = |index: usize| {
        let (x, y) = ((index % WIDTH) as i32 - shake.0, (index / WIDTH) as i32 - shake.1);
        paint(x, y, scene(x, y)).clamp(0.0, 255.0) as u8
    };
    (0..WIDTH * HEIGHT).map(pixel).collect()
}

fn frame(data: &[u8]) -> Frame<'_> {
    Frame::new(data, WIDTH as u32, HEIGHT as u32, WIDTH, PixelFormat::Grey8).unwrap()
}

fn crops(kind: CropsKind, most: u8) -> Crops {
    Crops::new(Look { crops: kind, most })
}

/// What is chosen of these pictures, one a fifth of a second.
fn chosen(crops: &mut Crops, pictures: &[Vec<u8>]) -> Vec<Vec<Tile>> {
    let clock = |index: usize| Duration::from_millis(200 * index as u64);
    let each = pictures.iter().enumerate();
    each.map(|(index, picture)| crops.choose(&frame(picture), clock(index), Vec::new, 320)).collect()
}

/// A dark square of `side` pixels whose centre is there.
fn thing(at: (i32, i32), side: i32) -> impl Fn(i32, i32, f32) -> f32 {
    move |x, y, below| if (x - at.0).abs() * 2 < side && (y - at.1).abs() * 2 < side { 20.0 } else { below }
}

fn holds(tile: &Tile, (x, y): (i32, i32)) -> bool {
    let rect = tile.rect();
    (rect.x0..rect.x1).contains(&(x as f32)) && (rect.y0..rect.y1).contains(&(y as f32))
}

#[test]
fn a_small_thing_that_moves_is_in_a_crop_of_the_networks_size() {
    let pictures: Vec<_> = (0..5).map(|i| picture((0, 0), thing((500 + 15 * i, 300), 14))).collect();
    let found = chosen(&mut crops(CropsKind::Motion, 2), &pictures);
    assert!(found[0].is_empty(), "nothing is known of the first");
    for (index, tiles) in found.iter().enumerate().skip(1) {
        let [tile] = tiles[..] else { panic!("{index}: {tiles:?}") };
        assert_eq!((tile.width, tile.height), (320, 320));
        assert!(holds(&tile, (500 + 15 * index as i32, 300)), "{index}: {tile:?}");
    }
}

#[test]
fn a_still_scene_noise_light_and_a_shaking_camera_ask_for_nothing() {
    let mut state = 1u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as f32 / 16.0 - 8.0
    };
    let mut noisy = picture((0, 0), |_, _, below| below);
    noisy.iter_mut().for_each(|pixel| *pixel = (f32::from(*pixel) + noise()).clamp(0.0, 255.0) as u8);
    let plain = picture((0, 0), |_, _, below| below);
    let darker = picture((0, 0), |_, _, below| 0.7 * below);
    let shaken = picture((5, -3), |_, _, below| below);
    let pictures =
        [plain.clone(), plain.clone(), noisy, darker, shaken, picture((-7, 2), |_, _, below| below), plain];
    let found = chosen(&mut crops(CropsKind::Motion, 2), &pictures);
    assert!(found.iter().all(Vec::is_empty), "{found:?}");
}

#[test]
fn a_thing_is_found_although_the_camera_shakes() {
    let shakes = [(0, 0), (4, -2), (-6, 3), (2, 2)];
    let pictures: Vec<_> =
        shakes.iter().zip(0..).map(|(shake, i)| picture(*shake, thing((300 + 20 * i, 200), 16))).collect();
    let found = chosen(&mut crops(CropsKind::Motion, 2), &pictures);
    for (index, tiles) in found.iter().enumerate().skip(1) {
        let there = (300 + 20 * index as i32 + shakes[index].0, 200 + shakes[index].1);
        assert!(tiles.iter().any(|tile| holds(tile, there)), "{index}: {tiles:?}");
        assert!(tiles.len() <= 2, "{index}: {tiles:?}");
    }
}

#[test]
fn a_shadow_is_nothing_but_a_thing_of_its_size_is() {
    let inside = |x: i32, y: i32| (400..520).contains(&x) && (200..300).contains(&y);
    let plain = picture((0, 0), |_, _, below| below);
    let shadow = picture((0, 0), |x, y, below| if inside(x, y) { 0.6 * below } else { below });
    let thing = picture((0, 0), |x, y, below| if inside(x, y) { 70.0 } else { below });
    let mut motion = crops(CropsKind::Motion, 2);
    assert!(chosen(&mut motion, &[plain.clone(), shadow]).iter().all(Vec::is_empty));
    let found = chosen(&mut crops(CropsKind::Motion, 2), &[plain, thing]);
    assert!(found[1].iter().any(|tile| holds(tile, (460, 250))), "{found:?}");
}

#[test]
fn where_more_moves_than_there_is_time_for_all_have_their_turn() {
    let places = [(100, 100), (850, 100), (100, 440), (850, 440)];
    let moving = |index: i32| {
        picture((0, 0), move |x, y, below| {
            let lit =
                places.iter().any(|(left, top)| thing((left + 9 * index, *top), 16)(x, y, below) != below);
            if lit { 20.0 } else { below }
        })
    };
    let found = chosen(&mut crops(CropsKind::Motion, 1), &(0..9).map(moving).collect::<Vec<_>>());
    let turns: Vec<usize> = found
        .iter()
        .enumerate()
        .skip(1)
        .map(|(index, tiles)| {
            let [tile] = tiles[..] else { panic!("{tiles:?}") };
            let there = |(x, y): &(i32, i32)| holds(&tile, (x + 9 * index as i32, *y));
            places.iter().position(there).unwrap()
        })
        .collect();
    for four in turns.chunks(4) {
        let mut four = four.to_vec();
        four.sort_unstable();
        assert_eq!(four, [0, 1, 2, 3], "{turns:?}");
    }
}

#[test]
fn a_small_track_that_stands_still_is_looked_at_and_a_large_one_is_not() {
    let plain = picture((0, 0), |_, _, below| below);
    let mut motion = crops(CropsKind::Motion, 2);
    let mut at = |millis: u64, rect: Rect| {
        motion.choose(&frame(&plain), Duration::from_millis(millis), || vec![rect], 320)
    };
    let small = Rect { x0: 700.0, y0: 400.0, x1: 720.0, y1: 440.0 };
    assert!(matches!(at(0, small)[..], [tile] if holds(&tile, (710, 420))));
    assert!(at(500, small).is_empty(), "once a second is enough");
    assert_eq!(at(1000, small).len(), 1);
    assert!(at(5000, Rect { x1: 900.0, ..small }).is_empty());
}

#[test]
fn tiles_take_turns_and_small_frames_need_none() {
    let plain = picture((0, 0), |_, _, below| below);
    let mut tiles = crops(CropsKind::Tiles, 4);
    let found = chosen(&mut tiles, &vec![plain.clone(); 3]);
    // 960 x 540 are 3 x 2 tiles.
    assert_eq!(found[0], Tiles::finest((960, 540), 320).tiles((960, 540))[..4]);
    assert_eq!(found[1][..2], Tiles::finest((960, 540), 320).tiles((960, 540))[4..]);
    assert_eq!(found[1][2..], found[0][..2]);
    assert!(tiles.choose(&frame(&plain), Duration::ZERO, Vec::new, 960).is_empty(), "as large as the input");
    assert!(chosen(&mut crops(CropsKind::Off, 4), &[plain.clone(), plain]).iter().all(Vec::is_empty));
}

#[test]
fn frames_of_other_sizes_and_tiny_ones_start_anew() {
    let mut motion = crops(CropsKind::Motion, 2);
    let plain = picture((0, 0), |_, _, below| below);
    chosen(&mut motion, &[plain.clone(), plain.clone()]);
    for (width, height) in [(500, 3), (3, 500), (961, 541), (401, 33), (960, 540)] {
        let data = vec![90; width * height];
        let frame = Frame::new(&data, width as u32, height as u32, width, PixelFormat::Grey8).unwrap();
        assert!(motion.choose(&frame, Duration::from_secs(9), Vec::new, 320).is_empty(), "{width}x{height}");
    }
}

#[test]
fn a_small_thing_is_waited_for_only_where_a_crop_may_show_it() {
    let plain = picture((0, 0), |_, _, below| below);
    let mut motion = crops(CropsKind::Motion, 2);
    let at = |x0: f32| Rect { x0, y0: 100.0, x1: x0 + 20.0, y1: 120.0 };
    motion.choose(&frame(&plain), Duration::ZERO, Vec::new, 320);
    assert!(
        !motion.show(&at(500.0), &[])
            && motion.show(&at(500.0), &[Tile { x: 400, y: 0, width: 320, height: 320 }])
    );
    assert!(motion.show(&at(-30.0), &[]), "it has left the frame");
    // Half of it has: the visible half is in reach of a crop.
    let leaving = motion.choose(&frame(&plain), Duration::from_secs(1), || vec![at(-10.0)], 320);
    assert!(leaving.len() == 1 && motion.show(&at(-10.0), &leaving), "{leaving:?}");
    let none = motion.choose(&frame(&plain), Duration::from_secs(9), || vec![at(-30.0), at(960.0)], 320);
    assert!(none.is_empty(), "{none:?}");
    // Where the frame has become as small as the input, and where it is a strip without cells.
    for (width, height, tiles) in [(320, 240, 0), (640, 30, 1)] {
        let data = vec![90; width * height];
        let frame = Frame::new(&data, width as u32, height as u32, width, PixelFormat::Grey8).unwrap();
        let rect = Rect { x0: 100.0, y0: 5.0, x1: 110.0, y1: 15.0 };
        let found = motion.choose(&frame, Duration::from_secs(10), || vec![rect], 320);
        assert_eq!(found.len(), tiles, "{width}x{height}");
        assert!(motion.show(&rect, &found), "{width}x{height}");
    }
}
