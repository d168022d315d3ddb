"""A RegionClip with random weights as a predictor."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from quantize.evaluate.predictor import CheckpointError
from quantize.evaluate.region_clip import RegionClipPredictor
from quantize.model.region_clip import RegionClip
from quantize.model.text import TEMPLATES
from quantize.settings.model import ModelSettings
from quantize.tests.public_sets import paint

PICTURES = [paint(90, 60, "white", ((10, 10, 50, 50), "red")), paint(40, 64, "blue"), paint(64, 64, "green")]
BOXES = [
    np.array([[10, 10, 50, 50], [0, 0, 90, 60]], np.float32),
    np.zeros((0, 4), np.float32),
    np.array([[1, 2, 9, 9]], np.float32),
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As training leaves it."""
    torch.manual_seed(0)
    settings = ModelSettings(encoder="timm:resnet10t", text="minilm", dim=32, size=64, prompter_width=32, head_width=16)
    path = tmp_path_factory.mktemp("region-clip") / "model.pt"
    weights = {f"model.{name}": value for name, value in RegionClip(settings).state_dict().items()}
    torch.save({"recipe": {"name": "tiny", "model": asdict(settings)}, "weights": weights}, path)
    return path


@pytest.fixture(scope="module")
def predictor(checkpoint: Path) -> RegionClipPredictor:
    return RegionClipPredictor(checkpoint)


def test_embeddings_have_unit_norm_and_come_in_order(predictor: RegionClipPredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    images = predictor.embed_images(PICTURES)
    assert np.linalg.norm(images, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    regions = list(predictor.embed_regions(zip(PICTURES, BOXES, strict=True)))
    assert [each.shape for each in regions] == [(2, 32), (0, 32), (1, 32)]
    dense = list(predictor.dense(PICTURES))
    assert dense[0].content == pytest.approx([0, 1 / 6, 1, 5 / 6], abs=0.02)
    assert np.linalg.norm(dense[2].embeddings, axis=0) == pytest.approx(np.ones(dense[2].embeddings.shape[1:]), abs=1e-5)
    monkeypatch.setattr("quantize.evaluate.region_clip.BATCH", 2)
    assert predictor.embed_images(iter(PICTURES)) == pytest.approx(images, abs=1e-5)
    again = list(predictor.embed_regions(zip(PICTURES, BOXES, strict=True)))
    assert np.concatenate(again) == pytest.approx(np.concatenate(regions), abs=1e-5)


def test_texts_go_through_the_templates(predictor: RegionClipPredictor) -> None:
    found = predictor.embed_texts(["cat", "dog"])
    with torch.no_grad():
        forms = torch.stack([predictor.model.text([form.replace("{}", "dog")])[0] for form in TEMPLATES]).mean(0)
    assert found[1] == pytest.approx((forms / forms.norm()).numpy(), abs=1e-5)
    tags = predictor.tag_scores(PICTURES, ["cat", "dog"])
    cosines = predictor.embed_images(PICTURES) @ found.T
    assert tags == pytest.approx(1 / (1 + np.exp(2.5 - 10 * cosines)), abs=1e-5)


def test_detections_lie_in_their_picture_best_first(predictor: RegionClipPredictor) -> None:
    found = list(predictor.detect(PICTURES, ["cat", "dog", "bus"], 0.0, 2))
    every = list(predictor.detect(PICTURES, ["cat", "dog", "bus"], 0.0, None))
    for some, most, picture in zip(found, every, PICTURES, strict=True):
        assert 2 == len(some.scores) < len(most.scores)
        assert (some.scores == most.scores[:2]).all()
        assert most.masks
        assert most.masks.of.shape == most.labels.shape
        assert most.masks.of.max() < len(most.masks.logits)
        assert (np.diff(most.scores) <= 0).all()
        assert (most.boxes[:, :2] < most.boxes[:, 2:]).all()
        assert (most.boxes.min(axis=0) >= 0).all()
        assert (most.boxes[:, 2:] <= np.array(picture.shape[1::-1]) + 1e-3).all()


def test_other_files_are_one_line(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.pt: no such file, expected the model\.pt of a RegionClip \(--checkpoint\)"):
        RegionClipPredictor(tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("no checkpoint")
    torch.save({"recipe": {}}, tmp_path / "other.pt")
    saved = torch.load(checkpoint)
    saved["weights"].popitem()
    torch.save(saved, tmp_path / "part.pt")
    for name in ("text.pt", "other.pt", "part.pt"):
        with pytest.raises(CheckpointError, match=rf"{name}: .*\(--checkpoint\)") as caught:
            RegionClipPredictor(tmp_path / name)
        assert "\n" not in str(caught.value)
    cached = ModelSettings(encoder="cached:8:8", text="minilm", dim=16, prompter_width=16)
    torch.save({"recipe": {"model": asdict(cached)}, "weights": RegionClip(cached).state_dict()}, tmp_path / "cached.pt")
    with pytest.raises(CheckpointError, match=r"found a model over cached features"):
        RegionClipPredictor(tmp_path / "cached.pt")
