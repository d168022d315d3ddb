"""The bench's rates are those of the batches and of the passes over them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from quantize import data_bench
from quantize.tests.test_loop import SETTINGS
from quantize.tests.toy import Toy
from quantize.training.task import Training
from torch import Tensor

PAUSE = 0.5


class Clock:
    """Goes on only when someone says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(data_bench, "time", clock)

    class Slow(Toy):
        """A batch takes PAUSE, shared by the workers; a pass over it takes twice as long."""

        def __init__(self, workers: int) -> None:
            super().__init__(batch=10)
            self.pause = PAUSE / max(1, workers)

        def batches(self, first: int) -> Iterator[Tensor]:
            for batch in super().batches(first):
                clock.sleep(self.pause)
                yield batch

        def losses(self, batch: Tensor) -> dict[str, Tensor]:
            clock.sleep(2 * PAUSE)
            return super().losses(batch)

    model, supply = data_bench.bench(Training(Slow, SETTINGS, tmp_path), [1, 2])
    assert model == pytest.approx(10)
    assert supply == pytest.approx({1: 20, 2: 40})
    columns = data_bench.table(model, supply).columns
    assert [[*column.cells] for column in columns] == [["1", "2"], ["20", "40"], ["200 %", "400 %"]]
