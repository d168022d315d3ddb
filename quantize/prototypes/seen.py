"""What a bundle sees of pictures, their boxes and its own candidates: the rows that statistics and weights are made from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.bundle.manifest import Pool
from quantize.data.shards import Sample, Shards
from quantize.data.words import lemma, synonyms
from quantize.evaluate.onnx import OnnxPredictor
from quantize.files import whole_file
from quantize.progress import track

EVERYDAY_CANDIDATES = 6
"""Candidates of a picture that are kept as everyday regions; of scenes all are kept."""
MATCH_IOU = 0.5


@dataclass(frozen=True)
class Seen:
    """Pictures or regions, one a row."""

    pooled: NDArray[np.float16]
    """`[N, C]`"""
    embedding: Floats
    """`[N, D]`, unit norm."""
    objectness: Floats
    """`[N]`, logits; 0 of pictures and given boxes."""
    names: NDArray[np.str_]
    """`[N]`; empty where nothing is known."""
    pictures: NDArray[np.str_]
    """`[N]`, keys."""

    def __len__(self) -> int:
        return len(self.objectness)

    def take(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> "Seen":
        """Some of the rows."""
        return Seen(**{field.name: getattr(self, field.name)[at] for field in fields(self)})


@dataclass(frozen=True)
class Material:
    """What was seen in a set of pictures."""

    pictures: Seen
    boxes: Seen
    candidates: Seen
    """Those of scenes have the names of the boxes that they match."""

    def without(self, keys: frozenset[str]) -> "Material":
        """The same, but for some pictures."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return Material(**{name: part.take(~np.isin(part.pictures, sorted(keys))) for name, part in parts.items()})


def joined(parts: Sequence[Material]) -> Material:
    """All of them."""
    return Material(*(stacked([getattr(part, field.name) for part in parts]) for field in fields(Material)))


def stacked(parts: Sequence[Seen]) -> Seen:
    """All rows, one part after the other."""
    return Seen(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Seen)})


def plain(label: str) -> str:
    """The first synonym in the singular: the same name for the same thing in all sources."""
    first = synonyms(label)[0] if synonyms(label) else label
    *before, last = first.lower().replace("_", " ").replace("-", " ").split() or [""]
    return " ".join([*before, lemma(last)])


def look(predictor: OnnxPredictor, samples: Iterable[Sample], region: Pool, picture: Pool) -> Material:
    """Runs the bundle over pictures."""
    return joined([_picture(predictor, sample, region, picture) for sample in samples])


def shard(predictor: OnnxPredictor, path: Path, pools: tuple[Pool, Pool], vision_sha256: str, cache: Path) -> Material:
    """What the bundle sees in a shard; kept in the folder `cache`, by the bundle's network."""
    kept = cache / f"seen-{path.stem}-{vision_sha256[:12]}.npz"
    if not kept.exists():
        material = look(predictor, track(Shards([path]), path.stem), *pools)
        cache.mkdir(parents=True, exist_ok=True)
        with whole_file(kept) as draft, draft.open("wb") as file:
            np.savez(file, **dict(_arrays(material)))  # type: ignore[arg-type]  # its stubs take names for flags
    with np.load(kept) as arrays:
        parts = {
            part.name: Seen(**{field.name: arrays[f"{part.name}.{field.name}"] for field in fields(Seen)})
            for part in fields(Material)
        }
    return Material(**parts)


def _arrays(material: Material) -> Iterator[tuple[str, NDArray[np.generic]]]:
    for part in fields(Material):
        for field in fields(Seen):
            yield f"{part.name}.{field.name}", getattr(getattr(material, part.name), field.name)


def _picture(predictor: OnnxPredictor, sample: Sample, region: Pool, picture: Pool) -> Material:
    outputs, placed = predictor.run_vision(sample.picture)
    content, size = np.array(placed.content, np.float32), predictor.manifest.size
    people = [box for box in sample.boxes if box.score == 1.0]
    names = [plain(box.name) for box in people]
    height, width = sample.picture.shape[:2]
    given = [placed.to_input((b.rect[0] * width, b.rect[1] * height, b.rect[2] * width, b.rect[3] * height)) for b in people]
    boxes = np.array(given, np.float32).reshape(-1, 4)
    found, objectness = reference.candidates(outputs, predictor.manifest.detection, content)
    if not scene(names):
        found, objectness = found[:EVERYDAY_CANDIDATES], objectness[:EVERYDAY_CANDIDATES]
    overlap = pairwise_iou(found, boxes) if len(boxes) else np.zeros((len(found), 1), np.float32)
    best = overlap.argmax(axis=1)
    matched = [names[i] if names and overlap[row, i] >= MATCH_IOU else "" for row, i in enumerate(best)]

    def rows(pool: Pool, at: Floats, embeddings: Floats, logits: Floats, called: list[str]) -> Seen:
        pooled = [reference.pooled(outputs, pool, size, content, box) for box in at]
        channels = sum(outputs[name].shape[0] for name in pool.maps[:1])
        values = np.array(pooled, np.float16).reshape(-1, channels)
        return Seen(values, embeddings, logits, np.array(called, np.str_), np.array([sample.key] * len(at), np.str_))

    label = plain(sample.labels[0]) if sample.labels else ""
    image = reference.unit(outputs["image_embedding"])[None]
    return Material(
        rows(picture, content[None], image, np.zeros(1, np.float32), [label]),
        rows(region, boxes, predictor.embed_boxes(outputs, placed, boxes), np.zeros(len(boxes), np.float32), names),
        rows(region, found, predictor.embed_boxes(outputs, placed, found), objectness, matched),
    )


def scene(names: Sequence[str]) -> bool:
    """Whether a picture shows several kinds of things, all of which people have boxed."""
    return len(set(names)) > 1


def keys_in(file: Path) -> frozenset[str]:
    """The first column of a list of keys, such as those to leave out."""
    lines = file.read_text().splitlines()
    return frozenset(line.split("\t")[0] for line in lines if line.strip() and not line.startswith("#"))
