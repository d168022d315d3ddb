"""`python -m quantize.annotate` as a whole, in processes of this machine."""

import json
import multiprocessing
import os
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from quantize.annotate import __main__ as command
from quantize.annotate import engine, local
from quantize.annotate.errors import AnnotateError, memory_counts
from quantize.annotate.record import Record
from quantize.annotate.settings import load
from quantize.annotate.work import Task, whole
from quantize.data.shards import Shards
from quantize.tests.conftest import run_step
from quantize.tests.dying_worker import dies_once, dies_once_it_has_written
from quantize.tests.synthetic import jpeg, write_shapes, write_shard

COUNT = 20


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """A shard of coloured shapes, each picture unlike the others."""
    return write_shapes(tmp_path / "shapes.tar", COUNT)


def run(out: Path, *inputs: Path, **changes: Any) -> engine.Outcome:
    settings = {"least_pictures": 2, "duplicate_distance": -1, "chunk": 6} | changes
    return engine.annotate(list(inputs), out, load(None, settings))


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.tar"))}


def test_captions_become_tags(shapes: Path, tmp_path: Path) -> None:
    outcome = run(tmp_path / "out", shapes)
    assert outcome.total().written == COUNT
    assert [sample.key for sample in Shards([tmp_path / "out" / "shapes.tar"])] == [f"shape{i:03}" for i in range(COUNT)]
    words = json.loads((tmp_path / "out" / "vocabulary.json").read_text())
    assert set(words["attribute"]) == {"red", "green", "blue", "yellow"}
    assert {"box", "ball", "cross"} <= set(words["object"])
    assert outcome.total().counts["tags, attributes"] == COUNT
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_processes_and_chunks_change_nothing(shapes: Path, tmp_path: Path) -> None:
    run(tmp_path / "one", shapes)
    run(tmp_path / "two", shapes, workers=2, batch=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_finished_shards_are_not_done_again(shapes: Path, tmp_path: Path) -> None:
    other = write_shard(tmp_path / "other.tar", {"k": {"jpg": jpeg(np.full((40, 40, 3), 9, np.uint8)), "json": b"{}"}})
    out = tmp_path / "out"
    run(out, shapes)
    written = (out / "shapes.tar").stat().st_mtime_ns
    both = run(out, shapes, other)
    assert both.skipped == ["shapes"]
    assert list(both.shards) == ["shapes", "other"]
    assert both.total().written == COUNT + 1
    assert (out / "shapes.tar").stat().st_mtime_ns == written
    assert run(out, shapes, other, max_boxes=3).skipped == []  # another setting
    shapes.touch()
    assert run(out, shapes, other, max_boxes=3).skipped == ["other"]  # another input
    (out / "other.tar").unlink()
    assert run(out, shapes, other, max_boxes=3).skipped == ["shapes"]
    (out / "shapes.json").write_text("{")
    assert run(out, shapes, other, max_boxes=3).skipped == ["other"]


class Stopped(Exception):
    """Stands for a power cut."""


def test_a_stopped_run_goes_on_where_it_was(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path / "whole", shapes)
    out = tmp_path / "out"
    done: list[Task] = []
    again: list[Task] = []

    def stops(task: Task, *rest: Any) -> Any:
        if len(done) == 5:  # the survey's four chunks and one more
            raise Stopped
        done.append(task)
        return whole(task, *rest)

    monkeypatch.setattr(local, "whole", stops)
    with pytest.raises(Stopped):
        run(out, shapes)
    assert not (out / "shapes.tar").exists()

    def goes_on(task: Task, *rest: Any) -> Any:
        again.append(task)
        return whole(task, *rest)

    monkeypatch.setattr(local, "whole", goes_on)
    run(out, shapes)
    assert [(task.survey, task.chunk.number) for task in again] == [(False, 1), (False, 2), (False, 3)]
    assert contents(out) == contents(tmp_path / "whole")


def pool_of(worker: Callable[..., Any], *given: Any) -> type[ProcessPoolExecutor]:
    """A pool whose workers run `worker`, on what is `given` or else on what the pool is asked to do."""

    class Pool(ProcessPoolExecutor):
        def submit(self, _: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(worker, *(given or args), **kwargs)

    return Pool


@pytest.mark.parametrize("worker", [dies_once, dies_once_it_has_written])
def test_a_killed_worker_costs_nothing(
    worker: Callable[..., Any], shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "whole", shapes)
    monkeypatch.setattr(local, "ProcessPoolExecutor", pool_of(worker))
    outcome = run(tmp_path / "out", shapes, workers=2)
    assert outcome.total().written == COUNT
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_workers_that_keep_dying_end_the_run(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ProcessPoolExecutor", pool_of(os._exit, 1))
    with pytest.raises(
        AnnotateError,
        match=r"3 workers died in a row, 4 chunks are left .out of memory. try fewer --workers or a smaller --batch",
    ):
        run(tmp_path / "out", shapes, workers=2)
    assert not multiprocessing.active_children()


def test_near_duplicates_stay_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scenes = [np.kron(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8)) for _ in range(3)]
    brighter = np.clip(scenes[0].astype(int) + 6, 0, 255).astype(np.uint8)
    pictures = {"a": scenes[0], "b": brighter, "c": scenes[1], "d": scenes[2]}
    shard = write_shard(tmp_path / "in.tar", {key: {"jpg": jpeg(p), "json": b"{}"} for key, p in pictures.items()})
    held_out = write_shard(tmp_path / "val.tar", {"v": {"jpg": jpeg(np.maximum(scenes[2], 6) - 6)}})
    outcome = run(tmp_path / "out", shard, duplicate_distance=4, exclude=[str(held_out)])
    assert [sample.key for sample in Shards([tmp_path / "out" / "in.tar"])] == ["a", "c"]
    assert outcome.total().dropped == {"near duplicate": 1, "near duplicate of an excluded picture": 1}


def test_bad_pictures_and_pieces_are_counted(tmp_path: Path) -> None:
    grey = np.full((40, 60, 3), 90, np.uint8)
    meta = {"captions": ["a red dog", " "], "boxes": [{"box": [0.6, 0.1, 0.2, 0.9], "name": "dog"}]}
    samples = {
        "good": {"jpg": jpeg(grey), "json": json.dumps(meta).encode()},
        "small": {"jpg": jpeg(grey[:9])},
        "broken": {"jpg": jpeg(grey)[:200], "json": b"{}"},
        "none": {"json": b"{}"},
        "text": {"jpg": jpeg(grey), "json": b"{"},
    }
    out = tmp_path / "out"
    outcome = run(out, write_shard(tmp_path / "in.tar", samples), least_pictures=1)
    total = outcome.total()
    assert (total.read, total.written) == (5, 1)
    assert total.dropped == {"small picture": 1, "corrupt picture": 1, "no picture": 1, "broken JSON or text": 1}
    assert total.removed == {"captions: empty": 1, "boxes: empty, inverted or outside": 1}
    (sample,) = Shards([out / "in.tar"])
    assert (sample.captions, sample.boxes) == (["a red dog"], [])


def test_a_shard_without_a_good_picture_is_empty(tmp_path: Path) -> None:
    run(tmp_path / "out", write_shard(tmp_path / "in.tar", {"k": {"jpg": b"", "json": b"{}"}}))
    assert list(Shards([tmp_path / "out" / "in.tar"])) == []


def test_a_given_vocabulary_is_kept(shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "words.json").write_text('{"object": {"ball": 3}, "attribute": {}}')
    outcome = run(tmp_path / "out", shapes, vocabulary=str(tmp_path / "words.json"))
    assert outcome.total().counts["tags, attributes"] == 0
    assert not (tmp_path / "out" / "vocabulary.json").exists()


def test_only_the_stages_that_are_named(shapes: Path, tmp_path: Path) -> None:
    outcome = run(tmp_path / "out", shapes, stages=["check", "filter"])
    assert set(outcome.total().seconds) == {"read", "check", "filter"}


def test_memory_that_ran_out() -> None:
    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ):
        with (
            pytest.raises(AnnotateError, match="stage detect: out of memory with 8 pictures at once; try --batch 4"),
            memory_counts("detect", 8),
        ):
            raise error
    with pytest.raises(AnnotateError, match="with 1 pictures at once; try fewer --workers"), memory_counts("detect", 1):
        raise MemoryError
    with pytest.raises(RuntimeError, match="shape mismatch"), memory_counts("detect", 1):
        raise RuntimeError("shape mismatch")


def _greedy(records: Sequence[Record]) -> list[Record]:
    raise MemoryError


def test_memory_that_ran_out_in_a_stage(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "build_stages", lambda names, settings: {"detect": _greedy})
    with pytest.raises(AnnotateError, match="out of memory with 5 pictures at once; try --batch 2"):
        run(tmp_path / "out", shapes, batch=5)


BAD_SETTINGS = {
    "stages = ['check', 'paint']": "unknown stage 'paint', expected some of check, fingerprint, caption, parse, detect",
    "stages = ['parse']": "stages lack check",
    "stages = ['check', 'detect']": "stage detect has no model, expected the setting detectors",
    "colour = 3": "unknown key 'colour'; expected one of stages, parser",
    "batch = 'many'": "batch is 'many', expected a whole number",
    "batch = true": "batch is True, expected a whole number",
    "duplicate_distance = 40": "duplicate_distance is 40, expected -1 (keep all) to 32",
    "batch = 0": "batch is 0, expected at least 1",
    "runner = 'slurm'": "runner is 'slurm', expected one of local, ray",
    "exclude = 'val.tar'": "exclude is 'val.tar', expected a list of strings",
    "min_scores = {nanodet = 'x'}": "min_scores is {'nanodet': 'x'}, expected a table of numbers",
    "batch = ": "Invalid value",
}


@pytest.mark.parametrize("text", BAD_SETTINGS)
def test_bad_settings(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(AnnotateError) as caught:
        load(tmp_path / "bad.toml", {})
    assert BAD_SETTINGS[text] in str(caught.value)
    assert "bad.toml" in str(caught.value)


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("batch = 3\nmin_scores = {owlv2 = 1}")
    settings = load(tmp_path / "a.toml", {"batch": 5})
    assert (settings.batch, settings.min_scores) == (5, {"owlv2": 1})
    assert settings.identity() == load(None, {"min_scores": {"owlv2": 1}, "workers": 9}).identity()
    assert settings.identity() != load(None, {}).identity()


def test_the_command_writes_a_report(shapes: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("least_pictures = 2\nsheet = 6\nmin_side = 16")
    done = run_step("quantize.annotate", str(shapes), str(recipe), "--out", str(tmp_path / "out"), "--parser", "lexicon")
    assert done.returncode == 0, done.stderr
    assert re.search(r"1 shards, \d+ pictures, \d+ left out; see .*report\.md", done.stdout)
    report = (tmp_path / "out" / "report.md").read_text()
    for line in (
        "## Written",
        "| pictures with a tag |",
        "![Histograms of scores](scores.png)",
        "least_pictures = 2",
        'parser = "lexicon"',
    ):
        assert line in report
    with Image.open(tmp_path / "out" / "samples.jpg") as sheet:
        assert sheet.size == (4 * 300, 2 * 366)
    with Image.open(tmp_path / "out" / "scores.png") as plot:
        assert plot.width > 200


def test_the_command_refuses_bad_input(
    tmp_path: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (tmp_path / "a.toml").write_text("")
    cases: list[tuple[list[str], str]] = [
        (["/absent", "--out", str(out)], "/absent: no such file or folder"),
        ([str(shapes), "--out", str(out), "--stages", "paint"], "unknown stage 'paint'"),
        ([str(shapes), "--out", str(out), "--detector", "nanodet:/absent"], "nanodet_m.param are missing"),
        ([str(shapes), "--out", str(shapes.parent)], "found the input shapes.tar there, expected another folder"),
        ([str(tmp_path / "a.toml"), "--out", str(out)], "found 1 settings files and 0 inputs"),
        ([str(shapes), str(tmp_path / "absent.toml"), "--out", str(out)], "absent.toml is missing; expected a TOML file"),
        ([str(shapes), "--out", str(out), "--vocabulary", "/absent"], "vocabulary /absent"),
        ([str(shapes), "--out", str(out), "--exclude", "/absent"], "/absent: no such file or folder"),
    ]
    for arguments, message in cases:
        monkeypatch.setattr("sys.argv", ["annotate", *arguments])
        assert command.main() == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("annotate: ")]
        assert message in lines[-1]


def test_what_an_input_has_survives_a_second_run(shapes: Path, tmp_path: Path) -> None:
    run(tmp_path / "first", shapes)
    shutil.move(tmp_path / "first" / "shapes.tar", tmp_path / "again.tar")
    run(tmp_path / "second", tmp_path / "again.tar")
    for before, after in zip(Shards([shapes]), Shards([tmp_path / "second" / "again.tar"]), strict=True):
        assert (before.key, before.source, before.captions, before.labels) == (
            after.key,
            after.source,
            after.captions,
            after.labels,
        )
        assert np.array_equal(before.picture, after.picture)
        assert (before.mask is None) == (after.mask is None)
        assert before.mask is None or (before.mask == after.mask).all()
        assert [b.name for b in before.boxes] == [b.name for b in after.boxes]
        assert np.allclose([b.rect for b in before.boxes], [b.rect for b in after.boxes], atol=1e-4)
