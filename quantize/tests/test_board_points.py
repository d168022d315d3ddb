"""Points: every vector comes from where its target says. The maps hold the coordinates of their own cells."""

import numpy as np
import pytest
import torch
from quantize.board import points
from quantize.board.points import NO_NAME, DetectorOutputs, Points, collect
from quantize.data import canvas as cv
from quantize.data.layouts import Canvas, draw
from quantize.data.shards import Box, Sample
from quantize.model.nanodet import BINS, CLASSES
from quantize.model.pooling import EXTENT_FEATURES, TOWER_FEATURES
from quantize.model.registry import STRIDES
from quantize.model.trunk import Maps
from torch import Tensor

SIZE = 192
NAMES = {"cup": 0, "table": 1, "wall": 2, "void": 3}
TOWER, SEMANTIC = 96, 192  # where the second tower pool and the semantic pool start in a region vector


def coordinates(channels: int, stride: int, pictures: int) -> Tensor:
    """[B,C,h,w]: channel 0 is x and channel 1 is y of the cell's centre in canvas pixels, channel 2 the picture's number."""
    cells = SIZE // stride
    at = (torch.arange(cells) + 0.5) * stride
    maps = torch.zeros(pictures, channels, cells, cells)
    maps[:, 0], maps[:, 1] = at[None, None, :], at[None, :, None]
    maps[:, 2] = torch.arange(pictures)[:, None, None]
    return maps


def maps_of(pictures: int) -> Maps:
    towers = [coordinates(96, s, pictures) for s in STRIDES]
    return Maps(coordinates(1280, 32, pictures), coordinates(96, 16, pictures), towers)


