"""Distillation on coloured shapes, from small RegionClips with random weights: what is stored, and what is taken over."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from quantize import distil as distil_step
from quantize import reinforce as reinforce_step
from quantize.data import canvas as cv
from quantize.data.indexed import IndexedShards
from quantize.distil import distil
from quantize.distillation.canvases import collate, placement, resized, show
from quantize.distillation.objective import Targets, row_weights, terms
from quantize.distillation.store import Stored, folder_of, identity
from quantize.distillation.student import StudentOutputs
from quantize.distillation.task import Batch, Distil
from quantize.distillation.teacher import Teacher, ask, load_teacher
from quantize.export import steps as exporter
from quantize.model.region_clip import RegionClip
from quantize.reinforce import reinforce
from quantize.settings.board import BoardRecipe
from quantize.settings.distil import LOSSES, DistilSettings
from quantize.settings.model import ModelSettings
from quantize.tests.synthetic import changed, write_shard
from quantize.tests.test_train import weights
from torch import Tensor, nn

DIM = 16
GRID = 3


def write_teacher(folder: Path, teachers: Path, seed: int, size: int) -> Path:
    """The checkpoint of an untrained RegionClip."""
    torch.manual_seed(seed)
    settings = ModelSettings(teachers=str(teachers), size=size, dim=DIM, prompter_width=16, head_width=8, tune_image="frozen")
    model = RegionClip(settings)
    state = {f"model.{k}": t for k, t in model.state_dict().items()}
    folder.mkdir()
    torch.save({"recipe": {"model": asdict(settings)}, "weights": state}, folder / "model.pt")
    return folder / "model.pt"


@pytest.fixture(scope="module", autouse=True)
def _texts_are_encoded_once() -> Iterator[None]:
    """Every teacher here has the same frozen text tower."""
    known: dict[tuple[str, ...], Tensor] = {}
    original = RegionClip.text_vectors

    def remembered(self: RegionClip, texts: list[str]) -> Tensor:
        if tuple(texts) not in known:
            known[tuple(texts)] = original(self, texts)
        return known[tuple(texts)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RegionClip, "text_vectors", remembered)
        yield


@pytest.fixture(scope="module")
def taught(recipe: BoardRecipe, workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> BoardRecipe:
    """A recipe with two teachers, one of which takes smaller pictures than the student."""
    folder = tmp_path_factory.mktemp("distil")
    paths = [
        write_teacher(folder / name, workplace / "teachers", i, size) for i, (name, size) in enumerate((("a", 64), ("b", 32)))
    ]
    settings = DistilSettings(teachers={str(paths[0]): 2.0, str(paths[1]): 1.0}, views=2, regions=2, grid=GRID, names=40)
    loop: dict[str, object] = {"precision": "float32", "ema": 0.8, "steps": 12, "warmup": 2}
    return changed(recipe, distil=settings, out=str(folder / "student"), workers=1, **loop)


@pytest.fixture(scope="module")
def stored(taught: BoardRecipe, tmp_path_factory: pytest.TempPathFactory) -> BoardRecipe:
    """The same with the teachers' outputs on disk."""
    found = changed(taught, distil=replace(taught.distil, stored=str(tmp_path_factory.mktemp("stored"))))
    reinforce(found)
    return found


def samples_of(recipe: BoardRecipe) -> IndexedShards:
    return IndexedShards([Path(p) for p in recipe.data.shards], Path(recipe.data.cache))


def test_views_are_replayed(recipe: BoardRecipe) -> None:
    sample = samples_of(recipe)[5]
    assert placement(sample, 0, 64, 0) == cv.plain(sample.picture, 64)
    first, again, other, reseeded = (placement(sample, *v) for v in ((1, 64, 0), (1, 64, 0), (2, 64, 0), (1, 64, 1)))
    assert first == again
    assert first not in (other, reseeded)
    assert np.array_equal(show(sample, 1, 64, 0, recipe.distil).pixels, show(sample, 1, 64, 0, recipe.distil).pixels)


def test_a_smaller_canvas_shows_the_same() -> None:
    placed = cv.Placement((0.0, 0.0, 1.0, 1.0), (8, 0, 56, 64))
    assert resized(placed, 64, 32).target == (4, 0, 28, 32)
    assert resized(replace(placed, target=(63, 0, 64, 64)), 64, 2).target == (1, 0, 2, 2)


def test_a_batch_holds_boxes_and_cells(taught: BoardRecipe) -> None:
    samples = samples_of(taught)
    views = [show(samples[i], 0, 64, 0, taught.distil, [32]) for i in (0, 1)]
    views[1] = replace(views[1], placed=replace(views[1].placed, target=(0, 0, 64, 32)))
    batch = collate(3, [7, 8], views, GRID)
    assert [len(v.boxes) for v in views] == [1, 2]  # the first picture has no box
    assert batch.owner.tolist() == [0, 1, 1]
    assert batch.content[1].tolist() == [0, 0, 64, 32]
    assert batch.cells.tolist() == [*range(9), 9, 10, 11]  # the second shows its upper half
    assert batch.points[1].tolist() == pytest.approx([32, 64 / 6])
    assert batch.points[3].tolist() == pytest.approx([64 / 6, 32])
    assert batch.at(32).shape == (2, 32, 32, 3)
    assert batch.at(64) is batch.pixels


