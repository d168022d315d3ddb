//! Tiles cover the picture, overlap, and are no more than asked for.

use super::*;

fn grid(columns: u32, rows: u32) -> Grid {
    Grid::new(columns, rows).unwrap()
}

fn auto(size: (u32, u32), milliseconds: u64) -> Option<String> {
    let tiles = Tiles::Auto { within: Duration::from_millis(milliseconds) };
    tiles.grid(size, 320, Duration::from_millis(10)).map(|grid| grid.to_string())
}

#[test]
fn neighbours_share_a_fifth_and_all_together_cover_the_picture() {
    assert_eq!(spans(640, 2), [(0, 356), (284, 356)]);
    assert_eq!(spans(640, 1), [(0, 640)]);
    for (side, count) in [(1, 1), (2, 2), (7, 7), (101, 8), (1080, 3), (4000, 4), (5, 4)] {
        let spans = spans(side, count);
        assert_eq!(
            (spans[0].0, spans[spans.len() - 1]),
            (0, (side - spans[0].1, spans[0].1)),
            "{side} {count}"
        );
        for pair in spans.windows(2) {
            assert!(pair[0].0 + pair[0].1 >= pair[1].0, "a gap in {spans:?}");
        }
    }
    let tiles = grid(2, 3).tiles((640, 480));
    assert_eq!(tiles.len(), 6);
    assert_eq!(tiles[1], Tile { x: 284, y: 0, width: 356, height: 185 });
    assert_eq!(tiles[5], Tile { x: 284, y: 295, width: 356, height: 185 });
}

#[test]
fn auto_asks_for_tiles_by_size_and_takes_what_the_time_allows() {
    assert_eq!(auto((320, 240), 10_000), None, "as large as the network's input");
    assert_eq!(auto((640, 480), 10_000).as_deref(), Some("2x2"));
    assert_eq!(auto((1920, 1080), 10_000).as_deref(), Some("4x3"));
    assert_eq!(auto((9000, 300), 10_000).as_deref(), Some("4x1"));
    // Ten milliseconds have gone into the whole; twelve tiles more take 120.
    assert_eq!(auto((1920, 1080), 130).as_deref(), Some("4x3"));
    assert_eq!(auto((1920, 1080), 129).as_deref(), Some("4x2"));
    assert_eq!(auto((1920, 1080), 50).as_deref(), Some("2x2"));
    assert_eq!(auto((1920, 1080), 15), None);
    assert_eq!(Tiles::Off.grid((1920, 1080), 320, Duration::ZERO), None);
    assert_eq!(Tiles::Grid(grid(1, 1)).grid((1920, 1080), 320, Duration::ZERO), None, "that is the whole");
    let narrow = Tiles::Grid(grid(8, 8)).grid((3, 900), 320, Duration::ZERO);
    assert_eq!(narrow, Some(grid(3, 8)), "no more columns than pixels");
}

#[test]
fn only_borders_inside_the_picture_cut() {
    let tile = Tile { x: 100, y: 0, width: 200, height: 100 };
    let cuts = |x0, y0, x1, y1| tile.cuts(Rect { x0, y0, x1, y1 }, (300, 200));
    assert!(!cuts(110.0, 0.0, 300.0, 90.0), "top and right are borders of the picture");
    assert!(cuts(101.0, 20.0, 150.0, 60.0), "left");
    assert!(cuts(110.0, 20.0, 150.0, 99.0), "bottom");
}

#[test]
fn a_tile_shows_its_part_of_the_picture() {
    let pixels: Vec<u8> = (0..4 * 3).flat_map(|i| [i, i, i]).collect();
    let tile = Tile { x: 2, y: 1, width: 2, height: 2 };
    let frame = tile.of(&pixels, 4).unwrap();
    let row = |y: usize| &frame.data[y * frame.stride..][..6];
    assert_eq!((row(0), row(1)), (&[6, 6, 6, 7, 7, 7][..], &[10, 10, 10, 11, 11, 11][..]));
    assert!(Tile { y: 2, ..tile }.of(&pixels, 4).is_err(), "below the last row");
}