def silent(pictures: int) -> DetectorOutputs:
    """A teacher that sees nothing."""
    cells = [SIZE // s for s in STRIDES]
    return [(torch.full((pictures, CLASSES, n, n), -9.0), torch.zeros(pictures, 4 * BINS, n, n)) for n in cells]


def sample(boxes: list[Box], mask: bool = False, size: tuple[int, int] = (120, 80)) -> Sample:
    width, height = size
    made = Sample("k", "made", np.zeros((height, width, 3), np.uint8), boxes=boxes)
    if mask:  # left third void, then table, the lower half wall
        made.mask = np.zeros((height, width), np.int64)
        made.mask[:, width // 3 :] = 1
        made.mask[height // 2 :, width // 3 :] = 2
        made.mask_names = ["void", "table", "wall"]
    return made


def one(s: Sample, index: int) -> Canvas:
    return draw([index], [s], [cv.plain(s.picture, SIZE)], SIZE)


def mosaic(samples: list[Sample], index: list[int]) -> Canvas:
    return draw(index, samples, [cv.Placement((0, 0, 1, 1), c) for c in cv.grid(2, SIZE)[: len(samples)]], SIZE)


def points_of(canvases: list[Canvas], detected: DetectorOutputs | None = None) -> Points:
    n = len(canvases)
    return collect(detected or silent(n), maps_of(n), canvases, NAMES, SIZE, np.random.default_rng(0))


CUP = Box((0.25, 0.25, 0.5, 0.5), "cup")
PSEUDO = Box((0.5, 0.25, 0.875, 0.75), "gadget", 0.7)


def test_shapes_and_ownership() -> None:
    canvases = [one(sample([CUP, PSEUDO]), 7), mosaic([sample([CUP]), sample([]), sample([PSEUDO])], [3, 4, 5])]
    s = points_of(canvases)
    assert s.image.shape == (1, 1280)
    assert s.image_sample.tolist() == [7]
    assert s.region.shape == (8, TOWER_FEATURES + 1280 + EXTENT_FEATURES)
    assert s.region_owner.tolist() == [7, 7, 7, 3, 3, 4, 5, 5]
    assert s.region_sample.tolist() == [7, -1, -1, 3, -1, 4, 5, -1]
    assert s.region_box.tolist() == [-1, 0, 1, -1, 0, -1, -1, 0]
    assert s.region_name.tolist() == [NO_NAME, 0, NO_NAME, NO_NAME, 0, NO_NAME, NO_NAME, NO_NAME]
    assert s.region_weight.tolist() == pytest.approx([1, 1, 0.7, 1, 1, 1, 1, 0.7])
    count = 2 * len(STRIDES) * (points.ANCHORS_POSITIVE + points.ANCHORS_NEGATIVE)
    assert len(s.anchor) == len(s.anchor_level) == len(s.anchor_target) == len(s.anchor_distance) <= count
    assert s.pixel.shape == (points.PIXELS_PER_PICTURE, 1280 + 96 + 96)  # of the single picture; nothing is known of the mosaic


def test_regions_are_pooled_where_the_boxes_lie() -> None:
    canvases = [mosaic([sample([CUP])], [0]), mosaic([sample([]), sample([]), sample([]), sample([CUP])], [1, 2, 3, 4])]
    s = points_of(canvases)
    cells = cv.grid(2, SIZE)
    boxes = (s.region_box == 0).nonzero().squeeze(1).tolist()
    for row, cell, picture in zip(boxes, (cells[0], cells[3]), (0, 1), strict=True):
        x, y = cell[0] + 0.375 * 96, cell[1] + 0.375 * 96
        for start in (0, TOWER, SEMANTIC):
            assert s.region[row, start : start + 3].tolist() == pytest.approx([x, y, picture], abs=1e-3)
        assert s.region[row, -2:].exp().tolist() == pytest.approx([24 / SIZE, 24 / SIZE])


def test_a_single_pictures_context_ends_at_its_edge_and_a_mosaics_does_not() -> None:
    corner = Box((0.0, 0.0, 0.5, 0.9), "cup")
    tall = sample([corner], size=(80, 160))  # letterboxed to x from 48 to 144
    alone = points_of([one(tall, 0)])
    x0, x1 = 48.0, 96.0
    half = 1.2 * 0.9 * SIZE / 2
    wide = (x0 + x1) / 2 - half, (x0 + x1) / 2 + half
    assert alone.region[1, SEMANTIC].item() == pytest.approx((48 + min(wide[1], 144)) / 2, abs=4)
    placed = cv.Placement((0, 0, 1, 1), (48, 0, 144, 192))
    second = cv.Placement((0, 0, 1, 1), (0, 0, 16, 16))
    both = points_of([draw([0, 1], [tall, sample([])], [placed, second], SIZE)])
    assert both.region[1, SEMANTIC].item() < alone.region[1, SEMANTIC].item() - 5


def test_pixels_have_the_name_under_them() -> None:
    s, flipped = sample([], mask=True), cv.Placement((0.1, 0.0, 1.0, 0.9), (0, 32, 192, 160), flip=True)
    found = points_of([draw([0], [s], [flipped], SIZE)])
    assert len(found.pixel) == points.PIXELS_PER_MASK
    assert set(found.pixel_name.tolist()) == {NAMES["table"], NAMES["wall"]}
    assert s.mask is not None
    middle = found.pixel[:, 1280:1282].numpy().astype(np.float64)
    # border cells are clamped: only what lies within the outermost centres can be read back
    inner = ((middle > 9) & (middle < SIZE - 9)).all(1)
    assert inner.sum() > 10
    u, v = flipped.point(middle[inner, 0], middle[inner, 1])
    names = [s.mask_names[s.mask[int(b * 80), int(a * 120)]] for a, b in zip(u, v, strict=True)]
    agree = [NAMES[n] == f for n, f in zip(names, found.pixel_name[torch.from_numpy(inner)].tolist(), strict=True)]
    assert np.mean(agree) > 0.9  # points are rounded when they are pooled


def detected_box(box: tuple[float, float, float, float], score: float) -> DetectorOutputs:
    """A teacher whose cells of stride 16 all predict `box` and give `score` to class 3 where they lie in it."""
    detected = silent(1)
    logits, bins = detected[1]
    for row in range(SIZE // 16):
        for column in range(SIZE // 16):
            x, y = (column + 0.5) * 16, (row + 0.5) * 16
            distance = torch.tensor([x - box[0], y - box[1], box[2] - x, box[3] - y]) / 16
            if (distance > 0).all() and (distance < BINS - 1).all():
                logits[0, 3, row, column] = score
                low = distance.floor().long()
                share = distance - low
                spread = torch.full((4, BINS), -30.0)
                spread[torch.arange(4), low] = (1 - share).clamp(min=1e-9).log()
                spread[torch.arange(4), low + 1] = share.clamp(min=1e-9).log()
                bins[0, :, row, column] = spread.flatten()
    return detected


@pytest.mark.parametrize(("box", "target"), [(CUP, 1.0), (Box(CUP.rect, "cup", 0.6), 0.6), (Box(CUP.rect, "cup", 0.45), 0.5)])
def test_anchors_lead_back_to_the_box(box: Box, target: float) -> None:
    """A person's box raises the target to its IoU, a detector's to that times its score; the teacher's score is 0.5."""
    canvas = mosaic([sample([box])], [0])
    canvas.placed = [cv.Placement((0, 0, 1, 1), (16, 32, 176, 160))]
    rect = (16 + 40, 32 + 32, 16 + 80, 32 + 64)
    s = points_of([canvas], detected_box(rect, 0.0))
    boxed = ~s.anchor_distance.isnan().any(1)
    assert boxed.sum() >= 4
    assert (s.anchor_level[boxed] == 1).all()
    x, y = s.anchor[boxed, 0], s.anchor[boxed, 1]
    d = s.anchor_distance[boxed] * 16
    assert torch.stack([x - d[:, 0], y - d[:, 1], x + d[:, 2], y + d[:, 3]], 1).numpy() == pytest.approx(
        np.tile(rect, (len(d), 1)), abs=1e-3
    )
    assert s.anchor_target[boxed].numpy() == pytest.approx(target, abs=1e-3)
    assert s.anchor_target[~boxed].max() < 0.01


def test_sides_beyond_the_last_bin_are_no_targets() -> None:
    canvas = one(sample([Box((0.01, 0.01, 0.99, 0.99), "cup")], size=(SIZE, SIZE)), 0)
    s = points_of([canvas], detected_box((20.0, 20.0, 131.0, 190.0), 0.0))  # half of the box
    boxed = ~s.anchor_distance.isnan().any(1)
    assert boxed.any()
    assert s.anchor_distance[boxed].max() < BINS - 1
    assert s.anchor_distance[boxed].min() > 0


def test_gradients_reach_every_map() -> None:
    maps = maps_of(1)
    for m in (maps.semantic, maps.middle, *maps.towers):
        m.requires_grad_()
    small, middle, large = (Box((0.5 - r, 0.5 - r, 0.5 + r, 0.5 + r), "cup") for r in (0.1, 0.25, 0.45))
    s = collect(silent(1), maps, [one(sample([small, middle, large], size=(90, 90)), 0)], NAMES, SIZE, np.random.default_rng(0))
    (s.image.sum() + s.region.sum() + s.pixel.sum() + s.anchor.sum()).backward()  # type: ignore[no-untyped-call]
    for m in (maps.semantic, maps.middle, *maps.towers):
        assert m.grad is not None
        assert m.grad.isfinite().all()
        assert m.grad.abs().sum() > 0


def test_vectors_move_and_targets_stay() -> None:
    moved = points_of([one(sample([CUP]), 0)]).vectors_to("meta")
    assert {t.device.type for t in (moved.image, moved.region, moved.pixel, moved.anchor)} == {"meta"}
    assert {t.device.type for t in (moved.image_sample, moved.region_name, moved.anchor_level)} == {"cpu"}
