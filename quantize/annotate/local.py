"""Runs tasks in processes of this machine, one set of models in each."""

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from quantize.annotate.errors import AnnotateError
from quantize.annotate.settings import Settings
from quantize.annotate.stages import Stage
from quantize.annotate.work import Done, Task, build_stages, whole

_mine: tuple[dict[str, Stage], Settings] | None = None
"""A worker's stages."""

DEATHS = 3
"""Pools that may break in a row without one finished chunk between."""


def run(tasks: Sequence[Task], names: Sequence[str], settings: Settings) -> Iterator[Done]:
    """Yields each task once, when it is finished, in the order that they finish.

    When a worker dies, its own unfinished chunk and the others' are begun again.

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
        finished: set[Path] = set()
        for done in _pool(tasks, names, settings):
            deaths = 0
            finished.add(done.result)
            yield done
        tasks = [task for task in tasks if task.result not in finished]
    if tasks:
        hint = "fewer --workers or a smaller --batch"
        raise AnnotateError(
            f"{DEATHS} workers died in a row, {len(tasks)} chunks are left (out of memory? try {hint}); run again to resume"
        )


def _pool(tasks: Sequence[Task], names: Sequence[str], settings: Settings) -> Iterator[Done]:
    """Yields what one pool of workers finishes: all tasks, or fewer if a worker dies."""
    context = multiprocessing.get_context("spawn")  # forked threads of torch and ncnn would hang
    waiting = {task.result: task for task in tasks}
    with ProcessPoolExecutor(settings.workers, context) as pool:
        futures: list[Future[Done]] = []
        try:
            futures.extend(pool.submit(_work, task, list(names), settings) for task in tasks)
            for future in as_completed(futures):
                done = future.result()
                del waiting[done.result]
                yield done
        except BrokenProcessPool:
            pass
        finally:
            for future in futures:
                future.cancel()
    # A pool that breaks fails every future that was not read yet, also those of tasks whose result is already on disk.
    yield from (task.done() for task in waiting.values() if task.result.exists())


def _work(task: Task, names: list[str], settings: Settings) -> Done:
    global _mine
    if _mine is None:
        _mine = build_stages(names, settings), settings
        if torch := sys.modules.get("torch"):  # only networks load it
            torch.set_num_threads(max(1, torch.get_num_threads() // settings.workers))
    return whole(task, *_mine)