def test_what_is_stored_is_what_the_teacher_says(stored: BoardRecipe) -> None:
    samples, d = samples_of(stored), stored.distil
    names = json.loads((Path(stored.data.cache) / "names.json").read_text())
    for path in d.teachers:
        folder = folder_of(path, d)
        known = Stored.open(folder, identity(path, stored.model.size, stored.seed, d, names), samples, "cpu")
        teacher = load_teacher(Path(path), names, "cpu")
        assert known.scales == teacher.scales
        assert torch.equal(known.names, teacher.names)
        assert torch.allclose(known.names.float().norm(dim=1), torch.ones(len(names)), atol=1e-2)
        rows, chosen = [9, 0, 31], [1, 0, 1]
        views = [
            show(samples[i], k, stored.model.size, stored.seed, d, [teacher.size]) for i, k in zip(rows, chosen, strict=True)
        ]
        said, recalled = ask(teacher, collate(0, rows, views, GRID), GRID, "cpu"), known.recall(rows, chosen)
        assert recalled.image.dtype == torch.half
        for kind in ("image", "region", "dense"):
            a, b = getattr(said, kind), getattr(recalled, kind)
            assert a.shape == b.shape
            assert torch.allclose(a.float(), b.float(), atol=2e-3), kind
        assert recalled.dense.shape == (3, GRID * GRID, DIM)


def test_teachers_are_asked_once(stored: BoardRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantize.reinforce.ask_shard", lambda *_: pytest.fail("asked again"))
    reinforce(stored)


def loss_terms(task: Distil, batch: Batch) -> dict[str, float]:
    task.modules.eval()
    torch.manual_seed(0)
    with torch.no_grad():
        return {name: value.item() for name, value in task.losses(batch).items()}


def test_stored_and_asked_give_the_same_losses(taught: BoardRecipe, stored: BoardRecipe) -> None:
    asked, recalled = Distil(taught), Distil(stored)
    assert all(isinstance(known, Teacher) for known in asked.known)
    assert all(isinstance(known, Stored) for known in recalled.known)
    for number in (0, 3):
        first, second = (next(task.batches(number)) for task in (asked, recalled))
        assert first.canvases.rows == second.canvases.rows
        expected = loss_terms(asked, first)
        assert set(LOSSES) < set(expected)
        assert any(name.startswith("board_") for name in expected)
        assert loss_terms(recalled, second) == pytest.approx(expected, rel=2e-3, abs=1e-4)


def held_out(task: Distil) -> Batch:
    """All pictures that training never draws, as the board sees them."""
    rows = task.supervision.dev.nonzero().squeeze(1).tolist()
    assert len(rows) > 2
    return task.drawing.batch(0, rows, [0] * len(rows))


@pytest.mark.parametrize("frozen", [True, False])
def test_the_student_agrees_with_its_teachers_on_pictures_it_never_saw(frozen: bool, stored: BoardRecipe, tmp_path: Path) -> None:
    short = changed(stored, out=str(tmp_path), steps=40 if frozen else 8, frozen=frozen, learning_rate=0.01)
    short = changed(short, distil=replace(short.distil, supervised=0.0))
    path = distil(short)
    task = Distil(short)
    before = loss_terms(task, held_out(task))
    maps = {f"maps.{k}": t for k, t in torch.load(tmp_path / "maps.pt", weights_only=True).items()}
    task.modules.load_state_dict(weights(path) | maps)
    after = loss_terms(task, held_out(task))
    for name in ("image", "region", "pixel"):
        assert after[name] < 0.8 * before[name], name
    assert sum(after.values()) < 0.8 * sum(before.values())
    assert isinstance(exporter.load_trained(short), exporter.Trained)  # the maps are no part of the student


def test_terms_are_those_of_the_formulas() -> None:
    g = torch.Generator().manual_seed(0)

    def unit(*shape: int) -> Tensor:
        return F.normalize(torch.randn(*shape, generator=g, dtype=torch.double), dim=-1)

    seen = StudentOutputs(unit(4, 5), unit(6, 5), unit(7, 5))
    targets = [Targets(unit(4, d), unit(6, d), unit(7, d), unit(3, d), 9.0, 11.0) for d in (5, 8)]
    maps = nn.ModuleList([nn.Linear(5, d, bias=False, dtype=torch.double) for d in (5, 8)])
    settings = DistilSettings(teachers={"a": 3.0, "b": 1.0}, losses={"image": 2.0})
    names, scale = unit(3, 5), torch.tensor(7.0, dtype=torch.double)
    found = terms(seen, names, (scale, scale), targets, maps, settings)
    assert set(found) == set(LOSSES)
    cosine = [
        sum(F.cosine_similarity(m(v), w, dim=0).item() for v, w in zip(seen.image, target.image, strict=True)) / 4
        for m, target in zip(maps, targets, strict=True)
    ]
    assert found["image"].item() == pytest.approx(2.0 * (0.75 * (1 - cosine[0]) + 0.25 * (1 - cosine[1])), abs=1e-9)
    answers = 0.0
    for target, share in zip(targets, (0.75, 0.25), strict=True):
        for v, w in zip(seen.region, target.region, strict=True):
            mine, theirs = (7.0 * names @ v).softmax(0), (11.0 * target.names @ w).softmax(0)
            answers += share * sum(p * np.log(p / q) for p, q in zip(theirs.tolist(), mine.tolist(), strict=True)) / 6
    assert found["answers"].item() == pytest.approx(0.5 * answers, abs=1e-9)


def test_the_sure_teacher_counts_more() -> None:
    names = torch.eye(2)
    sure, unsure = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.7, 0.7]])
    targets = [Targets(v, v, v, names, 9.0, 9.0) for v in (sure, unsure)]
    even = torch.tensor([0.5, 0.5])
    found = {how: row_weights([sure, unsure], targets, [9.0, 9.0], even, how)[:, 0].tolist() for how in ("fixed", "certainty")}
    assert found["fixed"] == [0.5, 0.5]
    assert found["certainty"][0] > 0.6
    assert sum(found["certainty"]) == pytest.approx(1)


