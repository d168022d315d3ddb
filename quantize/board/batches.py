"""Batches of points for one training step: drawn from the cache (frozen trunk) or made on the spot (trained trunk)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from quantize.board.points import Points, collect
from quantize.board.supervision import Supervision
from quantize.data.layouts import Canvas, Layout, draw, layouts
from quantize.data.shards import Sample
from quantize.data.workers import spare_cores
from quantize.model.preparation import normalise
from quantize.model.trunk import Maps, Trunk
from quantize.settings.board import BoardRecipe
from quantize.training.distributed import rank

IMAGE, REGION = (
    ("image", "image_sample"),
    ("region", "region_sample", "region_box", "region_owner", "region_name", "region_weight"),
)
PIXEL, ANCHOR = ("pixel", "pixel_name"), ("anchor", "anchor_level", "anchor_target", "anchor_distance")


def view_file(recipe: BoardRecipe, view: str, shard: str) -> Path:
    """Where the points of one view of a shard's pictures are cached."""
    return Path(recipe.data.cache) / f"view-{view}-{Path(shard).stem}.safetensors"


class CachedPoints:
    """All views of the cache in memory. Held-out pictures give no image and region points; pixels and anchors have no owner."""

    def __init__(self, recipe: BoardRecipe, supervision: Supervision) -> None:
        views = []
        for view in recipe.data.views:
            for shard in recipe.data.shards:
                path = view_file(recipe, view, shard)
                if not path.exists():
                    raise FileNotFoundError(f"{path} is missing; run `python -m quantize.features` with this recipe first")
                views.append(Points(**load_file(path)))
        self.points = Points.cat(views)
        s, dev = self.points, supervision.dev
        weight = torch.tensor([recipe.data.source_weights.get(source, 1.0) for source in supervision.sources])
        self.image_weight = weight[s.image_sample] * ~dev[s.image_sample]
        self.region_weight = self._region_weight(supervision, weight) * ~dev[s.region_owner]
        count = torch.bincount(s.pixel_name + 1).float()
        self.pixel_weight = count.clamp(min=1).pow(-0.5)[s.pixel_name + 1]
        self.recipe = recipe

    def _region_weight(self, supervision: Supervision, weight: Tensor) -> Tensor:
        """Names are drawn by the inverse square root of how often they occur; half of the weight goes to whole pictures."""
        s = self.points
        named = (s.region_name >= 0) & ~supervision.dev[s.region_owner]
        count = torch.bincount(s.region_name[named], minlength=len(supervision.names)).float().clamp(min=1)
        by_name = torch.where(
            named, count.pow(-0.5)[s.region_name.clamp(min=0)] * s.region_weight.float(), torch.zeros(len(named))
        )
        whole = torch.where(s.region_sample >= 0, weight[s.region_owner], torch.zeros(len(named)))
        return 0.6 * by_name / by_name.sum() + 0.4 * whole / whole.sum()

    def _take(self, names: tuple[str, ...], weight: Tensor, n: int, g: torch.Generator) -> dict[str, Tensor]:
        # torch.multinomial takes at most 2^24 categories
        at = torch.multinomial(weight, n, replacement=True, generator=g)
        return {k: getattr(self.points, k)[at] for k in names}

    def batches(self, first: int) -> Iterator[Points]:
        """From number `first` on, on the recipe's device."""
        for number in count(first):
            seed = np.random.SeedSequence([self.recipe.seed, number, rank()]).generate_state(1, np.uint64)[0]
            yield self.batch(torch.Generator().manual_seed(int(seed) >> 1)).vectors_to(self.recipe.device)

    def batch(self, g: torch.Generator) -> Points:
        r = self.recipe
        at = torch.randint(len(self.points.anchor), (r.data.batch_anchors,), generator=g)
        parts = self._take(IMAGE, self.image_weight, r.data.batch_images, g)
        parts |= self._take(REGION, self.region_weight, r.data.batch_regions, g)
        parts |= self._take(PIXEL, self.pixel_weight, r.data.batch_pixels, g)
        parts |= {k: getattr(self.points, k)[at] for k in ANCHOR}
        return Points(**parts)


