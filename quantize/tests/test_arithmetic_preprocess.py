"""Letterbox and preprocessing; `src/preprocess/golden_tests.rs` compares the same golden cases with Rust."""

from pathlib import Path

import numpy as np
import pytest
from quantize.arithmetic.preprocess import Letterbox, letterbox
from quantize.golden.cases import FOLDER, PREPROCESS_CASES, PREPROCESS_SIZE, preprocess_cases
from safetensors.numpy import load_file


def test_camera_picture() -> None:
    box = Letterbox.of(640, 480, 320)
    assert (box.resized, box.offset, box.content) == ((320, 240), (0, 40), (0, 40, 320, 280))
    assert box.to_input((100, 100, 200, 480)) == (50, 90, 100, 280)
    assert box.to_source((50, 90, 100, 280)) == (100, 100, 200, 480)
    assert box.to_source((-5, 0, 400, 320)) == (0, 0, 640, 480)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 5000), (4032, 3024), (1997, 13), (128, 3)])
def test_boxes_go_there_and_back(width: int, height: int) -> None:
    box = Letterbox.of(width, height, 320)
    assert max(box.resized) == 320
    assert box.to_input((0, 0, width, height)) == pytest.approx(box.content)
    rect = (0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height)
    assert box.to_source(box.to_input(rect)) == pytest.approx(rect)


def test_halves_round_up() -> None:
    assert Letterbox.of(128, 3, 320).resized == (320, 8)


def test_empty_picture() -> None:
    with pytest.raises(ValueError, match="found 0x4 pixels into 320x320"):
        Letterbox.of(0, 4, 320)


def test_grey_around_the_picture_is_zero() -> None:
    values, box = letterbox(np.full((2, 4, 3), (255, 128, 0), np.uint8), 8)
    assert box.content == (0, 2, 8, 6)
    assert (values[:, :2] == 0).all()
    assert (values[:, 6:] == 0).all()
    assert (values[:, 2:6] == np.array([127, 0, -128], np.int8)[:, None, None]).all()


@pytest.mark.parametrize("name", PREPROCESS_CASES)
def test_committed_golden_cases_are_what_this_code_makes(name: str, tmp_path: Path) -> None:
    preprocess_cases(tmp_path)
    made, committed = (load_file(folder / f"{name}.safetensors") for folder in (tmp_path, FOLDER / "preprocess"))
    assert made["input"].shape == (3, PREPROCESS_SIZE, PREPROCESS_SIZE)
    assert np.array_equal(made["input"], committed["input"])
    assert np.array_equal(made["content"], committed["content"])
