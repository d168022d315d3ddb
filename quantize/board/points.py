"""Supervision points: the places of a picture where vision meets text (a picture, a region, a pixel), or a box (an anchor).

`collect` turns trunk maps and the canvases they came from into vectors with their targets. With a frozen trunk the vectors are
computed once and cached; with a trained one they are made in every step, and gradients flow through them.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_iou

from quantize.data.canvas import Rect
from quantize.data.layouts import Canvas
from quantize.data.shards import IGNORED_MASK_NAMES
from quantize.model.nanodet import BINS
from quantize.model.pooling import pool, region_vectors
from quantize.model.registry import STRIDES
from quantize.model.trunk import Maps, decode_boxes

PIXELS_PER_MASK = 48
PIXELS_PER_TAUGHT_MASK = 10  # teachers' masks are many
PIXELS_PER_PICTURE = 6
ANCHORS_POSITIVE = 16
ANCHORS_NEGATIVE = 24
LEAST_SIDE = 4  # of a box on the canvas, in pixels
MATCH_IOU = 0.5
SURE = 0.4  # score from which on the place of a detector's box is learned, too
NO_NAME = -1
DetectorOutputs = list[tuple[Tensor, Tensor]]  # a level's class logits and box bins, see Trunk.teacher_outputs


@dataclass
class Points:
    """Vectors with their targets. `*_sample` are positions in the list of samples, `*_name` in the list of names (-1: none)."""

    image: Tensor
    image_sample: Tensor
    region: Tensor
    region_sample: Tensor  # the sample whose texts describe the whole region, or -1
    region_box: Tensor  # position among the sample's boxes, or -1 when the region is the whole picture
    region_owner: Tensor  # the sample the region lies in
    region_name: Tensor
    region_weight: Tensor
    pixel: Tensor
    pixel_name: Tensor
    anchor: Tensor
    anchor_level: Tensor
    anchor_target: Tensor
    anchor_distance: Tensor  # left, top, right, bottom in strides of the box the anchor belongs to; NaN where it has none

    @staticmethod
    def cat(parts: "list[Points]") -> "Points":
        return Points(**{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Points)})

    def vectors_to(self, device: str) -> "Points":
        """With the vectors on `device`; the targets stay on the CPU beside the supervision that they index."""
        moved = {k: getattr(self, k).to(device) for k in ("image", "region", "pixel", "anchor")}
        return replace(self, **moved)


@dataclass(frozen=True)
class _Region:
    """A place on a canvas; `content` is what its context may reach into. The other fields are those of `Points`."""

    canvas: int
    rect: Rect
    content: tuple[int, int, int, int]
    owner: int
    sample: int = -1
    box: int = -1
    name: int = NO_NAME
    weight: float = 1.0


def _regions(canvases: list[Canvas], names: dict[str, int], size: int) -> list[_Region]:
    """Whole pictures, and each one's boxes that are large enough to see."""
    found = []
    for at, canvas in enumerate(canvases):
        for i, sample, placed in zip(canvas.index, canvas.samples, canvas.placed, strict=True):
            # in a mosaic the context of a box reaches into the neighbours, as it does in a real scene
            content = placed.target if canvas.single else (0, 0, size, size)
            x0, y0, x1, y1 = placed.target
            found.append(_Region(at, (float(x0), float(y0), float(x1), float(y1)), content, i, sample=i))
            for k, box in enumerate(sample.boxes):
                rect = placed.box(box.rect)
                if rect is not None and min(rect[2] - rect[0], rect[3] - rect[1]) >= LEAST_SIDE:
                    name = names.get(box.name, NO_NAME)
                    found.append(_Region(at, rect, content, i, box=k, name=name, weight=box.score))
    return found


def _mask_pixels(
    canvas: Canvas, names: dict[str, int], size: int, rng: Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int]]:
    xs, ys, ids = [np.zeros(0)], [np.zeros(0)], []
    for sample, placed in zip(canvas.samples, canvas.placed, strict=True):
        if sample.mask is None:
            continue
        x, y = rng.uniform(0, size, (2, PIXELS_PER_MASK * 4))
        u, v = placed.point(x, y)
        h, w = sample.mask.shape
        inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
        x, y, u, v = x[inside], y[inside], u[inside], v[inside]
        values = sample.mask[(v * h).astype(int), (u * w).astype(int)]
        label = [sample.mask_names[i] if i < len(sample.mask_names) else "void" for i in values]
        keep = [j for j, n in enumerate(label) if n not in IGNORED_MASK_NAMES and n in names]
        # every class of the picture gets its share, so that small things are not lost among skies and walls
        counts = {n: label.count(n) for n in set(label)}
        rng.shuffle(keep)
        most = PIXELS_PER_MASK if sample.mask_score == 1.0 else PIXELS_PER_TAUGHT_MASK
        keep = sorted(keep, key=lambda j: rng.random() * counts[label[j]] ** 0.5)[:most]
        xs.append(x[keep])
        ys.append(y[keep])
        ids += [names[label[j]] for j in keep]
    return np.concatenate(xs), np.concatenate(ys), ids


