"""The loop on one process: it resumes with the same bits, stops with reasons, accumulates, averages and tells what it does."""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from quantize.settings.loop import LoopSettings
from quantize.tests.toy import DIM, FEATURES, Block, Toy
from quantize.training import average, schedule, throughput
from quantize.training.blocks import compute_again, repeated
from quantize.training.checkpoint import BadCheckpoint
from quantize.training.loop import run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

SETTINGS = LoopSettings(steps=9, warmup=2, ema=0.9, precision="float32", checkpoint_every=4, log_every=2)


def weights(path: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(path, weights_only=True)["weights"]
    return found


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def apart(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    assert a.keys() == b.keys()
    return max((a[k] - b[k]).abs().max().item() for k in a)


class At(Toy):
    """Does something in the losses of one step."""

    def __init__(self, step: int, what: "type[BaseException] | BaseException | int | str", drop: float = 0.2) -> None:
        super().__init__(drop=drop)
        self.calls, self.step, self.what = 0, step, what

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        found = super().losses(batch)
        self.calls += 1
        if self.calls != self.step + 1:
            return found
        if isinstance(self.what, int):
            os.kill(os.getpid(), self.what)
        elif self.what == "nan":
            found["pairs"] = found["pairs"] * float("nan")
        elif self.what == "gradient":
            zero = next(self.modules["other"].parameters()).flatten()[0] * 0
            found["near"] = found["near"] + zero.abs().sqrt()
        else:
            raise self.what  # type: ignore[misc]
        return found


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("cut", [0, 3, 5, 8])
def test_a_resumed_run_ends_with_the_bits_of_an_unbroken_one(cut: int, tmp_path: Path) -> None:
    """The points make an epoch of six batches, so cuts are within and between epochs; dropout draws from the global generator."""
    unbroken = weights(run(Toy(drop=0.2), SETTINGS, tmp_path / "unbroken"))
    with pytest.raises(PowerCut):
        run(At(cut, PowerCut()), SETTINGS, tmp_path / "broken")
    assert not (tmp_path / "broken/model.pt").exists()
    torch.rand(3)  # another process's generators are elsewhere
    assert same(unbroken, weights(run(Toy(drop=0.2), SETTINGS, tmp_path / "broken")))


def test_other_seeds_end_elsewhere(tmp_path: Path) -> None:
    first, second = (weights(run(Toy(drop=0.2), replace(SETTINGS, seed=s), tmp_path / str(s))) for s in (0, 1))
    assert not same(first, second)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_a_checkpoint_and_ends(number: int, tmp_path: Path) -> None:
    unbroken = weights(run(Toy(drop=0.2), SETTINGS, tmp_path / "unbroken"))
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stopped:
        run(At(2, number), SETTINGS, tmp_path / "broken")
    assert stopped.value.code == 128 + number
    assert signal.getsignal(number) is before
    assert [p.name for p in (tmp_path / "broken/checkpoints").iterdir()] == ["step-00000003.pt"]
    assert same(unbroken, weights(run(Toy(drop=0.2), SETTINGS, tmp_path / "broken")))


def test_a_loss_that_is_not_finite_is_named_and_its_batch_saved(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^loss is nan at step 3 \(near=\d\.\d+ pairs=nan\); the batch is in .*bad-batch\.pt$"):
        run(At(3, "nan"), SETTINGS, tmp_path)
    loader = Toy().batches(3)
    assert torch.equal(torch.load(tmp_path / "bad-batch.pt"), next(loader))
    assert not (tmp_path / "model.pt").exists()


def test_a_gradient_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^the gradient's norm is nan at step 3 \(near=.* pairs=.*\); the batch is in "):
        run(At(3, "gradient"), SETTINGS, tmp_path)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory: you tried"), MemoryError()]
)
def test_memory_that_runs_out_says_what_to_lower(error: BaseException, tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=r"^out of memory at step 1: lower batch \(8\) and raise accumulate .*activation_checkpoint"
    ):
        run(At(1, error), SETTINGS, tmp_path)


def test_other_errors_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        run(At(1, RuntimeError("shapes")), SETTINGS, tmp_path)


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    exact = replace(SETTINGS, ema=0.0)
    large = weights(run(Toy(12, contrastive=False), exact, tmp_path / "large"))
    small = weights(run(Toy(4, contrastive=False), replace(exact, accumulate=3), tmp_path / "small"))
    assert apart(large, small) < 1e-6
    assert apart(large, weights(run(Toy(4, contrastive=False), exact, tmp_path / "single"))) > 1e-3


def test_an_accumulating_run_resumes(tmp_path: Path) -> None:
    twice = replace(SETTINGS, accumulate=2)
    unbroken = weights(run(Toy(drop=0.2), twice, tmp_path / "unbroken"))
    with pytest.raises(PowerCut):
        run(At(11, PowerCut()), twice, tmp_path / "broken")
    assert same(unbroken, weights(run(Toy(drop=0.2), twice, tmp_path / "broken")))


def test_the_average_is_that_of_the_formula() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1).requires_grad_(False))
    found = average.Average(module, 0.8)
    expected: dict[str, Tensor] = {}
    g = torch.Generator().manual_seed(0)
    for step in range(5):
        with torch.no_grad():
            for t in module.state_dict().values():
                t += 1 if t.dtype == torch.long else torch.randn(t.shape, generator=g)
        found.update()
        for name, t in module.state_dict().items():
            averaged = t.is_floating_point() and not name.startswith("2.") and step
            expected[name] = 0.8 * expected[name] + 0.2 * t.double() if averaged else t.double().clone()
    got = found.weights()
    assert got.keys() == expected.keys()
    assert all(torch.allclose(got[k].double(), expected[k], atol=1e-6) for k in expected)
    assert got["1.num_batches_tracked"].item() == 5


