"""What a bundle's own int8 trunk sees of labelled pictures: proposed boxes and given ones, kept in a file for each picture."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats, clip, pairwise_iou
from quantize.data import canvas as cv
from quantize.evaluate.onnx import OnnxPredictor
from quantize.files import whole_file
from quantize.labels.labelled import Labelled
from quantize.model.pooling import region_vectors
from quantize.model.trunk import Maps
from quantize.tune.plan import as_typed

BEST, OTHERS = 28, 12
"""Of a canvas's proposed boxes that are kept: the surest and those on a given box, and some of the rest by chance."""
NEAR = 0.4
"""IoU with a given box from which on a proposed box is kept whatever its place."""
RAMP = (0.4, 0.6)
"""A box is one of the given names in full from the second IoU on, not at all up to the first."""
JITTERS = 3
"""Of each given box, moved and scaled a little."""
SHIFT = 0.08
LEAST_SIDE = 6.0
"""Input pixels: a smaller given box is not learned."""
INSIDE_CROWD = 0.5


@dataclass(frozen=True)
class Boxes:
    """N boxes of some canvases; `wanted` says how far each is one of K names."""

    vectors: NDArray[np.float16]
    """`[N, F]`"""
    objectness: Floats
    """`[N]`, logits; NaN of boxes that are given."""
    wanted: NDArray[np.float16]
    """`[N, K]`"""
    ignored: NDArray[np.bool_]
    """`[N]`: in a crowd, or on a thing that the canvas cuts off."""
    counts: NDArray[np.int64]
    """`[canvases]`: how many boxes each has."""

    @staticmethod
    def cat(parts: "Sequence[Boxes]") -> "Boxes":
        """All canvases."""
        return Boxes(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Boxes)))


def look(predictor: OnnxPredictor, picture: Labelled, names: Sequence[str], views: int, rng: Generator) -> Boxes:
    """The picture as the board sees it, then `views` - 1 canvases with other crops and colours."""
    pixels, size = picture.picture(), predictor.manifest.size
    parts = []
    for view in range(views):
        placed = cv.plain(pixels, size) if view == 0 else cv.augmented(pixels, "", (0, 0, size, size), rng)
        canvas = np.full((size, size, 3), cv.GREY, np.uint8)
        placed.draw(pixels, canvas)
        parts.append(_canvas(predictor, canvas, placed, picture, names, rng))
    return Boxes.cat(parts)


def _canvas(
    predictor: OnnxPredictor,
    canvas: NDArray[np.uint8],
    placed: cv.Placement,
    picture: Labelled,
    names: Sequence[str],
    rng: Generator,
) -> Boxes:
    m = predictor.manifest
    outputs = run(predictor, canvas)
    content = np.array(placed.target, np.float32)
    found, objectness = reference.candidates(outputs, m.detection, content)
    at = {name: i for i, name in enumerate(names)}
    things = [(placed.box(t.rect), t) for t in picture.things]
    whole = [(rect, t) for rect, t in things if rect is not None and not t.crowd]
    given = np.array([rect for rect, _ in whole], np.float32).reshape(-1, 4)
    label = np.array([at[as_typed(t.name)] for _, t in whole], np.int64)
    unsure = np.array([rect or visible(placed, t.rect) for rect, t in things if rect is None or t.crowd], np.float32).reshape(
        -1, 4
    )
    near = pairwise_iou(found, given).max(axis=1, initial=0) >= NEAR
    order = np.argsort(~near, kind="stable")
    rest = rng.permutation(order[BEST:])[:OTHERS]
    chosen = np.concatenate([order[:BEST], rest]).astype(np.int64)
    large = (given[:, 2:] - given[:, :2]).min(axis=1, initial=np.inf) >= LEAST_SIDE
    extra = [given[large], *(jittered(given[large], content, rng) for _ in range(JITTERS))]
    boxes = np.concatenate([found[chosen], *extra]).astype(np.float32)
    logits = np.concatenate([objectness[chosen], np.full(len(boxes) - len(chosen), np.nan)]).astype(np.float32)
    overlap = pairwise_iou(boxes, given)
    share = np.clip((overlap - RAMP[0]) / (RAMP[1] - RAMP[0]), 0, 1)
    wanted = np.zeros((len(boxes), len(names)), np.float16)
    for column, name in enumerate(label.tolist()):
        wanted[:, name] = np.maximum(wanted[:, name], share[:, column])
    ignored = inside(boxes, unsure) > INSIDE_CROWD
    ignored &= wanted.max(axis=1, initial=0) == 0
    return Boxes(vectors(outputs, boxes, content, m.size), logits, wanted, ignored, np.array([len(boxes)]))


