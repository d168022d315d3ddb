"""Two processes under gloo do what one with twice the batch does."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from quantize.settings.board import BoardRecipe
from quantize.tests.processes import SETTINGS, WAYS, work
from quantize.tests.test_loop import apart, same, weights
from quantize.tests.toy import Toy
from quantize.training.distributed import gather
from quantize.training.loop import run
from torch.multiprocessing.spawn import spawn


@pytest.fixture(scope="module")
def results(recipe: BoardRecipe, workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that two processes filled."""
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(work, (port, folder, workplace / f"{recipe.name}.toml"), nprocs=2)  # type: ignore[no-untyped-call]
    return folder


def test_gathered_rows_and_their_gradient(results: Path) -> None:
    found = torch.load(results / "gathered.pt", weights_only=True)
    rows = torch.arange(6, dtype=torch.float64).reshape(3, 2)
    weight = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
    every = rows * weight
    (gradient,) = torch.autograd.grad((every @ every.T).square().sum(), weight)
    assert torch.equal(found["rows"], every.detach())
    assert torch.allclose(found["gradient"], gradient)
    assert found["flags"].tolist() == [False, True, True]


def test_one_process_gathers_nothing() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    assert gather(x) is x


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ragged", [False, True])
def test_two_processes_are_one_with_twice_the_batch(way: str, ragged: bool, results: Path, tmp_path: Path) -> None:
    """Contrastive terms over all pairs of both, also where processes have different numbers of them, or none."""
    alone = weights(run(Toy(8, ragged=ragged), SETTINGS, tmp_path / "alone"))
    assert apart(alone, weights(results / (f"{way}-ragged" if ragged else way) / "model.pt")) < 1e-6
    half = weights(run(Toy(4, ragged=ragged), SETTINGS, tmp_path / "half"))
    assert apart(alone, half) > 1e-3


@pytest.mark.parametrize("way", WAYS)
def test_two_accumulating_processes_are_one_with_four_times_the_batch(way: str, results: Path, tmp_path: Path) -> None:
    alone = weights(run(Toy(16, contrastive=False), SETTINGS, tmp_path))
    assert apart(alone, weights(results / f"{way}-accumulated/model.pt")) < 1e-6


@pytest.mark.parametrize("way", WAYS)
def test_two_processes_resume_with_the_same_bits(way: str, results: Path) -> None:
    unbroken, broken = (weights(results / f"{way}-{name}/model.pt") for name in ("unbroken", "broken"))
    assert same(unbroken, broken)


@pytest.mark.parametrize("way", WAYS)
def test_one_process_goes_on_from_a_checkpoint_of_two(way: str, results: Path, tmp_path: Path) -> None:
    checkpoint = results / f"{way}-broken/checkpoints/step-00000004.pt"
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/step-00000004.pt").write_bytes(checkpoint.read_bytes())
    found = weights(run(Toy(8), replace(SETTINGS, steps=4, ema=0.5), tmp_path))
    state = torch.load(checkpoint, weights_only=True)
    assert all(torch.equal(found[k], t) for k, t in state["average"]["average"].items())
    assert len(state["random"]) == 2


@pytest.mark.parametrize("way", WAYS)
def test_the_process_with_the_bad_loss_says_so(way: str, results: Path) -> None:
    folder = results / f"{way}-faulty"
    assert (folder / "said-0.txt").read_text() == "another process's loss is not finite at step 2"
    assert (folder / "said-1.txt").read_text().startswith("loss is nan at step 2 (near=nan pairs=")
    assert [p.name for p in folder.glob("bad-batch*")] == ["bad-batch-1.pt"]
    assert not (folder / "model.pt").exists()


@pytest.mark.parametrize("kind", ["board", "live"])
def test_the_board_model_trains_on_two_processes(kind: str, results: Path) -> None:
    """Its heads hold scalars, which FSDP does not split; both ways end at the same weights."""
    copies, parts = (weights(results / f"{kind}-{way}/model.pt") for way in WAYS)
    assert ("trunk.backbone.classifier.weight" in copies) == (kind == "live")
    assert all(t.isfinite().all() for t in copies.values())
    assert apart(copies, parts) < 1e-3