def test_the_result_is_the_average(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    task = Toy()
    update = average.Average.update

    def noted(self: average.Average) -> None:
        seen.append(task.modules.state_dict()["other.weight"].double())
        update(self)

    monkeypatch.setattr(average.Average, "update", noted)
    path = run(task, SETTINGS, tmp_path)
    expected = seen[0]
    for w in seen[1:]:
        expected = 0.9 * expected + 0.1 * w
    assert torch.allclose(weights(path)["other.weight"].double(), expected, atol=1e-6)
    assert torch.load(path, weights_only=True)["recipe"] == {"batch": 8}


def test_the_schedule_rises_and_falls() -> None:
    found = [schedule.factor(s, 4, 12) for s in range(12)]
    assert found[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert found[8] == pytest.approx(0.5)
    assert all(a > b for a, b in pairwise(found[4:]))
    assert schedule.factor(12, 4, 12) == pytest.approx(0)
    parameter = [nn.Parameter(torch.zeros(1))]
    optimiser = torch.optim.SGD([{"params": parameter, "lr": 2.0}])
    assert schedule.Schedule(optimiser, 4, 12).set(8) == pytest.approx(1.0)
    assert optimiser.param_groups[0]["lr"] == pytest.approx(1.0)


def test_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    run(Toy(), replace(SETTINGS, checkpoint_every=2, keep=2), tmp_path)
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["step-00000006.pt", "step-00000008.pt"]


def test_a_finished_run_only_writes_its_result_again(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=8)
    first = weights(run(Toy(), settings, tmp_path))
    (tmp_path / "model.pt").unlink()
    assert same(first, weights(run(At(0, PowerCut(), drop=0.0), settings, tmp_path)))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_broken_checkpoint_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/step-00000004.pt").write_bytes(content)
    with pytest.raises(
        BadCheckpoint, match=r"step-00000004\.pt cannot be read \(\w+\); remove it to resume from the one before$"
    ):
        run(Toy(), SETTINGS, tmp_path)


def test_a_checkpoint_of_other_networks_is_refused(tmp_path: Path) -> None:
    run(Toy(), replace(SETTINGS, steps=4), tmp_path)
    other = Toy()
    other.modules["other"] = nn.Linear(FEATURES, 7)
    with pytest.raises(BadCheckpoint, match=r"step-00000004\.pt: tensor other\.bias has shape \(4,\), expected \(7,\); remove "):
        run(other, SETTINGS, tmp_path)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_log_tells_of_every_second_step_once(tmp_path: Path) -> None:
    with pytest.raises(PowerCut):
        run(At(7, PowerCut()), SETTINGS, tmp_path)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')  # what a power cut leaves
    run(Toy(drop=0.2), SETTINGS, tmp_path)
    found = lines(tmp_path)
    assert [line["step"] for line in found] == [0, 2, 4, 6, 8]
    terms = found[0]["terms"]
    assert found[0]["loss"] == pytest.approx(terms["near"] + terms["pairs"])
    assert found[0]["learning_rate"] == pytest.approx(0.01)
    for line in found:
        for key in ("gradient_norm", "steps_per_s", "pictures_per_s", "memory_gib", "flop_per_s"):
            assert isinstance(line[key], float), key
            assert line[key] > 0, key
        assert 0 <= line["data_wait"] <= 1
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    scalars = events.Scalars("loss/near")
    assert [s.step for s in scalars] == [0, 2, 4, 6, 8]


def test_waiting_for_data_and_operations_are_measured(tmp_path: Path) -> None:
    class Line(Toy):
        def batches(self, first: int) -> Iterator[Tensor]:
            for batch in super().batches(first):
                time.sleep(0.05)
                yield batch

        def losses(self, batch: Tensor) -> dict[str, Tensor]:
            return {"near": self.modules["other"](self.a[batch]).square().mean()}

    run(Line(8), replace(SETTINGS, log_every=1), tmp_path)
    for line in lines(tmp_path)[1:]:
        rate = line["steps_per_s"]
        assert line["flop_per_s"] == pytest.approx(2 * (2 * 8 * FEATURES * DIM) * rate)  # forward, and backward to the weights
        assert line["pictures_per_s"] == pytest.approx(8 * rate)
        assert 0.05 <= line["data_wait"] / rate < 1 / rate


def test_blocks_are_found_and_computed_again(tmp_path: Path) -> None:
    task = Toy(drop=0.2)
    found = repeated(task.modules)
    assert [type(block) for block in found] == [Block, Block]

    def kept(task: Toy) -> int:
        sizes: list[int] = []

        def pack(t: Tensor) -> Tensor:
            sizes.append(t.numel())
            return t

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            task.losses(next(task.batches(0)))
        return sum(sizes)

    before = kept(task)
    assert compute_again(task.modules) == 2
    assert kept(task) < before
    plain = weights(run(Toy(drop=0.2), SETTINGS, tmp_path / "plain"))
    again = weights(run(Toy(drop=0.2), replace(SETTINGS, activation_checkpointing=True), tmp_path / "again"))
    assert same(plain, again)  # dropout, too


def test_compiled_steps_end_where_others_do(tmp_path: Path) -> None:
    plain = weights(run(Toy(), SETTINGS, tmp_path / "plain"))
    compiled = weights(run(Toy(), replace(SETTINGS, compile="aot_eager"), tmp_path / "compiled"))
    assert apart(plain, compiled) < 1e-6


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("float32", torch.float32)])
def test_products_are_in_the_precision_asked_for(precision: str, dtype: torch.dtype, tmp_path: Path) -> None:
    seen: set[torch.dtype] = set()

    class Watched(Toy):
        def losses(self, batch: Tensor) -> dict[str, Tensor]:
            seen.add(self.modules["other"](self.b[batch]).dtype)
            return super().losses(batch)

    run(Watched(), replace(SETTINGS, steps=2, precision=precision), tmp_path)
    assert seen == {dtype}


def test_the_ceiling_is_that_of_a_product() -> None:
    found = throughput.matmul_ceiling("cpu", torch.float32)
    assert 1e8 < found < 1e14
    assert throughput.scaled(3.2e12) == "3.2 T"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0, expected at least 1"),
        ({"precision": "fp8"}, "precision is 'fp8', expected bf16 or float32"),
        ({"distributed": "tensor"}, "distributed is 'tensor', expected ddp or fsdp"),
        ({"ema": 1.0}, "ema is 1.0, expected a decay from 0 to below 1"),
        ({"warmup": -1}, "warmup is -1, expected 0 or more steps"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0, expected more than 0"),
    ],
)
def test_settings_out_of_range(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(SETTINGS, **change)  # type: ignore[arg-type]
