//! The regions of the whole and of its tiles, joined without counting a thing twice.
//!
//! What a tile shows of something large is a part of it, and every tile is another chance to be wrong. The constants were
//! chosen on mosaics of training pictures, and on enlarged ones in which tiles can show nothing new: on those, average
//! precision must not fall.

use super::grid::Tile;
use crate::detect::discount_across;
use crate::geometry::Rect;
use crate::model::Manifest;
use crate::pipeline::detect::Region;
use crate::vocabulary::Vocabulary;

/// Longest side of a square, as a share of the picture's longer side, for which a tile is asked: the whole shows larger
/// things better.
const LARGEST: f32 = 0.2;
/// What the odds of a tile's regions are multiplied with: there are more of them.
const ODDS: f32 = 0.75;
/// Share of a region inside another from which it is a part of that.
const INSIDE: f32 = 0.7;
/// What is left of the probability of such a part, if the other is named and twice as large.
const LEFT: f32 = 0.4;
/// Share of what a tile's border has cut off that lies in a whole thing, from which it is nothing of its own.
const CUT: f32 = 0.5;

/// What a tile shows.
pub(super) struct Part {
    /// In pixels of the tile.
    pub regions: Vec<Region>,
    /// Where it lies.
    pub tile: Tile,
}

/// A region, and from which look it is: 0 is the whole.
struct Seen {
    region: Region,
    look: usize,
    is_cut: bool,
}

/// Regions in pixels of a picture of `size`, most certain first. Of a tile, only small things count. A piece that its border
/// has cut off goes where the whole thing was seen; of boxes in the same place, the more certain stays; parts of things are
/// discounted.
pub(super) fn merge(
    whole: Vec<Region>,
    parts: Vec<Part>,
    size: (u32, u32),
    vocabulary: &Vocabulary,
    manifest: &Manifest,
) -> Vec<Region> {
    let largest = LARGEST * size.0.max(size.1) as f32;
    let threshold = manifest.score.threshold;
    let named = whole.iter().filter(|region| region.scores.iter().any(|score| *score >= threshold));
    let named: Vec<Rect> = named.map(|region| region.rect).collect();
    let mut all: Vec<Seen> =
        whole.into_iter().map(|region| Seen { region, look: 0, is_cut: false }).collect();
    for (look, Part { regions, tile }) in (1..).zip(parts) {
        for mut region in regions {
            region.rect = region.rect.shift((tile.x, tile.y));
            if region.rect.area() > largest * largest {
                continue;
            }
            let is_part =
                |of: &Rect| of.area() > 2.0 * region.rect.area() && share(&region.rect, of) > INSIDE;
            let left = if named.iter().any(is_part) { LEFT } else { 1.0 };
            for score in &mut region.scores {
                *score = left * ODDS * *score / (1.0 - *score + ODDS * *score);
            }
            let is_cut = tile.cuts(region.rect, size);
            all.push(Seen { region, look, is_cut });
        }
    }
    all.sort_by(|a, b| b.region.objectness.total_cmp(&a.region.objectness));
    discounted(distinct(all, manifest.detection.candidate_iou), vocabulary)
}

/// Without pieces of things that another look shows whole, and without boxes in the same place as a better one.
fn distinct(mut all: Vec<Seen>, max_iou: f32) -> Vec<Seen> {
    let intact: Vec<(Rect, usize)> =
        all.iter().filter(|seen| !seen.is_cut).map(|seen| (seen.region.rect, seen.look)).collect();
    all.retain(|seen| {
        let is_piece =
            |(other, look): &(Rect, usize)| *look != seen.look && share(&seen.region.rect, other) >= CUT;
        !(seen.is_cut && intact.iter().any(is_piece))
    });
    let mut kept: Vec<Seen> = Vec::new();
    for seen in all {
        let rect = &seen.region.rect;
        if !kept.iter().any(|other| other.look != seen.look && other.region.rect.iou(rect) > max_iou) {
            kept.push(seen);
        }
    }
    kept
}

/// The regions, parts of things that another look shows believed less.
fn discounted(mut all: Vec<Seen>, vocabulary: &Vocabulary) -> Vec<Region> {
    let rects: Vec<Rect> = all.iter().map(|seen| seen.region.rect).collect();
    let looks: Vec<usize> = all.iter().map(|seen| seen.look).collect();
    let mut scores: Vec<Vec<f32>> =
        all.iter_mut().map(|seen| std::mem::take(&mut seen.region.scores)).collect();
    let strongest: Vec<Vec<f32>> =
        scores.iter().map(|scores| vocabulary.places().strongest(scores)).collect();
    discount_across(&rects, &looks, &mut scores, &strongest);
    all.into_iter().zip(scores).map(|(seen, scores)| Region { scores, ..seen.region }).collect()
}

/// Share of `part` that lies in `of`, 0 to 1.
fn share(part: &Rect, of: &Rect) -> f32 {
    part.intersection(of).map_or(0.0, |common| common.area() / part.area())
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
