"""The board's model as the student of frozen teachers: a task of the loop."""

import copy
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from quantize.board.objective import all_losses, weighted, words
from quantize.board.points import collect
from quantize.board.supervision import Supervision, load_supervision
from quantize.board.task import parameter_groups, start_from_data
from quantize.data.indexed import IndexedShards
from quantize.data.layouts import Canvas
from quantize.data.workers import spare_cores
from quantize.distillation.canvases import Canvases, collate, show
from quantize.distillation.objective import Targets, terms
from quantize.distillation.store import AnyTeacher, Stored, folder_of, identity
from quantize.distillation.student import maps_of, student_outputs, vectors_of
from quantize.distillation.teacher import Teacher, TeacherOutputs, ask, load_teacher
from quantize.model.edgeclip import EdgeClip
from quantize.model.preparation import normalise
from quantize.model.trunk import Maps, load_trunk
from quantize.settings.board import BoardRecipe
from quantize.training.distributed import rank

log = logging.getLogger(__name__)


def positions(samples: IndexedShards, supervision: Supervision, cache: str) -> list[int]:
    """Positions of the cache's pictures among those of the shards, some of which may be unreadable."""
    keys, found = iter(enumerate(samples.keys.tolist())), []
    for wanted in supervision.keys:
        at = next((i for i, key in keys if key.decode() == wanted), None)
        if at is None:
            raise ValueError(f"{cache}/samples.json lists {wanted!r}, which the shards lack; run `python -m quantize.features`")
        found.append(at)
    return found


Share = NDArray[np.float64]


def targets_of(taught: TeacherOutputs, known: AnyTeacher, cells: Tensor, names: Tensor) -> Targets:
    """In float32 on the device; `cells` and `names` are those of the step."""
    device = known.names.device
    image, region, dense = (t.float().to(device) for t in (taught.image, taught.region, taught.dense.flatten(0, 1)))
    scales = known.scales
    return Targets(image, region, dense[cells.to(device)], known.names[names].float(), scales["image"], scales["region"])


@dataclass
class Batch:
    """`recalled` are the stored outputs of each teacher; None for one that is asked in the step."""

    canvases: Canvases
    recalled: list[TeacherOutputs | None]


class Drawing(Dataset[Batch]):
    """Each batch by its number: any process can draw any batch. `at` are the readable samples."""

    def __init__(self, recipe: BoardRecipe, samples: IndexedShards, at: list[int], share: Share, known: list[AnyTeacher]) -> None:
        self.recipe, self.samples, self.at, self.share, self.known = recipe, samples, at, share, known
        self.others = [t.size for t in known if isinstance(t, Teacher)]

    def __getitem__(self, number: int) -> Batch:
        r = self.recipe
        rng = np.random.default_rng([r.seed, number, rank()])
        some = min(r.data.batch_pictures, int((self.share > 0).sum()))
        rows = rng.choice(len(self.at), some, replace=False, p=self.share).tolist()
        chosen = rng.integers(r.distil.views, size=some).tolist()
        return self.batch(number, rows, chosen)

    def batch(self, number: int, rows: list[int], chosen: list[int]) -> Batch:
        """Of these pictures, each in the view that is chosen."""
        r = self.recipe
        where = [self.at[i] for i in rows]
        views = [
            show(self.samples[i], k, r.model.size, r.seed, r.distil, self.others) for i, k in zip(where, chosen, strict=True)
        ]
        recalled = [t.recall(where, chosen) if isinstance(t, Stored) else None for t in self.known]
        return Batch(collate(number, rows, views, r.distil.grid), recalled)


def load_teachers(recipe: BoardRecipe, samples: IndexedShards, names: list[str]) -> list[AnyTeacher]:
    """The teachers' stored outputs, or the teachers themselves."""
    d = recipe.distil
    if not d.teachers:
        raise ValueError("found no distil.teachers, expected paths of trained RegionClips with their weights")
    if not d.stored:
        return [load_teacher(Path(path), names, recipe.device) for path in d.teachers]
    return [
        Stored.open(folder_of(path, d), identity(path, recipe.model.size, recipe.seed, d, names), samples, recipe.device)
        for path in d.teachers
    ]


