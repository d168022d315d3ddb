"""What a bundle's trunk sees of whole pictures, and what is known of these: cached, one file a shard and network."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats
from quantize.data.shards import Shards
from quantize.evaluate.onnx import OnnxPredictor
from quantize.files import whole_file
from quantize.progress import track

WINDOWS = 3
"""Random parts of a picture beside the whole of it."""
LEAST_PART = 0.6
"""Of the content's cells that a part spans, in each direction."""


@dataclass(frozen=True)
class Pictures:
    """One row a picture."""

    keys: NDArray[np.str_]
    views: NDArray[np.float16]
    """`[N, 1 + WINDOWS, C]`: means of the semantic map over the whole canvas, then over parts of the picture."""
    image: Floats
    """`[N, D]`: the bundle's own embeddings."""

    @staticmethod
    def cat(parts: list["Pictures"]) -> "Pictures":
        """All rows."""
        return Pictures(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("keys", "views", "image")))


def views(semantic: Floats, content: Floats, size: int, rng: Generator) -> Floats:
    """`[C, h, w]` and the content rectangle in pixels → `[1 + WINDOWS, C]`.

    A part keeps the canvas's share of padding, as its picture would have on the board.
    """
    h, w = semantic.shape[1:]
    x0, y0, x1, y1 = np.rint(content * np.array([w, h, w, h]) / size).astype(int)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    whole = semantic.mean((1, 2))
    inside = semantic[:, y0:y1, x0:x1]
    rest = whole - inside.sum((1, 2)) / (h * w)  # what the padding adds to the mean
    share = (y1 - y0) * (x1 - x0) / (h * w)
    found = [whole]
    for _ in range(WINDOWS):
        top, left, high, wide = _part(y1 - y0, x1 - x0, rng)
        found.append(rest + share * inside[:, top : top + high, left : left + wide].mean((1, 2)))
    return np.stack(found).astype(np.float32)


def _part(h: int, w: int, rng: Generator) -> tuple[int, int, int, int]:
    high, wide = (int(np.ceil(side * rng.uniform(LEAST_PART, 1))) for side in (h, w))
    return int(rng.integers(h - high + 1)), int(rng.integers(w - wide + 1)), high, wide


def shard(predictor: OnnxPredictor, path: Path, vision_sha256: str, cache: Path) -> Pictures:
    """What the bundle sees of a shard's pictures, 40 ms each, kept in the folder `cache`."""
    kept = cache / f"pictures-{path.stem}-{vision_sha256[:12]}.npz"
    if not kept.exists():
        rng, keys, seen, image = np.random.default_rng(0), [], [], []
        for sample in track(Shards([path]), path.stem):
            outputs, placed = predictor.run_vision(sample.picture)
            keys.append(sample.key)
            seen.append(views(outputs["semantic"], np.array(placed.content), predictor.manifest.size, rng).astype(np.float16))
            image.append(reference.unit(outputs["image_embedding"][None])[0])
        cache.mkdir(parents=True, exist_ok=True)
        with whole_file(kept) as draft, draft.open("wb") as file:
            np.savez(file, keys=np.array(keys), views=np.stack(seen), image=np.stack(image))
    with np.load(kept) as arrays:
        return Pictures(arrays["keys"], arrays["views"], arrays["image"])


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Keys and records of a shard, whose pictures are not read."""
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name.endswith(".json") else None
            if content is not None:
                yield member.name.removesuffix(".json"), json.load(content)
