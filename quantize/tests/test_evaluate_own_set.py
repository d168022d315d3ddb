"""Anybody's labelled pictures are measured by what their labels are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quantize.evaluate.__main__ import is_own
from quantize.evaluate.datasets.files import DatasetError
from quantize.evaluate.on_dataset import Models
from quantize.evaluate.own_set import measured, run
from quantize.evaluate.predictor import Detections
from quantize.evaluate.protocols.outcome import Settings
from quantize.labels.recognise import read
from quantize.tests import label_forms
from quantize.tests.label_forms import draw, text

NONE = Models(Path("absent"), None, Path("absent"), None)


class Oracle:
    """Finds in each picture the boxes that it is told, and embeds texts and pictures by number."""

    def __init__(self, found: list[Detections]) -> None:
        self.found = found

    def detect(self, pictures, names, threshold, top):  # type: ignore[no-untyped-def]
        for _, found in zip(pictures, self.found, strict=True):
            yield found

    def embed_texts(self, texts):  # type: ignore[no-untyped-def]
        return np.eye(8, dtype=np.float32)[[hash_of(t) for t in texts]]

    def embed_images(self, pictures):  # type: ignore[no-untyped-def]
        return np.eye(8, dtype=np.float32)[[0 for _ in pictures]]

    def embed_regions(self, pictures):  # type: ignore[no-untyped-def]
        for _, boxes in pictures:
            yield np.eye(8, dtype=np.float32)[[hash_of("mug")] * len(boxes)]


def hash_of(text: str) -> int:
    return {"mug": 0, "oak table": 1}.get(text, 2)


def test_boxes_of_a_shard(tmp_path: Path) -> None:
    data = read(label_forms.shards(tmp_path / "mine"))
    paths = []
    for i, picture in enumerate(data.pictures):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(picture.picture()).save(paths[-1])
    right = [
        Detections(np.array([rect for _, rect in label_forms.PIXELS[key]], np.float32),
                   np.array([label_forms.NAMES.index(name) for name, _ in label_forms.PIXELS[key]]),
                   np.full(len(label_forms.PIXELS[key]), 0.9, np.float32))
        for key in "ab"
    ]  # fmt: skip
    found = measured(Oracle(right), data.pictures, paths, Settings(replicates=0))  # type: ignore[arg-type]
    assert found.metrics["boxes: AP50"].value == pytest.approx(1.0)
    assert found.metrics["boxes: top-1"].value == pytest.approx(2 / 3)  # the table is called a mug
    assert found.counts == {"pictures": 2, "boxes": 3}


def test_names_and_captions(tmp_path: Path) -> None:
    for name in ("mug", "oak table"):
        draw(tmp_path / name, "a")
    data = read(tmp_path)
    paths = [p.content.path for p in data.pictures]
    found = measured(Oracle([]), data.pictures, paths, Settings(replicates=0))  # type: ignore[arg-type]
    assert found.metrics["names of pictures: top-1"].value == 0.5
    assert found.counts == {"pictures": 2, "classes": 2}


def test_what_cannot_be_measured_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(tmp_path, "a")
    with pytest.raises(DatasetError, match="found pictures alone, expected boxes, names or captions of them"):
        run(tmp_path, None, ["onnx"], NONE, Settings(), None)
    assert capsys.readouterr().err == f"evaluate: {tmp_path}: pictures alone: 1 picture\n"
    text(tmp_path / "a.txt", label_forms.yolo_lines("a"))
    with pytest.raises(DatasetError, match="YOLO labels without names"):
        run(tmp_path, None, ["onnx"], NONE, Settings(), None)


def test_the_validation_shard_is_not_ones_own(tmp_path: Path) -> None:
    (tmp_path / "val.tar").touch()
    assert is_own(tmp_path / "val.tar")
    assert not is_own(tmp_path / "absent.tar")
    (tmp_path / "heldout_names.txt").touch()
    assert not is_own(tmp_path / "val.tar")
