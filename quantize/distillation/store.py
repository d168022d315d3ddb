"""A teacher's outputs, once for all trainings (DataCompDR, arXiv 2311.17049): one folder per teacher, one file per shard.

A file holds, for the N pictures of its shard in V views: `image` [N,V,D], `dense` [N,V,grid·grid,D], `region` [rows,D] in half
precision; `first` and `count` [N,V] find a view's rows of `region` (count 0: the picture could not be read). `teacher.json` says
what made them, `names.safetensors` holds `names` [K,D].
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from quantize.data.indexed import IndexedShards
from quantize.distillation.teacher import Teacher, TeacherOutputs
from quantize.files import whole_file
from quantize.settings.distil import DistilSettings


def folder_of(path: str, settings: DistilSettings) -> Path:
    """The folder of the teacher at `path`, named after its run."""
    return Path(settings.stored) / Path(path).parent.name


def identity(path: str, size: int, seed: int, settings: DistilSettings, names: list[str]) -> dict[str, Any]:
    """Everything that stored outputs depend on, except for the teacher's weights."""
    digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]
    kept = {"views": settings.views, "regions": settings.regions, "grid": settings.grid}
    return {"teacher": path, "size": size, "seed": seed, "names": digest, **kept}


def file_of(folder: Path, samples: IndexedShards, shard: int) -> Path:
    """Where the outputs for one shard are."""
    return folder / f"{shard:05}-{samples.paths[shard].stem}.safetensors"


def place(samples: IndexedShards, i: int) -> tuple[int, int]:
    """Number of the shard of sample `i`, and its row there."""
    shard = int(np.searchsorted(samples.first, i, side="right")) - 1
    return shard, i - int(samples.first[shard])


def describe(folder: Path, values: dict[str, Any], scales: dict[str, float], names: Tensor) -> None:
    """Writes what the outputs depend on; raises ValueError if the folder was made from something else."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "teacher.json"
    if path.exists():
        check(folder, values)
        return
    save_file({"names": names.cpu().contiguous()}, folder / "names.safetensors")
    with whole_file(path) as draft:
        draft.write_text(json.dumps({**values, "scales": scales}, indent=1))


def check(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """What the folder says it was made from; raises FileNotFoundError or ValueError if it was not made by this recipe."""
    path = folder / "teacher.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; run `python -m quantize.reinforce` with this recipe first")
    found: dict[str, Any] = json.loads(path.read_text())
    for key, value in values.items():
        if found.get(key) != value:
            raise ValueError(f"{path}: {key} is {found.get(key)!r}, expected {value!r}; remove {folder} to ask the teacher again")
    return found


def keep(path: Path, seen: list[list[TeacherOutputs | None]]) -> None:
    """One shard's file: by picture and view; None where the picture could not be read."""
    like = next((t for views in seen for t in views if t is not None), None)
    if like is None:  # every picture of the shard is broken: none is ever drawn
        with whole_file(path) as draft:
            save_file({"count": torch.zeros(len(seen), 1, dtype=torch.long)}, draft)
        return
    blank = TeacherOutputs(torch.zeros_like(like.image), like.region[:0], torch.zeros_like(like.dense))
    rows = [[t or blank for t in views] for views in seen]
    count = torch.tensor([[len(t.region) for t in views] for views in rows])
    first = (count.flatten().cumsum(0) - count.flatten()).reshape(count.shape)
    tensors = {
        "image": torch.stack([torch.cat([t.image for t in views]) for views in rows]),
        "dense": torch.stack([torch.cat([t.dense for t in views]) for views in rows]),
        "region": torch.cat([t.region for views in rows for t in views]),
        "first": first, "count": count,
    }  # fmt: skip
    with whole_file(path) as draft:
        save_file({name: t.contiguous() for name, t in tensors.items()}, draft)


@dataclass
class Stored:
    """A teacher's stored outputs. Only the rows of a step are read from disk."""

    folder: Path
    samples: IndexedShards
    names: Tensor
    scales: dict[str, float]

    @staticmethod
    def open(folder: Path, values: dict[str, Any], samples: IndexedShards, device: str) -> "Stored":
        found = check(folder, values)
        for shard in range(len(samples.paths)):
            if not file_of(folder, samples, shard).exists():
                path = file_of(folder, samples, shard)
                raise FileNotFoundError(f"{path} is missing; run `python -m quantize.reinforce` with this recipe to its end")
        return Stored(folder, samples, load_file(folder / "names.safetensors")["names"].to(device), found["scales"])

    def recall(self, rows: list[int], chosen: list[int]) -> TeacherOutputs:
        """The outputs for the samples `rows`, each in its `chosen` view."""
        image, region, dense = [], [], []
        for i, view in zip(rows, chosen, strict=True):
            shard, row = place(self.samples, i)
            with safe_open(file_of(self.folder, self.samples, shard), "pt") as file:
                part = {name: file.get_slice(name) for name in ("image", "dense", "first", "count")}
                start, count = (int(part[name][row, view]) for name in ("first", "count"))
                image.append(part["image"][row, view])
                dense.append(part["dense"][row, view])
                region.append(file.get_slice("region")[start : start + count])
        return TeacherOutputs(torch.stack(image), torch.cat(region), torch.stack(dense))


AnyTeacher = Teacher | Stored
