"""Training end to end on coloured shapes: it learns, it reproduces, it resumes, it stops on nonsense."""

import json
from pathlib import Path

import pytest
import torch
from quantize import train as trainer
from quantize.board import task as board
from quantize.board.objective import WEIGHTS, all_losses, weighted
from quantize.board.points import Points
from quantize.export import steps as exporter
from quantize.features import fill_cache
from quantize.model.trunk import load_trunk
from quantize.settings.board import BoardRecipe, load_board_recipe
from quantize.tests.conftest import run_step
from quantize.tests.synthetic import changed, write_recipe
from safetensors.torch import load_file
from torch import Tensor


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """What every step's losses were."""
    seen: list[dict[str, float]] = []

    def noted(found: dict[str, Tensor]) -> dict[str, Tensor]:
        seen.append({k: v.item() for k, v in found.items()})
        return weighted(found)

    monkeypatch.setattr(board, "weighted", noted)
    return seen


def weights(path: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(path, weights_only=True)["weights"]
    return found


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_the_cache_holds_every_picture_in_every_view(recipe: BoardRecipe) -> None:
    cache = Path(recipe.data.cache)
    samples, names = (json.loads((cache / f"{n}.json").read_text()) for n in ("samples", "names"))
    assert len(samples) == 32
    assert samples[0]["key"] == "shape000"
    assert {"red ball", "cross", "tall house here"} <= set(names)
    soft = load_file(cache / "soft.safetensors")
    assert soft["first"][:3].tolist() == [0, 1, 3]  # the first picture has no box
    assert soft["probability"].float().sum(1).numpy() == pytest.approx(1, abs=0.01)
    for view in ("plain", "augmented"):
        points = Points(**load_file(cache / f"view-{view}-shapes.safetensors"))
        assert sorted(points.image_sample.tolist()) == list(range(32))
        assert points.region.isfinite().all()
        assert {names[i] for i in points.region_name[points.region_name >= 0].tolist()} == {"box", "ball", "cross"}
    mosaic = Points(**load_file(cache / "view-mosaic-shapes.safetensors"))
    assert len(mosaic.image) <= 1
    assert sorted(mosaic.region_owner[mosaic.region_box == -1].tolist()) == list(range(32))


def test_it_learns_what_can_be_learnt_by_heart(recipe: BoardRecipe, tmp_path: Path, losses: list[dict[str, float]]) -> None:
    trainer.train(changed(recipe, out=str(tmp_path), steps=60, trunk_learning_rate=0.01, batch_anchors=1500))
    assert len(losses) == 60
    assert set(losses[0]) == {name for name in WEIGHTS if "object_" not in name and "objects" not in name}  # there is no labeler

    def mean(name: str, steps: slice) -> float:
        found = [step[name] for step in losses[steps] if name in step]  # not every batch has boxes
        return sum(found) / len(found)

    for name in ("image_label", "region_name", "image_caption", "pixel_name", "image_tags", "objectness"):
        assert mean(name, slice(-5, None)) < 0.6 * mean(name, slice(0, 5)), name
    assert mean("box", slice(-5, None)) < 0.92 * mean("box", slice(0, 5))  # its floor is the spread between two bins


def test_the_same_seed_gives_the_same_weights_and_another_others(recipe: BoardRecipe, tmp_path: Path) -> None:
    short = changed(recipe, steps=6)
    found = [weights(trainer.train(changed(short, out=str(tmp_path / str(i)), seed=s))) for i, s in enumerate((0, 0, 1))]
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("frozen", [True, False])
def test_a_resumed_run_ends_where_an_unbroken_one_does(
    frozen: bool, recipe: BoardRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, every, cut = (16, 5, 12) if frozen else (4, 2, 3)
    short = changed(recipe, steps=steps, checkpoint_every=every, frozen=frozen)
    unbroken = weights(trainer.train(changed(short, out=str(tmp_path / "unbroken"))))
    calls = iter(range(100))

    def until_the_cut(*arguments: object) -> dict[str, Tensor]:
        if next(calls) == cut:
            raise PowerCut
        return all_losses(*arguments)  # type: ignore[arg-type]

    broken = changed(short, out=str(tmp_path / "broken"))
    with monkeypatch.context() as patch:
        patch.setattr(board, "all_losses", until_the_cut)
        with pytest.raises(PowerCut):
            trainer.train(broken)
    assert not (tmp_path / "broken/model.pt").exists()
    assert same(unbroken, weights(trainer.train(broken)))


def test_a_loss_that_is_not_finite_stops_the_run(recipe: BoardRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(100))

    def poisoned(*arguments: object) -> dict[str, Tensor]:
        found = all_losses(*arguments)  # type: ignore[arg-type]
        return found | {"box": found["box"] * float("nan")} if next(calls) == 3 else found

    monkeypatch.setattr(board, "all_losses", poisoned)
    with pytest.raises(SystemExit, match=r"loss is nan at step 3 \(.*box=nan.*\); the batch is in .*bad-batch\.pt"):
        trainer.train(changed(recipe, out=str(tmp_path)))
    saved = torch.load(tmp_path / "bad-batch.pt", weights_only=False)
    assert isinstance(saved, Points)
    assert len(saved.image) == recipe.data.batch_images
    assert not (tmp_path / "model.pt").exists()


def test_the_whole_network_trains_live(recipe: BoardRecipe, tmp_path: Path, losses: list[dict[str, float]]) -> None:
    live = changed(recipe, frozen=False, steps=3, warmup=1, views=[], out=str(tmp_path), trunk_learning_rate=1e-3)
    found = weights(trainer.train(live))
    assert len(losses) == 3
    start = load_trunk(recipe.model).state_dict()
    moved = {k for k, v in start.items() if not torch.equal(found[f"trunk.{k}"], v)}
    # all but the teacher's own answers (they are copied into the anchor head), the classifier and the unused stride 8
    still = {k for k in start if k not in moved}
    assert all(".out." in k or k.startswith("backbone.classifier") for k in still), still
    assert all(v.isfinite().all() for v in found.values())
    loaded = exporter.load_trained(live).trunk.state_dict()
    assert all(torch.equal(found[f"trunk.{k}"], v) for k, v in loaded.items())


def test_training_needs_the_cache(tmp_path: Path, workplace: Path) -> None:
    recipe = load_board_recipe(write_recipe(workplace, "uncached", cache=str(tmp_path / "none"), out=str(tmp_path / "out")))
    with pytest.raises(FileNotFoundError, match=r"samples\.json is missing; run `python -m quantize.features`"):
        trainer.train(recipe)


def test_a_cache_of_other_pictures_is_refused(recipe: BoardRecipe, tmp_path: Path, workplace: Path) -> None:
    cache = Path(recipe.data.cache)
    (tmp_path / "cache").mkdir()
    for path in cache.iterdir():
        (tmp_path / "cache" / path.name).symlink_to(path)
    samples = json.loads((cache / "samples.json").read_text())
    (tmp_path / "cache/samples.json").unlink()
    (tmp_path / "cache/samples.json").write_text(json.dumps(samples[::-1]))
    other = changed(recipe, cache=str(tmp_path / "cache"), out=str(tmp_path / "out"), frozen=False)
    with pytest.raises(SystemExit, match=r"samples\.json lists other pictures than the shards"):
        trainer.train(other)


def test_a_cache_of_other_names_is_not_overwritten(recipe: BoardRecipe, tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text('["something else"]')
    with pytest.raises(SystemExit, match=r"names\.json lists other names than these shards and tags give; remove .* to compute"):
        fill_cache(changed(recipe, cache=str(tmp_path)))
    assert json.loads((tmp_path / "names.json").read_text()) == ["something else"]


def test_a_missing_shard_ends_the_step_in_one_line(workplace: Path, tmp_path: Path) -> None:
    path = write_recipe(workplace, "shardless", shards=["absent.tar"], cache=str(tmp_path))
    done = run_step("quantize.features", str(path))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("shard absent.tar is missing; expected a WebDataset .tar (README.md, Train)")
    assert "Traceback" not in done.stderr
