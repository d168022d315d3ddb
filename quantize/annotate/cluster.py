"""Runs tasks on Ray Data: stages with networks as actors that keep their model, light stages as tasks.

Ray runs a light stage in the actor behind it where it can. A worker or node that dies loses nothing: Ray runs its chunk again;
a part that was already written is written again with the same content. Each chunk is reported once. All machines must see
the inputs and the output folder under the same paths.
"""

import logging
import pickle
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import groupby
from typing import Any

import ray
import ray.data
from ray.exceptions import RayError

from quantize.annotate.errors import AnnotateError
from quantize.annotate.settings import Settings
from quantize.annotate.stages import HEAVY
from quantize.annotate.work import Done, Load, Task, begin, build_stages, finish, run_stage

Row = dict[str, Any]
SPARE_CPUS = 2
"""CPUs of a local Ray, beside one per worker of a network: for reading, parsing and writing."""


class Stages:
    """Some stages in a row, as Ray Data calls them: with and to rows of one pickled `Load`.

    A permanent failure travels in the row's `error`: if it were raised, Ray would restart the actor again and again.
    """

    def __init__(self, names: Sequence[str], settings: Settings) -> None:
        self.settings, self.failure = settings, ""
        try:
            self.stages = build_stages(names, settings)
        except AnnotateError as error:
            self.failure = str(error)

    def __call__(self, row: Row) -> Row:
        if row["error"] or self.failure:
            return row | {"error": row["error"] or self.failure}
        load: Load = pickle.loads(row["load"])
        try:
            for name, stage in self.stages.items():
                load = run_stage(name, stage, load, self.settings.batch)
        except AnnotateError as error:
            return row | {"error": str(error)}
        return {"load": pickle.dumps(load), "error": ""}


def _begin(row: Row) -> Row:
    return {"load": pickle.dumps(begin(pickle.loads(row["task"]))), "error": ""}


@cache
def _kept(names: tuple[str, ...], settings: bytes) -> Stages:
    """A Ray worker's stages, built once."""
    return Stages(names, pickle.loads(settings))


def _light(names: tuple[str, ...], settings: bytes, row: Row) -> Row:
    return _kept(names, settings)(row)


def _finish(settings: Settings, row: Row) -> Row:
    if row["error"]:
        return {"done": b"", "error": row["error"]}
    return {"done": pickle.dumps(finish(pickle.loads(row["load"]), settings)), "error": ""}


def run(tasks: Sequence[Task], names: Sequence[str], settings: Settings) -> Iterator[Done]:
    """Yields each finished task, in the order that they finish.

    Raises:
        AnnotateError: the cluster cannot be reached, or a stage failed permanently.
    """
    groups = [(heavy, list(group)) for heavy, group in groupby(names, key=HEAVY.__contains__)]
    networks = sum(heavy for heavy, _ in groups)
    _connect(settings, networks)
    data: ray.data.Dataset = ray.data.from_items([{"task": pickle.dumps(task)} for task in tasks], override_num_blocks=len(tasks))
    data = data.map(_begin)
    for heavy, group in groups:
        if heavy:
            pool = ray.data.ActorPoolStrategy(size=settings.workers)
            data = data.map(
                Stages,  # type: ignore[arg-type]  # Ray makes the actors of a class
                fn_constructor_args=(group, settings),
                compute=pool,
                num_cpus=1,
                num_gpus=settings.gpus_per_worker or None,
            )
        else:
            data = data.map(partial(_light, tuple(group), pickle.dumps(settings)))
    try:
        for row in data.map(partial(_finish, settings)).iter_rows():
            if row["error"]:
                raise AnnotateError(str(row["error"]))
            done: Done = pickle.loads(row["done"])
            yield done
    except RayError as error:
        reason = str(error).strip().splitlines()[0]
        raise AnnotateError(f"Ray: {type(error).__name__}: {reason}; finished chunks are kept, run again to resume") from error


def _connect(settings: Settings, networks: int) -> None:
    if ray.is_initialized():
        return
    try:
        if settings.ray_address:
            ray.init(address=settings.ray_address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            cpus = networks * settings.workers + SPARE_CPUS
            ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise AnnotateError(
            f"ray_address is {settings.ray_address!r}: {error}; expected a running Ray cluster's address"
        ) from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
