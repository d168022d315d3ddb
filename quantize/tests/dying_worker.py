"""Work of a process that is killed; a module of its own, because each worker imports it."""

import os
import signal
from pathlib import Path

from quantize.annotate import local
from quantize.annotate.settings import Settings
from quantize.annotate.work import Done, Task


def _is_the_one(task: Task) -> bool:
    """Whether a worker is to die of the task: once, of the second pass's third chunk."""
    marker = Path(task.folder).parent / "killed"
    if task.survey or task.chunk.number != 2 or marker.exists():
        return False
    marker.mkdir()
    return True


def dies_once(task: Task, names: list[str], settings: Settings) -> Done:
    """A worker's task; one worker is killed before it."""
    if _is_the_one(task):
        os.kill(os.getpid(), signal.SIGKILL)
    return local._work(task, names, settings)


def dies_once_it_has_written(task: Task, names: list[str], settings: Settings) -> Done:
    """A worker's task; one worker is killed when its result is on disk, before it can report it."""
    dies = _is_the_one(task)
    done = local._work(task, names, settings)
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
