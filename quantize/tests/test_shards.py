"""Shards: what a sample becomes, and what happens to bad ones."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from quantize.data.shards import Shards, plain_name
from quantize.tests.synthetic import jpeg, png, write_shard

PICTURE = np.full((20, 30, 3), 90, np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
META: dict[str, Any] = {"source": "made", "label": "mug"}


def read(path: Path, caplog: pytest.LogCaptureFixture) -> tuple[Shards, list[str]]:
    """All good samples' keys; `bad` is counted by the time they are read."""
    caplog.set_level(logging.WARNING)
    shards = Shards([path])
    return shards, [s.key for s in shards]


def with_box(box: list[float]) -> dict[str, Any]:
    return META | {"boxes": [{"box": box, "name": "mug"}]}


BAD: dict[str, tuple[dict[str, bytes], str]] = {
    "broken picture": ({"jpg": b"no picture", "json": json.dumps(META).encode()}, "cannot identify image"),
    "empty picture": ({"jpg": b"", "json": json.dumps(META).encode()}, "cannot identify image"),
    "cut picture": ({"jpg": jpeg(NOISE)[:-800], "json": json.dumps(META).encode()}, "truncated"),
    "broken JSON": ({"jpg": jpeg(PICTURE), "json": b'{"source": '}, "Expecting value"),
    "JSON of another kind": ({"jpg": jpeg(PICTURE), "json": b"[1, 2]"}, "json: found a list, expected a table"),
    "no JSON": ({"jpg": jpeg(PICTURE)}, "found parts ['jpg'], expected jpg and json"),
    "no picture": ({"json": json.dumps(META).encode()}, "found parts ['json'], expected jpg and json"),
    "inverted box": ({"jpg": jpeg(PICTURE), "json": json.dumps(with_box([0.6, 0.1, 0.2, 0.9])).encode()}, "expected x0 < x1"),
    "box outside": ({"jpg": jpeg(PICTURE), "json": json.dumps(with_box([1.2, 0.1, 1.4, 0.9])).encode()}, "of 'mug' is empty"),
    "short box": ({"jpg": jpeg(PICTURE), "json": json.dumps(with_box([0.1, 0.2])).encode()}, "expected 4"),
    "coloured mask": (
        {"jpg": jpeg(PICTURE), "json": json.dumps(META | {"mask_names": ["a"]}).encode(), "mask.png": png(PICTURE)},
        "mask has shape (20, 30, 3)",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_sample_is_named_counted_and_passed_over(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    parts, reason = BAD[kind]
    good = {"jpg": jpeg(PICTURE), "json": json.dumps(META).encode()}
    path = write_shard(tmp_path / "some-000.tar", {"before": good, "culprit": parts, "after": good})
    shards, keys = read(path, caplog)
    assert keys == ["before", "after"]
    assert shards.bad == 1
    (record,) = caplog.records
    message = record.getMessage()
    assert "some-000.tar" in message
    assert "culprit" in message
    assert reason in message
    assert "\n" not in message


def test_a_cut_off_shard_gives_what_it_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good = {"jpg": jpeg(PICTURE), "json": json.dumps(META).encode()}
    path = write_shard(tmp_path / "cut.tar", {f"k{i}": good for i in range(8)})
    path.write_bytes(path.read_bytes()[:7000])
    shards, keys = read(path, caplog)
    assert keys[:2] == ["k0", "k1"]
    assert len(keys) < 8
    assert shards.bad >= 1
    assert "cut.tar" in caplog.text


def test_a_missing_shard_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"shard .*absent\.tar is missing; expected a WebDataset"):
        Shards([tmp_path / "absent.tar"])


def test_everything_a_sample_can_carry(tmp_path: Path) -> None:
    meta = {
        "source": "made",
        "captions": ["A mug.", " "],
        "qa": [{"question": "What is this?", "answer": "a mug"}],
        "label": "mug",
        "coarse": "crockery",
        "boxes": [{"box": [0.1, 0.1, 0.3, 0.3], "name": "spoon"}, {"box": [-0.1, 0.0, 0.9, 1.2], "name": "mug"}],
        "pseudo_boxes": [{"box": [0.0, 0.0, 1.0, 1.0], "name": "cup", "score": 0.9}],
        "mask_names": ["null", "mug"],
    }
    mask = np.eye(20, 30, dtype=np.uint8)
    parts = {"jpg": jpeg(PICTURE), "json": json.dumps(meta).encode(), "mask.png": png(mask)}
    (sample,) = Shards([write_shard(tmp_path / "a.tar", {"k": parts})])
    assert (sample.key, sample.source, sample.picture.shape) == ("k", "made", (20, 30, 3))
    assert sample.captions == ["A mug.", "What is this? a mug"]
    assert sample.labels == ["mug", "crockery"]
    assert [(b.name, b.rect, b.score) for b in sample.boxes] == [  # largest first, clipped; pseudo-boxes only without people's
        ("mug", (0.0, 0.0, 0.9, 1.0), 1.0),
        ("spoon", (0.1, 0.1, 0.3, 0.3), 1.0),
    ]
    assert sample.mask is not None
    assert (sample.mask == mask).all()
    assert sample.mask_names == ["null", "mug"]


def test_unsure_pseudo_boxes_are_left_out(tmp_path: Path) -> None:
    pseudo = [{"box": [0, 0, 0.5, 0.5], "name": "cup", "score": s} for s in (0.49, 0.5, 0.8)]
    parts = {"jpg": jpeg(PICTURE), "json": json.dumps({"pseudo_boxes": pseudo}).encode()}
    (sample,) = Shards([write_shard(tmp_path / "a.tar", {"k": parts})])
    assert [b.score for b in sample.boxes] == [0.5, 0.8]


def test_panoptic_colours_are_ids(tmp_path: Path) -> None:
    first, second = 70 + 256 * 3 + 65536 * 2, 9
    colours = np.zeros((4, 6, 3), np.uint8)
    colours[:, :2] = (70, 3, 2)
    colours[:2, 3:] = (9, 0, 0)
    colours[2:, 3:] = (8, 0, 0)
    segments = [{"id": first, "name": "grass-merged"}, {"id": second, "name": "cat"}, {"id": 8, "name": "cat"}]
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG")
    parts = {"jpg": jpeg(PICTURE), "json": json.dumps({"segments": segments}).encode(), "panoptic.png": buffer.getvalue()}
    (sample,) = Shards([write_shard(tmp_path / "a.tar", {"k": parts})])
    assert sample.mask_names == ["unlabelled", "grass", "cat"]
    assert sample.mask is not None
    assert sample.mask.tolist() == [[1, 1, 0, 2, 2, 2]] * 4


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("grass-merged", "grass"),
        ("wall-other-merged", "wall"),
        ("water-other", "water"),
        ("floor-wood", "floor wood"),
        ("cat", "cat"),
    ],
)
def test_plain_name(name: str, plain: str) -> None:
    assert plain_name(name) == plain