def _distances(rects: Tensor, stride: int, h: int, w: int) -> Tensor:
    """[M,4] boxes → [h*w,M,4] distances from each cell's centre to the sides, in strides (negative outside)."""
    ys, xs = torch.meshgrid(torch.arange(h, device=rects.device), torch.arange(w, device=rects.device), indexing="ij")
    centre = (torch.stack([xs, ys], -1).reshape(-1, 1, 2) + 0.5) * stride
    return torch.cat([centre - rects[:, :2], rects[:, 2:] - centre], -1) / stride


def _anchors(detected: DetectorOutputs, maps: Maps, regions: list[_Region]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Objectness targets: the teacher's best class score, or the IoU of the predicted box with a box times that box's score (1
    for people's), whichever is more.

    Box targets: the box from SURE on that the prediction overlaps by MATCH_IOU, if the cell lies in it and its bins can reach
    the sides.
    """
    vectors, levels, targets, distances = [], [], [], []
    boxed = torch.tensor([r.box >= 0 for r in regions])
    score_of = torch.tensor([r.weight for r in regions])
    rects = torch.tensor([r.rect for r in regions], dtype=torch.float32)
    canvas = torch.tensor([r.canvas for r in regions])
    for level, (stride, tower, (logits, bins)) in enumerate(zip(STRIDES, maps.towers, detected, strict=True)):
        score = logits.float().sigmoid().amax(1)
        predicted = decode_boxes(bins, stride)
        for b in range(len(score)):
            target = score[b].flatten()
            wanted = target.new_full((len(target), 4), float("nan"))
            chosen = boxed & (canvas == b)
            if chosen.any():
                mine = rects[chosen].to(target.device)
                iou = box_iou(predicted[b].reshape(-1, 4), mine)
                sure = score_of[chosen].to(iou.device)
                by_boxes = torch.where(iou >= MATCH_IOU, iou * sure, 0).amax(1)
                target = torch.maximum(target, by_boxes)
                best, which = torch.where(sure >= SURE, iou, 0).max(1)
                d = _distances(mine, stride, *tower.shape[2:])[torch.arange(len(which)), which]
                good = (best >= MATCH_IOU) & (d.amin(1) > 0) & (d.amax(1) < BINS - 1)
                wanted[good] = d[good]
            high = target.topk(min(ANCHORS_POSITIVE, len(target))).indices
            low = torch.randint(len(target), (ANCHORS_NEGATIVE,), device=target.device)
            at = torch.cat([high, low])
            vectors.append(tower[b].flatten(1)[:, at].T)
            levels.append(torch.full((len(at),), level))
            targets.append(target[at].cpu())
            distances.append(wanted[at].cpu())
    return torch.cat(vectors), torch.cat(levels), torch.cat(targets), torch.cat(distances)


def collect(
    detected: DetectorOutputs, maps: Maps, canvases: list[Canvas], names: dict[str, int], size: int, rng: Generator
) -> Points:
    """The points of one batch; `names` maps a name to its position in the bank, `detected` are the teacher's outputs."""
    device = maps.semantic.device
    single = [b for b, c in enumerate(canvases) if c.single]
    regions = _regions(canvases, names, size)
    rects = torch.tensor([r.rect for r in regions], dtype=torch.float32, device=device)
    content = torch.tensor([r.content for r in regions], dtype=torch.float32, device=device)
    region = region_vectors(maps, torch.tensor([r.canvas for r in regions], device=device), rects, content, size)

    places, canvas_of, pixel_name = [], [], []
    for b, canvas in enumerate(canvases):
        x, y, ids = _mask_pixels(canvas, names, size, rng)
        if canvas.single and not ids:
            x0, y0, x1, y1 = canvas.placed[0].target
            x, y = rng.uniform(x0, x1, PIXELS_PER_PICTURE), rng.uniform(y0, y1, PIXELS_PER_PICTURE)
            ids = [NO_NAME] * PIXELS_PER_PICTURE
        places.append(np.stack([x, y, x, y], 1))
        canvas_of += [b] * len(ids)
        pixel_name += ids
    at = torch.tensor(np.concatenate(places), dtype=torch.float32, device=device)
    of = torch.tensor(canvas_of, device=device, dtype=torch.long)
    pixel = torch.cat([pool(m, of, at, 1, size) for m in (maps.semantic, maps.middle, maps.towers[1])], 1)

    anchor, level, target, distance = _anchors(detected, maps, regions)
    return Points(
        image=maps.semantic[single].float().mean((2, 3)),
        image_sample=torch.tensor([canvases[b].index[0] for b in single], dtype=torch.long),
        region=region,
        region_sample=torch.tensor([r.sample for r in regions]),
        region_box=torch.tensor([r.box for r in regions]),
        region_owner=torch.tensor([r.owner for r in regions]),
        region_name=torch.tensor([r.name for r in regions]),
        region_weight=torch.tensor([r.weight for r in regions]),
        pixel=pixel,
        pixel_name=torch.tensor(pixel_name, dtype=torch.long),
        anchor=anchor.float(),
        anchor_level=level,
        anchor_target=target,
        anchor_distance=distance,
    )
