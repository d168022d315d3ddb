"""The boxes that a bundle proposes in the pictures of a shard, with their region vectors: cached, one file a shard."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats, Integers
from quantize.data.shards import Sample, Shards
from quantize.evaluate.onnx import OnnxPredictor
from quantize.files import whole_file
from quantize.model.pooling import region_vectors
from quantize.model.trunk import Maps
from quantize.progress import track

BEST = 20
"""Of a picture's proposed boxes that are kept, by objectness."""
OTHERS = 16
"""Of the rest, by chance."""


@dataclass(frozen=True)
class Candidates:
    """One row a box, the boxes of a picture in a row."""

    keys: NDArray[np.str_]
    """`[P]`, of the pictures."""
    counts: Integers
    """`[P]`, how many rows each has."""
    boxes: Floats
    """`[N, 4]`, as fractions of the picture's sides."""
    objectness: Floats
    """`[N]`, logits; NaN of boxes that are not proposed but given."""
    vectors: NDArray[np.float16]
    """`[N, F]`"""

    @staticmethod
    def cat(parts: "list[Candidates]") -> "Candidates":
        """All pictures."""
        return Candidates(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Candidates)))


def maps_of(outputs: dict[str, Floats]) -> Maps:
    """The maps that region vectors are pooled from, as one batch."""
    towers = [torch.from_numpy(outputs[f"tower{stride}"])[None] for stride in (8, 16, 32)]
    return Maps(torch.from_numpy(outputs["semantic"])[None], torch.zeros(0), towers)


def vectors_of(outputs: dict[str, Floats], boxes: Floats, content: Floats, size: int) -> Tensor:
    """Region vectors `[N, F]` of boxes `[N, 4]` in input pixels."""
    at = torch.from_numpy(boxes)
    return region_vectors(
        maps_of(outputs), torch.zeros(len(at), dtype=torch.long), at, torch.from_numpy(content).expand(len(at), 4), size
    )


def look(predictor: OnnxPredictor, sample: Sample, given: Floats, rng: Generator) -> tuple[Floats, Floats, NDArray[np.float16]]:
    """Boxes, objectness and vectors: some of the proposed boxes, then the `given` ones (`[N, 4]`, fractions)."""
    outputs, placed = predictor.run_vision(sample.picture)
    content, size = np.array(placed.content, np.float32), predictor.manifest.size
    found, objectness = reference.candidates(outputs, predictor.manifest.detection, content)
    rest = rng.permutation(np.arange(BEST, max(len(found), BEST)))[:OTHERS]
    chosen = np.concatenate([np.arange(min(BEST, len(found))), np.sort(rest)]).astype(np.int64)
    offset, extent = content[:2], content[2:] - content[:2]
    own = given * np.tile(extent, 2) + np.tile(offset, 2)
    boxes = np.concatenate([found[chosen], own.reshape(-1, 4)]).astype(np.float32)
    logits = np.concatenate([objectness[chosen], np.full(len(given), np.nan)]).astype(np.float32)
    vectors = vectors_of(outputs, boxes, content, size) if len(boxes) else torch.zeros(0, 0)
    fractions = (boxes - np.tile(offset, 2)) / np.tile(extent, 2)
    return np.asarray(fractions, np.float32), logits, vectors.numpy().astype(np.float16)


def shard(predictor: OnnxPredictor, path: Path, given: dict[str, Floats], vision_sha256: str, cache: Path) -> Candidates:
    """What the bundle proposes in a shard's pictures, 50 ms each, beside their `given` boxes; kept in the folder `cache`."""
    kept = cache / f"candidates-{path.stem}-{vision_sha256[:12]}.npz"
    if not kept.exists():
        rng, none = np.random.default_rng(0), np.zeros((0, 4), np.float32)
        keys, rows = [], []
        for sample in track(Shards([path]), path.stem):
            found = look(predictor, sample, given.get(sample.key, none), rng)
            if len(found[0]):
                keys.append(sample.key)
                rows.append(found)
        cache.mkdir(parents=True, exist_ok=True)
        boxes, objectness, vectors = (np.concatenate([row[i] for row in rows]) for i in range(3))
        counts = np.array([len(row[0]) for row in rows], np.int64)
        with whole_file(kept) as draft, draft.open("wb") as file:
            np.savez(file, keys=np.array(keys), counts=counts, boxes=boxes, objectness=objectness, vectors=vectors)
    with np.load(kept) as arrays:
        return Candidates(**{field.name: arrays[field.name] for field in fields(Candidates)})
