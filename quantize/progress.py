"""Progress with rate and time left: a bar in a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

LINE_EVERY_SECONDS = 20.0


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yields `items`; `total` when they have no length."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[rate]}"),
        )
        with Progress(*columns) as bar:
            task = bar.add_task(description, total=total, rate="")
            start = time.monotonic()
            for n, item in enumerate(items, 1):
                yield item
                bar.update(task, completed=n, rate=f"{n / (time.monotonic() - start):.1f}/s")
        return
    start = last = time.monotonic()
    n = 0
    for n, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last > LINE_EVERY_SECONDS:
            last = now
            rate = n / (now - start)
            left = f", {(total - n) / rate:.0f} s left" if total else ""
            print(f"{description}: {n}/{total or '?'}, {rate:.1f}/s{left}", file=sys.stderr, flush=True)
    print(f"{description}: {n} in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
