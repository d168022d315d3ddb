"""The bench's rates are those of the batches and of the passes over them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from quantize.tests.test_loop import SETTINGS
from quantize.tests.toy import Toy
from quantize.training import data_bench
from quantize.training.task import Training
from torch import Tensor

PAUSE = 0.05


class Slow(Toy):
    """As many batches a second as workers would draw, each of which needs PAUSE; passes over them need twice as long."""

    def __init__(self, workers: int) -> None:
        super().__init__(batch=10)
        self.pause = PAUSE / max(1, workers)

    def batches(self, first: int) -> Iterator[Tensor]:
        for batch in super().batches(first):
            time.sleep(self.pause)
            yield batch

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        time.sleep(2 * PAUSE)
        return super().losses(batch)


def test_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_bench, "SECONDS", 0.4)
    model, supply = data_bench.bench(Training(Slow, SETTINGS, tmp_path), [1, 2])
    assert 0.4 * 10 / (2 * PAUSE) < model <= 10 / (2 * PAUSE)
    assert 0.6 * 10 / PAUSE < supply[1] <= 10 / PAUSE
    assert 1.3 < supply[2] / supply[1] < 3
    workers, _, share = ([*column.cells] for column in data_bench.table(model, supply).columns)
    assert workers == ["1", "2"]
    assert share[0] == f"{100 * supply[1] / model:.0f} %"
