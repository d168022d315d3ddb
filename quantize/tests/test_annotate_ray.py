"""The same work on a Ray of this machine, with two workers for the network."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from quantize.annotate import cluster, engine
from quantize.annotate.errors import AnnotateError
from quantize.annotate.settings import load
from quantize.data.shards import Shards
from quantize.tests import tiny_models
from quantize.tests.synthetic import jpeg, write_shard

COUNT, CHUNK = 48, 2
WORKERS = 2


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"owlv2:{tiny_models.owlv2(tmp_path_factory.mktemp('owlv2'))}"


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Pictures with captions."""
    rng = np.random.default_rng(0)
    caption = json.dumps({"captions": ["a red dog and a cat"]}).encode()
    pictures = (jpeg(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)) for _ in range(COUNT))
    return write_shard(tmp_path / "in.tar", {f"k{i:02}": {"jpg": p, "json": caption} for i, p in enumerate(pictures)})


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    yield
    ray.shutdown()


def run(out: Path, shard: Path, detector: str, **changes: Any) -> engine.Outcome:
    settings = {"detectors": [detector], "min_scores": {"owlv2": 0.5}, "chunk": CHUNK, "min_area": 0.0, "duplicate_distance": -1}
    return engine.annotate([shard], out, load(None, settings | changes))


def network_workers() -> list[int]:
    """Ray's processes that hold the detector, of this test's Ray only."""
    parents: dict[int, int] = {}
    workers = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            pid = int(folder.name)
            parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
            if b"MapWorker" in command and b"Stages" in command:
                workers.append(pid)
    return [pid for pid in workers if os.getpid() in ancestors(pid, parents)]


def ancestors(pid: int, parents: dict[int, int]) -> list[int]:
    found = []
    while pid in parents:
        pid = parents[pid]
        found.append(pid)
    return found


def test_a_killed_ray_worker_loses_and_doubles_nothing(noise: Path, detector: str, tmp_path: Path) -> None:
    run(tmp_path / "local", noise, detector)
    killed: list[int] = []
    done = threading.Event()

    def kill() -> None:
        """Waits for the first finished chunk, then kills a worker that still has work."""
        while not done.is_set() and not killed:
            if list((tmp_path / "ray").glob(".work/parts-*/*.json")):
                for worker in network_workers()[:1]:
                    os.kill(worker, signal.SIGKILL)
                    killed.append(worker)
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        outcome = run(tmp_path / "ray", noise, detector, runner="ray", workers=WORKERS)
    finally:
        done.set()
        thread.join()
    assert killed
    assert outcome.total().written == COUNT
    assert [sample.key for sample in Shards([tmp_path / "ray" / "in.tar"])] == [f"k{i:02}" for i in range(COUNT)]
    assert (tmp_path / "ray" / "in.tar").read_bytes() == (tmp_path / "local" / "in.tar").read_bytes()
    assert outcome.total().counts["pseudo_boxes with a phrase"] > COUNT


def test_errors_of_a_ray_worker_are_one_line(noise: Path, tmp_path: Path) -> None:
    with pytest.raises(AnnotateError, match="weights /absent cannot be loaded") as caught:
        run(tmp_path / "out", noise, "owlv2:/absent", runner="ray", workers=1)
    assert "\n" not in str(caught.value)


def test_errors_travel_in_the_row() -> None:
    settings = load(None, {"detectors": ["owlv2:/absent"]})
    failed = cluster.Stages(["detect"], settings)({"load": b"", "error": ""})
    assert "weights /absent cannot be loaded" in failed["error"]
    assert cluster.Stages(["filter"], settings)(failed) == failed
    assert cluster._finish(settings, failed)["error"] == failed["error"]


def test_a_cluster_that_is_not_there(noise: Path, detector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(**_: Any) -> None:
        raise ConnectionError("could not connect")

    monkeypatch.setattr(ray, "init", refuses)
    with pytest.raises(
        AnnotateError, match=r"ray_address is 'head:6379': could not connect; expected a running Ray cluster's address"
    ):
        run(tmp_path / "out", noise, detector, runner="ray", ray_address="head:6379")
