"""Which loss sees which point with which target: the losses' arguments are noted and compared with the supervision."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from quantize import losses
from quantize.board import objective
from quantize.board.batches import CachedPoints
from quantize.board.objective import Step, all_losses, anchor_losses, image_losses, pixel_losses, region_losses, weighted, words
from quantize.board.points import Points
from quantize.board.supervision import Supervision, load_supervision
from quantize.model.edgeclip import EdgeClip
from quantize.model.trunk import load_trunk
from quantize.settings.board import BoardRecipe
from torch import Tensor

Calls = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def supervision(recipe: BoardRecipe) -> Supervision:
    return load_supervision(recipe)


@pytest.fixture(scope="module")
def model(recipe: BoardRecipe) -> EdgeClip:
    torch.manual_seed(0)
    return EdgeClip(load_trunk(recipe.model), recipe.model.dim, recipe.model.hidden, 0.0).eval()


@pytest.fixture(scope="module")
def batch(recipe: BoardRecipe, supervision: Supervision) -> Points:
    return CachedPoints(recipe, supervision).batch(torch.Generator().manual_seed(3))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """Arguments of every loss, by the loss's name."""
    seen: Calls = {}

    def noted(name: str, original: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def loss(*arguments: Any) -> Tensor:
            seen.setdefault(name, []).append(arguments)
            return original(*arguments)

        return loss

    for name in ("info_nce", "names_cross_entropy", "multi_tag", "soft_names", "objectness", "distance_bins"):
        monkeypatch.setattr(losses, name, noted(name, getattr(losses, name)))
    return iter([seen])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@pytest.fixture
def step(model: EdgeClip, supervision: Supervision) -> Step:
    with torch.no_grad():
        texts = words(model, supervision, torch.Generator().manual_seed(0))
    return Step(model, supervision, texts, generator())


def check_whole(seen: Calls, samples: list[int], model: EdgeClip, s: Supervision) -> None:
    """Captions, labels and tags are those of the samples, in order."""
    captioned = [i for i in samples if s.captions[i]]
    _, t, _ = seen["info_nce"][0]
    assert len(t) == len(captioned)
    for row, i in zip(t, captioned, strict=True):
        own = model.projection(s.texts.vectors[s.captions[i]])
        assert (own - row).abs().amax(1).min() < 1e-4
    target = seen["names_cross_entropy"][0][2]
    labelled = [i for i in samples if s.labels[i]]
    assert all(t in s.labels[i] for t, i in zip(target.tolist(), labelled, strict=True))
    hot = seen["multi_tag"][0][2]
    assert [row.nonzero().squeeze(1).tolist() for row in hot] == [sorted(s.tags[i]) for i in samples]


def test_pictures(calls: Iterator[Calls], step: Step, batch: Points) -> None:
    image_losses(step, batch)
    seen, s, samples = next(calls), step.supervision, batch.image_sample.tolist()
    check_whole(seen, samples, step.model, s)
    (_, names, probability, _) = seen["soft_names"][0]
    assert names is step.words.classes
    assert torch.equal(probability, torch.stack([s.soft[s.first_soft[i]] for i in samples]).float())


def test_regions(calls: Iterator[Calls], step: Step, batch: Points) -> None:
    region_losses(step, batch)
    seen, s = next(calls), step.supervision
    check_whole(seen, [i for i in batch.region_sample.tolist() if i >= 0], step.model, s)
    rows = list(zip(batch.region_owner.tolist(), batch.region_box.tolist(), batch.region_name.tolist(), strict=True))
    _, _, target, _, _, weight = seen["names_cross_entropy"][1]
    boxed = [(owner, box, name) for owner, box, name in rows if name >= 0]
    assert target.tolist() == [s.box_names[owner][box] for owner, box, _ in boxed]
    assert weight.tolist() == pytest.approx([0.8 if owner % 4 == 3 else 1.0 for owner, _, _ in boxed], abs=1e-3)
    # the classifier looked at the whole picture, then at its boxes
    probability = seen["soft_names"][0][2]
    assert torch.equal(probability, torch.stack([s.soft[s.first_soft[owner] + 1 + box] for owner, box, _ in rows]).float())


def test_pixels(calls: Iterator[Calls], step: Step, batch: Points) -> None:
    pixel_losses(step, batch)
    seen, named = next(calls), batch.pixel_name >= 0
    assert torch.equal(seen["names_cross_entropy"][0][2], batch.pixel_name[named])
    probability = seen["soft_names"][0][2]
    assert len(probability) == (~named).sum()
    assert probability.sum(1).detach().numpy() == pytest.approx(1, abs=1e-3)
    assert not probability.requires_grad


def test_anchors(calls: Iterator[Calls], model: EdgeClip, batch: Points) -> None:
    anchor_losses(model, batch)
    seen = next(calls)
    levels = batch.anchor_level.unique().tolist()  # type: ignore[no-untyped-call]
    assert len(levels) == 3
    for level, (logit, target) in zip(levels, seen["objectness"], strict=True):
        here = batch.anchor_level == level
        assert torch.equal(target, batch.anchor_target[here].float())
        assert torch.equal(logit, model.anchor(batch.anchor[here].float(), level)[0])
    distances = torch.cat([d for _, d in seen["distance_bins"]])
    assert not distances.isnan().any()
    assert len(distances) == (~batch.anchor_distance.isnan().any(1)).sum()


def test_every_loss_has_its_weight(model: EdgeClip, batch: Points, supervision: Supervision) -> None:
    found = all_losses(model, batch, supervision, generator())
    for name, value in weighted(found).items():
        assert value.item() == pytest.approx(objective.WEIGHTS[name] * found[name].item(), rel=1e-5), name
    assert set(found) <= set(objective.WEIGHTS)
