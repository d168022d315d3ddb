"""Teachers' answers on disk: packed boxes, chunks, and what they depend on."""

from pathlib import Path

import numpy as np
import pytest
from quantize.data.soft_labels import Answers, Arrays, Chunk, packed, unpacked


def rows(count: int, start: int = 0) -> Arrays:
    return {"labels": np.arange(start, start + count, dtype=np.uint8), "scores": np.full(count, 0.5, np.float16)}


def test_boxes_come_back_to_a_hundredth_of_a_pixel() -> None:
    rects = np.array([[0.1, 0.25, 0.5, 1.0], [-0.2, 0.0, 1.3, 0.7]], np.float32)
    assert unpacked(packed(rects)) == pytest.approx(np.clip(rects, 0, 1), abs=1e-5)
    assert packed(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_a_chunk_gives_each_picture_its_rows_back(tmp_path: Path) -> None:
    answers = Answers(tmp_path, "picodet")
    answers.begin({"version": "1", "names": ["cat", "dog"]})
    answers.keep("train-000", 0, Chunk.of(["a", "b", "c"], [rows(2), rows(0), rows(1, 5)]))
    answers.keep("train-001", 3, Chunk.of(["d"], [rows(1, 9)]))
    found = dict(answers.pictures())
    assert list(found) == ["a", "b", "c", "d"]
    assert [found[key]["labels"].tolist() for key in found] == [[0, 1], [], [5], [9]]
    assert found["c"]["scores"].dtype == np.float16
    assert answers.names() == ["cat", "dog"]


def test_answers_of_another_teacher_are_not_mixed_in(tmp_path: Path) -> None:
    answers = Answers(tmp_path, "labeler")
    answers.begin({"version": "1", "chunk": 4})
    answers.begin({"version": "1", "chunk": 4})
    with pytest.raises(ValueError, match=r"labeler/teacher\.json: version is '1', expected '2'; remove .*labeler to ask anew"):
        answers.begin({"version": "2", "chunk": 4})
