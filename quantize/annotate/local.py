"""Runs tasks in processes of this machine, one set of models in each."""

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from quantize.annotate.errors import AnnotateError
from quantize.annotate.settings import Settings
from quantize.annotate.stages import Stage
from quantize.annotate.work import Done, Task, build_stages, whole

_mine: tuple[dict[str, Stage], Settings] | None = None
"""A worker's stages."""

DEATHS = 3
"""Pools that may break in a row without one finished chunk between."""


def run(tasks: Sequence[Task], names: Sequence[str], settings: Settings) -> Iterator[Done]:
    """Yields each finished task, in the order that they finish.

    When a worker dies, the others' unfinished chunks and its own are begun again.

    Raises:
        AnnotateError: a model cannot be loaded, memory ran out, or workers keep dying.
    """
    if settings.workers == 1:
        stages = build_stages(names, settings)
        yield from (whole(task, stages, settings) for task in tasks)
        return
    deaths = 0
    while tasks and deaths < DEATHS:
        deaths += 1
        try:
            for done in _pool(tasks, names, settings):
                deaths = 0
                yield done
        except BrokenProcessPool:
            pass
        tasks = [task for task in tasks if not task.result.exists()]
    if tasks:
        hint = "fewer --workers or a smaller --batch"
        raise AnnotateError(
            f"{DEATHS} workers died in a row, {len(tasks)} chunks are left (out of memory? try {hint}); run again to go on"
        )


def _pool(tasks: Sequence[Task], names: Sequence[str], settings: Settings) -> Iterator[Done]:
    context = multiprocessing.get_context("spawn")  # forked threads of torch and ncnn would hang
    with ProcessPoolExecutor(settings.workers, context) as pool:
        futures = [pool.submit(_work, task, list(names), settings) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _work(task: Task, names: list[str], settings: Settings) -> Done:
    global _mine
    if _mine is None:
        _mine = build_stages(names, settings), settings
        if torch := sys.modules.get("torch"):  # only networks load it
            torch.set_num_threads(max(1, torch.get_num_threads() // settings.workers))
    return whole(task, *_mine)