Step = tuple[Tensor, list[Layout]]


class Drawing(Dataset[Step]):
    """The canvases of each batch, by its number: any process can draw any batch. A third each is plain, augmented and mosaic."""

    def __init__(self, recipe: BoardRecipe, supervision: Supervision, samples: list[Sample]) -> None:
        self.recipe, self.samples = recipe, samples
        weight = torch.tensor([recipe.data.source_weights.get(source, 1.0) for source in supervision.sources])
        share = (weight * ~supervision.dev).double().numpy()
        self.share = share / share.sum()

    def __getitem__(self, number: int) -> Step:
        """Pixels `[B,S,S,3]` uint8, and the pictures and placements of each canvas."""
        r = self.recipe
        rng = np.random.default_rng([r.seed, number, rank(), 0])
        chosen = rng.choice(
            len(self.samples), min(r.data.batch_pictures, int((self.share > 0).sum())), replace=False, p=self.share
        ).tolist()
        cut = len(chosen) // 3
        found: list[Layout] = []
        for view, part in (("plain", chosen[:cut]), ("augmented", chosen[cut : 2 * cut]), ("mosaic", chosen[2 * cut :])):
            local = layouts(view, [self.samples[i] for i in part], r.model.size, rng)
            found += [([part[i] for i in index], placed) for index, placed in local]
        drawn = [draw(index, [self.samples[i] for i in index], placed, r.model.size).pixels for index, placed in found]
        return torch.from_numpy(np.stack(drawn)), found


@dataclass
class Drawn:
    """The canvases of batch `number`: pixels `[B,S,S,3]` uint8, and the pictures and placements of each."""

    number: int
    pixels: Tensor
    layouts: list[Layout]


class LivePoints:
    """Draws canvases and runs the trunk in every step, so that gradients reach it; `teacher` is the trunk before training."""

    def __init__(self, recipe: BoardRecipe, supervision: Supervision, samples: list[Sample], teacher: Trunk) -> None:
        if [s.key for s in samples] != supervision.keys:
            raise SystemExit(
                f"{recipe.data.cache}/samples.json lists other pictures than the shards; run `python -m quantize.features`"
            )
        self.recipe, self.samples, self.teacher = recipe, samples, teacher
        self.names = {n: i for i, n in enumerate(supervision.names)}
        self.drawing = Drawing(recipe, supervision, samples)

    def batches(self, first: int) -> Iterator[Drawn]:
        """From number `first` on; other processes draw the pixels of the next steps while one trains."""
        # processes: Pillow's colour changes and numpy's bookkeeping hold Python's lock
        loader = DataLoader(
            self.drawing, batch_size=None, sampler=count(first), num_workers=self.recipe.data.workers or spare_cores(),
            multiprocessing_context="fork",
            generator=torch.Generator(),  # its own, so that a resumed run finds the global one as it was
        )  # fmt: skip
        for number, (pixels, found) in enumerate(loader, first):
            yield Drawn(number, pixels, found)

    def points(self, trunk: Trunk, batch: Drawn) -> Points:
        """Runs `trunk`; its products are in bf16 or not as autocast says, its maps float32."""
        r = self.recipe
        x = normalise(batch.pixels.to(r.device))
        maps = trunk(x)
        with torch.no_grad():
            towers = self.teacher.nanodet(x)
        with torch.autocast(x.device.type, enabled=False):
            maps = Maps(maps.semantic.float(), maps.middle.float(), [t.float() for t in maps.towers])
            with torch.no_grad():
                detected = self.teacher.teacher_outputs([t.float() for t in towers])
            canvases = [
                Canvas(image.numpy(), index, [self.samples[i] for i in index], placed)
                for image, (index, placed) in zip(batch.pixels, batch.layouts, strict=True)
            ]
            rng = np.random.default_rng([r.seed, batch.number, rank(), 1])
            return collect(detected, maps, canvases, self.names, r.model.size, rng)