def test_pictures_that_cannot_be_read_are_passed_over(stored: BoardRecipe, workplace: Path, tmp_path: Path) -> None:
    record = json.dumps({"source": "plain", "captions": ["a box"]}).encode()
    write_shard(tmp_path / "bad.tar", {"x": {"jpg": b"no picture", "json": record}})
    more = changed(
        stored,
        shards=[str(tmp_path / "bad.tar"), *stored.data.shards],
        distil=replace(stored.distil, stored=str(tmp_path / "stored")),
    )
    reinforce(more)
    samples, path = samples_of(more), next(iter(more.distil.teachers))
    names = json.loads((Path(stored.data.cache) / "names.json").read_text())
    values = identity(path, stored.model.size, stored.seed, more.distil, names)
    known = Stored.open(folder_of(path, more.distil), values, samples, "cpu")
    folder = folder_of(path, stored.distil)
    before = Stored.open(folder, values, samples_of(stored), "cpu")
    assert torch.allclose(known.recall([1, 4], [0, 1]).region.float(), before.recall([0, 3], [0, 1]).region.float(), atol=2e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": 4}, r"teacher\.json: grid is 3, expected 4; remove .* to ask the teacher again"),
        ({"views": 1}, r"teacher\.json: views is 2, expected 1"),
    ],
)
def test_outputs_for_other_settings_are_refused(change: dict[str, int], message: str, stored: BoardRecipe) -> None:
    other = changed(stored, distil=replace(stored.distil, **change))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        Distil(other)


def test_what_is_missing_is_named(taught: BoardRecipe, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"found no distil\.teachers"):
        Distil(changed(taught, distil=DistilSettings()))
    with pytest.raises(FileNotFoundError, match=r"none/model\.pt: no such file, expected the model\.pt of a RegionClip"):
        Distil(changed(taught, distil=DistilSettings(teachers={str(tmp_path / "none/model.pt"): 1.0})))
    with pytest.raises(FileNotFoundError, match=r"teacher\.json is missing; run `python -m quantize\.reinforce`"):
        Distil(changed(taught, distil=replace(taught.distil, stored=str(tmp_path))))
    (tmp_path / "model.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match=r"model\.pt: found UnpicklingError: .*; expected the model\.pt of a RegionClip$"):
        Distil(changed(taught, distil=DistilSettings(teachers={str(tmp_path / "model.pt"): 1.0})))


@pytest.mark.parametrize("step", [distil_step, reinforce_step])
def test_a_recipe_without_teachers_ends_in_one_line(
    step: ModuleType, recipe: BoardRecipe, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [step.__name__, str(workplace / f"{recipe.name}.toml")])
    with pytest.raises(SystemExit) as ended:
        step.main()
    assert ended.value.code == 2
    assert "distil.teachers, expected" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"views": 0}, "views is 0, expected at least 1"),
        ({"weighting": "votes"}, "weighting is 'votes', expected one of fixed, certainty, agreement"),
        ({"losses": {"dog": 1.0}}, "losses has 'dog', expected some of image, region, pixel"),
        ({"teachers": {"a": 0.0}}, "teachers: weight of a is 0.0, expected more than 0"),
    ],
)
def test_settings_out_of_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        DistilSettings(**change)  # type: ignore[arg-type]
