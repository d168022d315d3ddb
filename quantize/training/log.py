"""What a run reports while it runs: `log.jsonl`, TensorBoard, and a bar in a terminal or a line now and then elsewhere."""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from quantize.settings.loop import LoopSettings
from quantize.training.distributed import rank, world
from quantize.training.memory import memory_gib

log = logging.getLogger(__name__)
LINE_EVERY_SECONDS = 20.0


def cut(path: Path, first: int) -> None:
    """Leaves the lines of steps before `first`; lines written after the checkpoint, and incomplete ones, are removed."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text().splitlines():
        try:
            if json.loads(line)["step"] < first:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            continue
    path.write_text("".join(f"{line}\n" for line in kept))


class Log:
    """Rates are means since the line before. Only the first process writes."""

    def __init__(self, settings: LoopSettings, out: Path, first: int) -> None:
        self.settings, self.first = settings, first
        self.writes = rank() == 0
        self.flops = 0.0  # of one step on all processes; 0: not counted
        self.seconds = self.waited = 0.0  # of the whole run
        self.steps = self.pictures = 0
        self.window = [0.0, 0.0, 0, 0]  # seconds, waited, steps, pictures since the last line
        self.said = self.now = time.perf_counter()
        self.bar: Progress | None = None
        if not self.writes:
            return
        cut(out / "log.jsonl", first)
        self.file = (out / "log.jsonl").open("a")
        self.board = SummaryWriter(str(out / "tensorboard"), purge_step=first)
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, TextColumn("{task.fields[say]}"))
            self.bar.start()
            self.task = self.bar.add_task(settings.name, total=settings.steps, completed=first, say="")

    def begin(self) -> None:
        """The first step begins."""
        self.said = self.now = time.perf_counter()

    def step(self, step: int, terms: dict[str, float], values: dict[str, float], waited: float, pictures: int) -> None:
        """One step is done: its weighted terms, other numbers of interest, seconds waited for data, pictures on this process."""
        now = time.perf_counter()
        took, self.now = now - self.now, now
        self.seconds, self.waited = self.seconds + took, self.waited + waited
        self.steps, self.pictures = self.steps + 1, self.pictures + pictures * world()
        self.window = [a + b for a, b in zip(self.window, (took, waited, 1, pictures * world()), strict=True)]
        if not self.writes:
            return
        if self.bar:
            self.bar.update(self.task, completed=step + 1)
        last = step + 1 == self.settings.steps
        if step % self.settings.log_every == 0 or last:
            self._line(step, terms, values, last)

    def _line(self, step: int, terms: dict[str, float], values: dict[str, float], last: bool) -> None:
        seconds, waited, steps, pictures = self.window
        self.window = [0.0, 0.0, 0, 0]
        line: dict[str, Any] = {
            "step": step, "time": round(time.time(), 3), "loss": sum(terms.values()), "terms": terms, **values,
            "steps_per_s": steps / seconds, "pictures_per_s": pictures / seconds, "data_wait": waited / seconds,
            "memory_gib": memory_gib(self.settings.device),
        }  # fmt: skip
        if self.flops:
            line["flop_per_s"] = self.flops * steps / seconds
        print(json.dumps(line), file=self.file, flush=True)
        for name, value in line.items():
            if isinstance(value, float) and name != "time":
                self.board.add_scalar(name, value, step)
        for name, value in terms.items():
            self.board.add_scalar(f"loss/{name}", value, step)
        say = (
            f"loss {line['loss']:.3f}, {line['pictures_per_s']:.0f} pictures/s, waiting {100 * line['data_wait']:.0f} %, "
            f"{line['memory_gib']:.1f} GiB"
        )
        if self.bar:
            self.bar.update(self.task, say=say)
        elif last or step == self.first or self.now - self.said > LINE_EVERY_SECONDS:
            self.said = self.now
            left = (self.settings.steps - step - 1) / line["steps_per_s"]
            at = f"{self.settings.name}: step {step + 1} of {self.settings.steps}"
            log.info("%s, %s, %.0f s left: %s", at, say, left, described(terms))

    def close(self) -> None:
        if not self.writes:
            return
        if self.bar:
            self.bar.stop()
        self.board.close()
        self.file.close()


def described(terms: dict[str, float]) -> str:
    """`caption=1.20 box=nan`."""
    return " ".join(f"{name}={value:.2f}" for name, value in terms.items())
