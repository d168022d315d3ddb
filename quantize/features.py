"""Computes the supervision points of a frozen trunk once: `python -m quantize.features quantize/recipes/cpu.toml`.

Writes `samples.json` (texts of every picture), `soft.safetensors` (the classifier's distribution for whole pictures and boxes)
and a `view-*.safetensors` for each view and shard into the recipe's cache folder. Running it again goes on where it was.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from quantize.board.batches import view_file
from quantize.board.names import Bank, build_bank
from quantize.board.points import Points, collect
from quantize.board.samples import training_samples
from quantize.command_line import board_recipe, missing_files_end_it, results_alone
from quantize.data.layouts import Layout, draw, layouts
from quantize.data.shards import Sample
from quantize.data.workers import workers
from quantize.files import whole_file
from quantize.model.mobilenetv2 import MobileNetV2, load_mobilenetv2
from quantize.model.preparation import to_input
from quantize.model.trunk import Maps, Trunk, load_trunk
from quantize.progress import track
from quantize.settings.board import BoardRecipe

log = logging.getLogger(__name__)
TEACHER_SIZE = 224
CONTEXT = 1.2


@dataclass
class Work:
    """What every worker process shares (by fork)."""

    trunk: Trunk
    teacher: MobileNetV2
    samples: list[Sample]
    names: dict[str, int]
    recipe: BoardRecipe


_work: Work


def _view_part(task: tuple[list[Layout], list[int]]) -> dict[str, NDArray[np.generic]]:
    layouts, seed = task
    w, rng = _work, np.random.default_rng(seed)
    canvases = [draw(index, [w.samples[i] for i in index], placed, w.recipe.model.size) for index, placed in layouts]
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            maps = w.trunk(to_input([c.pixels for c in canvases]))
        maps = Maps(maps.semantic.float(), maps.middle.float(), [t.float() for t in maps.towers])
        detected = w.trunk.teacher_outputs(maps.towers)
        points = collect(detected, maps, canvases, w.names, w.recipe.model.size, rng)
    arrays = {f.name: getattr(points, f.name) for f in fields(Points)}
    return {k: (t.half() if t.is_floating_point() else t).numpy() for k, t in arrays.items()}


def _teacher_part(crops: list[NDArray[np.uint8]]) -> NDArray[np.float16]:
    net = _work.teacher
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            semantic = net(to_input(crops))[2]
        probability: Tensor = net.classifier(semantic.float().mean((2, 3)))[:, 1:].softmax(1)
        return probability.half().numpy()


def view_points(view: str, shard: str, first: int, end: int) -> dict[str, Tensor]:
    """All arrays of `Points` of one view of the samples of a shard, in half precision."""
    w = _work
    seed = [w.recipe.seed, *f"{view} {shard}".encode()]
    local = layouts(view, w.samples[first:end], w.recipe.model.size, np.random.default_rng(seed))
    jobs = [([first + i for i in index], placed) for index, placed in local]
    n = w.recipe.data.feature_batch
    tasks = [(jobs[i : i + n], [*seed, i]) for i in range(0, len(jobs), n)]
    with workers() as pool:
        parts = list(track(pool.map(_view_part, tasks), f"features {view} {shard} x{n}", len(tasks)))
    return {k: torch.from_numpy(np.concatenate([p[k] for p in parts])) for k in parts[0]}


def teacher_crops(sample: Sample) -> list[NDArray[np.uint8]]:
    """The whole picture, then each box in a square crop with some context, at the teacher's size."""
    picture = Image.fromarray(sample.picture)
    w, h = picture.size
    rects = [(0.0, 0.0, float(w), float(h))]
    for box in sample.boxes[: _work.recipe.data.teacher_boxes]:
        x0, y0, x1, y1 = box.rect[0] * w, box.rect[1] * h, box.rect[2] * w, box.rect[3] * h
        half = CONTEXT * max(x1 - x0, y1 - y0) / 2
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        rects.append((max(cx - half, 0.0), max(cy - half, 0.0), min(cx + half, w), min(cy + half, h)))
    side = (TEACHER_SIZE, TEACHER_SIZE)
    return [np.asarray(picture.resize(side, Image.Resampling.BILINEAR, box=r)) for r in rects]


def soft_labels() -> dict[str, Tensor]:
    """`first` [N]: row of a sample's whole picture, its first boxes follow; `probability` [rows,1000]."""
    samples, n = _work.samples, 64
    counts = [1 + min(len(s.boxes), _work.recipe.data.teacher_boxes) for s in samples]

    def batches() -> Iterator[list[NDArray[np.uint8]]]:
        waiting: list[NDArray[np.uint8]] = []
        for sample in samples:
            waiting += teacher_crops(sample)
            while len(waiting) >= n:
                yield waiting[:n]
                waiting = waiting[n:]
        if waiting:
            yield waiting

    with workers() as pool:
        rows = list(track(pool.map(_teacher_part, batches()), f"teacher x{n}", -(-sum(counts) // n)))
    return {"first": torch.tensor([0, *counts[:-1]]).cumsum(0), "probability": torch.from_numpy(np.concatenate(rows))}


def describe(sample: Sample, bank: Bank) -> dict[str, object]:
    return {
        "key": sample.key, "source": sample.source, "captions": sample.captions, "labels": sample.labels,
        "tags": bank.tags_of(sample), "boxes": [[*b.rect, b.name, b.score] for b in sample.boxes],
    }  # fmt: skip


def fill_cache(recipe: BoardRecipe) -> None:
    """Computes what is missing in the recipe's cache."""
    torch.manual_seed(recipe.seed)
    cache = Path(recipe.data.cache)
    cache.mkdir(parents=True, exist_ok=True)
    samples, ends, bad = training_samples(recipe)
    if not samples:
        raise SystemExit(f"no usable sample in {recipe.data.shards}; {bad} were skipped")
    log.info("%d pictures, %d skipped", len(samples), bad)
    bank = build_bank(samples, recipe)
    names = cache / "names.json"
    if names.exists() and json.loads(names.read_text()) != bank.names:
        raise SystemExit(f"{names} lists other names than these shards and tags give; remove {cache} to compute it anew")
    with whole_file(names) as draft:
        draft.write_text(json.dumps(bank.names))
    with whole_file(cache / "samples.json") as draft:
        draft.write_text(json.dumps([describe(s, bank) for s in samples]))
    global _work
    trunk = load_trunk(recipe.model).eval().to(memory_format=torch.channels_last)
    _work = Work(
        trunk, load_mobilenetv2(Path(recipe.model.teachers) / "mobilenet_v2_imagenet.npz").eval(), samples, bank.index, recipe
    )
    if not (cache / "soft.safetensors").exists():
        with whole_file(cache / "soft.safetensors") as draft:
            save_file(soft_labels(), draft)
    for view in recipe.data.views:
        for shard, first, end in zip(recipe.data.shards, [0, *ends], ends, strict=False):
            path = view_file(recipe, view, shard)
            if end > first and not path.exists():
                with whole_file(path) as draft:
                    save_file(view_points(view, Path(shard).stem, first, end), draft)


def main() -> None:
    results_alone()
    recipe = board_recipe(__doc__)
    with missing_files_end_it():
        fill_cache(recipe)


if __name__ == "__main__":
    main()
