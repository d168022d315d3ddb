"""Canvases: boxes and masks move with the pixels."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from quantize.arithmetic.preprocess import Letterbox, letterbox
from quantize.data import canvas as cv

RED = np.array([255, 0, 0])
SIZE = 160


def with_rectangle(width: int, height: int, rect: cv.Rect) -> NDArray[np.uint8]:
    """Black, with a red rectangle at fractions `rect`."""
    picture = np.zeros((height, width, 3), np.uint8)
    x0, y0, x1, y1 = (round(a * b) for a, b in zip(rect, (width, height) * 2, strict=True))
    picture[y0:y1, x0:x1] = RED
    return picture


def red_extent(canvas: NDArray[np.uint8]) -> cv.Rect:
    """x0, y0, x1, y1 of the pixels that are mostly red."""
    rows, columns = np.nonzero(canvas[..., 0].astype(int) > canvas[..., 1].astype(int) + 80)
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def cut(rect: cv.Rect, crop: cv.Rect) -> cv.Rect:
    """What of `rect` lies in `crop`."""
    return max(rect[0], crop[0]), max(rect[1], crop[1]), min(rect[2], crop[2]), min(rect[3], crop[3])


@pytest.mark.parametrize("seed", range(30))
def test_a_box_covers_its_pixels_wherever_it_is_placed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rect = (0.25, 0.375, 0.625, 0.75)
    picture = with_rectangle(96, 64, rect)
    cells = cv.grid(int(rng.choice([1, 2])), SIZE)
    cell = cells[rng.integers(len(cells))]
    placed = replace(cv.augmented(picture, str(rng.choice(["flickr8k", "other"])), cell, rng), contrast=1.0, colour=1.0)
    canvas = np.full((SIZE, SIZE, 3), cv.GREY, np.uint8)
    placed.draw(picture, canvas)
    box = placed.box(rect)
    assert box is not None
    assert red_extent(canvas) == pytest.approx(box, abs=1.5)
    x0, y0, x1, y1 = placed.target
    assert cell[0] <= x0 < x1 <= cell[2]
    assert cell[1] <= y0 < y1 <= cell[3]
    outside = np.ones((SIZE, SIZE), bool)
    outside[y0:y1, x0:x1] = False
    assert (canvas[outside] == cv.GREY).all()


@pytest.mark.parametrize("seed", range(30))
def test_point_is_the_inverse_of_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    placed = cv.augmented(np.zeros((64, 96, 3), np.uint8), "flickr8k", (40, 0, 120, 80), rng)
    left, right = np.sort(rng.uniform(0.45, 0.55, 2))
    top, bottom = np.sort(rng.uniform(0.45, 0.55, 2))
    rect = cut((left, top, right + 0.02, bottom + 0.02), placed.crop)
    box = placed.box(rect)
    assert box is not None
    u, v = placed.point(np.array([box[0], box[2]]), np.array([box[1], box[3]]))
    assert sorted(u) == pytest.approx([rect[0], rect[2]])
    assert v == pytest.approx([rect[1], rect[3]])


def test_points_read_the_mask_under_the_pixel() -> None:
    rect = (0.25, 0.25, 0.5, 0.75)
    picture = with_rectangle(80, 80, rect)
    mask = picture[..., 0] > 0
    placed = cv.Placement((0.125, 0.0, 1.0, 0.875), (10, 20, 150, 110), flip=True)
    canvas = np.zeros((SIZE, SIZE, 3), np.uint8)
    placed.draw(picture, canvas)
    y, x = np.mgrid[20:110, 10:150]
    u, v = placed.point(x + 0.5, y + 0.5)
    agree = mask[(v * 80).astype(int), (u * 80).astype(int)] == (canvas[20:110, 10:150, 0] > 127)
    assert agree.mean() > 0.985  # all but the blurred edges


def test_points_beside_the_picture_are_outside() -> None:
    placed = cv.Placement((0.0, 0.0, 1.0, 1.0), (10, 20, 50, 60))
    u, v = placed.point(np.array([9.0, 30.0, 51.0]), np.array([30.0, 61.0, 30.0]))
    assert (u == -1).all()
    assert (v == -1).all()


def test_flip_mirrors_the_box() -> None:
    placed = cv.Placement((0.0, 0.0, 1.0, 1.0), (0, 0, 100, 100))
    assert placed.box((0.1, 0.2, 0.4, 0.6)) == pytest.approx((10, 20, 40, 60))
    assert replace(placed, flip=True).box((0.1, 0.2, 0.4, 0.6)) == pytest.approx((60, 20, 90, 60))


def test_boxes_mostly_cropped_away_are_gone_and_others_are_cut() -> None:
    placed = cv.Placement((0.5, 0.0, 1.0, 1.0), (0, 0, 100, 100))
    assert placed.box((0.1, 0.2, 0.7, 0.6)) is None
    assert placed.box((0.0, 0.0, 0.4, 1.0)) is None
    assert placed.box((0.4, 0.2, 0.7, 0.6)) == pytest.approx((0, 20, 40, 60))


def test_mosaic_cells_tile_the_canvas() -> None:
    for n in (1, 2, 3):
        count = np.zeros((SIZE, SIZE), int)
        for x0, y0, x1, y1 in cv.grid(n, SIZE):
            count[y0:y1, x0:x1] += 1
        assert (count == 1).all()


def test_colour_changes_stay_inside_the_target() -> None:
    picture = np.full((8, 8, 3), 100, np.uint8)
    canvas = np.full((20, 20, 3), cv.GREY, np.uint8)
    cv.Placement((0, 0, 1, 1), (4, 4, 12, 12), brightness=1.5).draw(picture, canvas)
    assert (canvas[4:12, 4:12] == 150).all()
    assert (canvas[:4] == cv.GREY).all()


@pytest.mark.parametrize(("width", "height"), [(224, 224), (640, 480), (57, 131), (160, 160), (300, 7), (1, 1)])
def test_the_plain_view_is_the_boards_letterbox(width: int, height: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    placed = cv.plain(picture, SIZE)
    values, box = letterbox(picture, SIZE)
    assert placed.target == box.content
    assert placed.box((0.1, 0.2, 0.7, 0.9)) == pytest.approx(
        Letterbox.of(width, height, SIZE).to_input((0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height))
    )
    canvas = np.full((SIZE, SIZE, 3), cv.GREY, np.uint8)
    placed.draw(picture, canvas)
    difference = np.abs(canvas.transpose(2, 0, 1).astype(int) - 128 - values)
    assert difference.max() <= 1  # Pillow may round between its two passes in the other order