def run(predictor: OnnxPredictor, canvas: NDArray[np.uint8]) -> dict[str, Floats]:
    """The vision network's outputs for a canvas, without the batch axis."""
    names = [output.name for output in predictor.vision.get_outputs()]
    pixels = np.ascontiguousarray((canvas ^ 0x80).view(np.int8).transpose(2, 0, 1))
    return {name: value[0] for name, value in zip(names, predictor.vision.run(names, {"image": pixels[None]}), strict=True)}


def vectors(outputs: dict[str, Floats], boxes: Floats, content: Floats, size: int) -> NDArray[np.float16]:
    """Region vectors `[N, F]` of boxes in input pixels."""
    towers = [torch.from_numpy(outputs[f"tower{stride}"])[None] for stride in (8, 16, 32)]
    maps = Maps(torch.from_numpy(outputs["semantic"])[None], torch.zeros(0), towers)
    rows, at = torch.zeros(len(boxes), dtype=torch.long), torch.from_numpy(boxes)
    if not len(boxes):
        # of the picture itself, for the width alone
        return vectors(outputs, content[None], content, size)[:0]
    found = region_vectors(maps, rows, at, torch.from_numpy(content).expand(len(boxes), 4), size)
    return np.asarray(found.half().numpy(), np.float16)


def visible(placed: cv.Placement, rect: cv.Rect) -> cv.Rect:
    """What a canvas shows of a box, in its pixels."""
    x0, y0, x1, y1 = placed.target
    u = [(v - placed.crop[0]) / (placed.crop[2] - placed.crop[0]) for v in (rect[0], rect[2])]
    v = [(w - placed.crop[1]) / (placed.crop[3] - placed.crop[1]) for w in (rect[1], rect[3])]
    u = [1 - u[1], 1 - u[0]] if placed.flip else u
    u, v = [min(max(a, 0.0), 1.0) for a in u], [min(max(a, 0.0), 1.0) for a in v]
    return x0 + u[0] * (x1 - x0), y0 + v[0] * (y1 - y0), x0 + u[1] * (x1 - x0), y0 + v[1] * (y1 - y0)


def jittered(boxes: Floats, content: Floats, rng: Generator) -> Floats:
    """The same boxes as a detector might propose them."""
    extent = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(clip(boxes + extent * rng.normal(0, SHIFT, boxes.shape).clip(-2 * SHIFT, 2 * SHIFT), content), np.float32)


def inside(boxes: Floats, others: Floats) -> Floats:
    """The largest share of each box `[N, 4]` that lies in one of `others`."""
    if not len(others):
        return np.zeros(len(boxes), np.float32)
    low, high = np.maximum(boxes[:, None, :2], others[:, :2]), np.minimum(boxes[:, None, 2:], others[:, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    return np.asarray(shared.max(axis=1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6), np.float32)


def kept(
    predictor: OnnxPredictor, picture: Labelled, names: Sequence[str], views: int, seed: int, folder: Path, network: str
) -> Boxes:
    """The same from the `folder`, or computed and kept there; `network` is the vision network's hash."""
    place = picture.content
    state = place.path.stat()
    about = [
        str(place.path.resolve()),
        place.offset,
        state.st_size,
        state.st_mtime_ns,
        picture.key,
        list(names),
        views,
        seed,
        network,
    ]
    digest = hashlib.sha256(json.dumps([about, [(t.name, t.rect, t.crowd) for t in picture.things]]).encode()).hexdigest()[:20]
    path = folder / f"{digest}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = look(predictor, picture, names, views, np.random.default_rng([seed, *digest.encode()]))
        with whole_file(path) as draft, draft.open("wb") as file:
            np.savez(file, **vars(found))
    with np.load(path) as arrays:
        return Boxes(**{name: arrays[name] for name in arrays.files})
