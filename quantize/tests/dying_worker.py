"""Work of a process that is killed; a module of its own, because each worker imports it."""

import os
import signal
from pathlib import Path

from quantize.annotate import local
from quantize.annotate.settings import Settings
from quantize.annotate.work import Done, Task


def dies_once(task: Task, names: list[str], settings: Settings) -> Done:
    """A worker's task; in the second pass, at its third chunk, the first worker that comes there is killed."""
    marker = Path(task.folder).parent / "killed"
    if not task.survey and task.chunk.number == 2 and not marker.exists():
        marker.mkdir()
        os.kill(os.getpid(), signal.SIGKILL)
    return local._work(task, names, settings)