class Distil:
    """Raises FileNotFoundError or ValueError that says what is missing or wrong."""

    def __init__(self, recipe: BoardRecipe, samples: IndexedShards | None = None) -> None:
        self.recipe, self.supervision = recipe, load_supervision(recipe)
        self.samples = samples or IndexedShards([Path(p) for p in recipe.data.shards], Path(recipe.data.cache))
        self.known = load_teachers(recipe, self.samples, self.supervision.names)
        self.at = positions(self.samples, self.supervision, recipe.data.cache)
        self.drawing = Drawing(recipe, self.samples, self.at, self._share(), self.known)
        self.names = {n: i for i, n in enumerate(self.supervision.names)}
        torch.manual_seed(recipe.seed)  # here, so that the student begins the same beside other teachers
        self.trunk = load_trunk(recipe.model).to(recipe.device).requires_grad_(False)
        self.before = copy.deepcopy(self.trunk).eval()
        model = EdgeClip(self.trunk, recipe.model.dim, recipe.model.hidden, recipe.model.drop).to(recipe.device)
        maps = nn.ModuleList(nn.Linear(recipe.model.dim, t.names.shape[1], bias=False) for t in self.known).to(recipe.device)
        self.modules = nn.ModuleDict({"model": model, "maps": maps})
        if recipe.model.frozen:
            self.trunk.eval()
        else:
            self.modules["trunk"] = self.trunk.requires_grad_()
        first = self.drawing[0].canvases
        with torch.no_grad():
            vectors = vectors_of(maps_of(self.trunk, first, recipe.device), first)
        start_from_data(model, vectors.image, vectors.region, vectors.pixel, self.supervision)

    def _share(self) -> Share:
        """How often each picture is drawn; held-out pictures never."""
        s = self.supervision
        weight = np.array([self.recipe.data.source_weights.get(source, 1.0) for source in s.sources]) * ~s.dev.numpy()
        found: Share = weight / weight.sum()
        return found

    def groups(self) -> list[dict[str, Any]]:
        r, trunk = self.recipe, dict(self.modules.items()).get("trunk")
        maps = {"params": list(self.modules["maps"].parameters()), "lr": r.learning_rate, "weight_decay": r.weight_decay}
        return [*parameter_groups(cast(EdgeClip, self.modules["model"]), trunk, r), maps]

    def batches(self, first: int) -> Iterator[Batch]:
        loader = DataLoader(
            self.drawing, batch_size=None, sampler=count(first), num_workers=self.recipe.data.workers or spare_cores(),
            multiprocessing_context="fork", generator=torch.Generator(),
        )  # fmt: skip
        return iter(loader)

    def pictures(self, batch: Batch) -> int:
        return len(batch.canvases.views)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        r, s = self.recipe, self.supervision
        device = torch.device(r.device).type
        bf16 = torch.is_autocast_enabled(device)
        model = cast(EdgeClip, self.modules["model"])
        canvases = batch.canvases
        maps = maps_of(self.trunk, canvases, r.device)
        taught = [
            ask(known, canvases, r.distil.grid, r.device) if isinstance(known, Teacher) else recalled
            for known, recalled in zip(self.known, batch.recalled, strict=True)
        ]
        with torch.autocast(device, enabled=False):
            w = words(model, s, torch.default_generator)
            chosen = torch.randperm(len(s.names))[: r.distil.names].to(r.device)
            targets = [
                targets_of(t, known, canvases.cells, chosen) for t, known in zip(taught, self.known, strict=True) if t is not None
            ]
            seen = student_outputs(model, vectors_of(maps, canvases), w.classes, bf16)
            scales = model.scale("image"), model.scale("region")
            found = terms(seen, w.names[chosen], scales, targets, cast(nn.ModuleList, self.modules["maps"]), r.distil)
        if r.distil.supervised > 0:
            found |= {f"board_{k}": r.distil.supervised * v for k, v in self._supervised(model, maps, canvases).items()}
        return found

    def _supervised(self, model: EdgeClip, maps: Maps, batch: Canvases) -> dict[str, Tensor]:
        """The board's own losses on the same canvases."""
        r = self.recipe
        with torch.no_grad():
            towers = self.before.nanodet(normalise(batch.pixels.to(r.device)))
        canvases = [
            Canvas(view.pixels, [row], [view.sample], [view.placed]) for row, view in zip(batch.rows, batch.views, strict=True)
        ]
        with torch.autocast(torch.device(r.device).type, enabled=False):
            with torch.no_grad():
                answers = self.before.teacher_outputs([t.float() for t in towers])
            rng = np.random.default_rng([r.seed, batch.number, rank(), 1])
            points = collect(answers, maps, canvases, self.names, r.model.size, rng)
        return weighted(all_losses(model, points, self.supervision, torch.default_generator))

    def describe(self) -> dict[str, Any]:
        return asdict(self.recipe)
