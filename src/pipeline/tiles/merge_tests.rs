//! Of things seen in several looks, one box each.

use super::*;
use crate::model::{Bundle, Cell};
use crate::vocabulary::plain_vocabulary;

const SIZE: (u32, u32) = (1000, 1000);
/// The left half and its overlap; the right one.
const LEFT_TILE: Tile = Tile { x: 0, y: 0, width: 556, height: 1000 };
const RIGHT_TILE: Tile = Tile { x: 444, y: 0, width: 556, height: 1000 };

fn region(x0: f32, side: f32, objectness: f32, scores: [f32; 2]) -> Region {
    let rect = Rect { x0, y0: 100.0, x1: x0 + side, y1: 100.0 + side };
    let cell = Cell { level: 0, index: 0 };
    Region { rect, input: rect, objectness, cell, embedding: Vec::new(), scores: scores.to_vec() }
}

/// Left edges and scores of what is left of the whole's regions, of the left tile's and of the right one's, in their own
/// pixels.
fn merged(whole: Vec<Region>, left: Vec<Region>, right: Vec<Region>) -> Vec<(f32, Vec<f32>)> {
    let words = plain_vocabulary(&[("cat", [1.0, 0.0]), ("dog", [0.0, 1.0])], &[]);
    let parts = vec![Part { regions: left, tile: LEFT_TILE }, Part { regions: right, tile: RIGHT_TILE }];
    let regions = merge(whole, parts, SIZE, &words, &Bundle::embedded().unwrap().manifest);
    let rounded = |scores: Vec<f32>| scores.iter().map(|score| (score * 1e3).round() / 1e3).collect();
    regions.into_iter().map(|region| (region.rect.x0, rounded(region.scores))).collect()
}

#[test]
fn small_things_of_tiles_are_added_in_pixels_of_the_picture_with_lower_odds() {
    let found = merged(
        vec![region(10.0, 300.0, 2.0, [0.9, 0.1])],
        vec![region(400.0, 50.0, 1.0, [0.5, 0.0])],
        vec![region(400.0, 50.0, 3.0, [0.0, 0.8])],
    );
    // 0.75 of odds of 1 and of 4.
    assert_eq!(found, [(844.0, vec![0.0, 0.75]), (10.0, vec![0.9, 0.1]), (400.0, vec![0.429, 0.0])]);
}

#[test]
fn large_things_are_the_whole_pictures_matter() {
    let found = merged(
        vec![],
        vec![region(10.0, 201.0, 2.0, [0.9, 0.1])],
        vec![region(300.0, 199.0, 2.0, [0.8, 0.0])],
    );
    assert_eq!(found, [(744.0, vec![0.75, 0.0])]);
}

#[test]
fn what_both_tiles_show_is_one_thing() {
    // At 470 to 520 in both.
    let found =
        merged(vec![], vec![region(470.0, 50.0, 2.0, [0.8, 0.0])], vec![region(26.0, 50.0, 1.0, [0.9, 0.0])]);
    assert_eq!(found, [(470.0, vec![0.75, 0.0])]);
}

#[test]
fn a_piece_at_a_border_goes_where_the_whole_thing_was_seen_and_stays_where_it_was_not() {
    let piece = || region(500.0, 55.0, 3.0, [0.8, 0.0]);
    let whole_thing = region(50.0, 100.0, 1.0, [0.5, 0.0]);
    assert_eq!(merged(vec![], vec![piece()], vec![whole_thing]), [(494.0, vec![0.429, 0.0])]);
    assert_eq!(merged(vec![], vec![piece()], vec![]), [(500.0, vec![0.75, 0.0])]);
}

#[test]
fn a_part_of_something_that_is_named_is_believed_less() {
    let cat = region(10.0, 300.0, 2.0, [0.9, 0.0]);
    let found = merged(vec![cat], vec![region(100.0, 50.0, 1.0, [0.0, 0.8])], vec![]);
    assert_eq!(found, [(10.0, vec![0.9, 0.0]), (100.0, vec![0.0, 0.3])]);
    let nothing = region(10.0, 300.0, 2.0, [0.1, 0.1]);
    let found = merged(vec![nothing], vec![region(100.0, 50.0, 1.0, [0.0, 0.8])], vec![]);
    assert_eq!(found[1], (100.0, vec![0.0, 0.75]));
}
