"""WebDataset shards → `Sample`. A bad sample is named by shard and key, counted, and skipped."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import webdataset as wds
from numpy.typing import NDArray
from PIL import Image

log = logging.getLogger(__name__)

MIN_PSEUDO_SCORE = 0.5


@dataclass
class Box:
    """`rect` = x0, y0, x1, y1 as fractions of the picture; `score` is 1 for people's boxes, the detector's for pseudo-boxes."""

    rect: tuple[float, float, float, float]
    name: str
    score: float = 1.0
    text: str = ""  # what a person or an annotator said of it: a caption or a noun phrase


@dataclass(frozen=True)
class Tag:
    """A word that fits the picture; `kind` is `object` or `attribute` (TagAlign, arXiv 2312.14149)."""

    name: str
    kind: str


@dataclass
class Sample:
    """One picture with whatever supervision it has."""

    key: str
    source: str
    picture: NDArray[np.uint8]
    captions: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    mask: NDArray[np.int64] | None = None
    mask_names: list[str] = field(default_factory=list)
    mask_score: float = 1.0  # 1 for people's masks


class BadSample(ValueError):
    """Says what was wrong with one sample."""


@dataclass
class Shards:
    """Iterates every `every`-th sample of `paths` in order; `bad` counts what was skipped."""

    paths: list[Path]
    every: int = 1
    bad: int = 0

    def __post_init__(self) -> None:
        for path in self.paths:
            if not path.is_file():
                raise FileNotFoundError(f"shard {path} is missing; expected a WebDataset .tar (README.md, Train)")

    def __iter__(self) -> Iterator[Sample]:
        # every process reads all shards, and takes its part of the pictures by the numbers of its batches
        whole = {"shardshuffle": False, "empty_check": False, "nodesplitter": None}
        raw = wds.WebDataset([str(p) for p in self.paths], handler=self._pass_over, **whole)
        for item in islice(raw, 0, None, self.every):
            try:
                yield decode(item)
            except Exception as error:  # Pillow alone raises half a dozen types for a broken file
                self.bad += 1
                where = item.get("__url__", "?"), item.get("__key__", "?")
                log.warning("%s: sample %s skipped: %s: %s", *where, type(error).__name__, error)

    def _pass_over(self, error: Exception) -> bool:
        self.bad += 1
        log.warning("skipped: %s", error)
        return True


def decode(item: dict[str, Any]) -> Sample:
    """One item of the tar. Raises BadSample, or what Pillow and json raise, when something is wrong with it."""
    if "json" not in item or "jpg" not in item:
        raise BadSample(f"found parts {sorted(k for k in item if not k.startswith('__'))}, expected jpg and json")
    meta = json.loads(item["json"])
    if not isinstance(meta, dict):
        raise BadSample(f"json: found a {type(meta).__name__}, expected a table")
    picture = np.asarray(Image.open(io.BytesIO(item["jpg"])).convert("RGB"))
    sample = Sample(key=item["__key__"], source=str(meta.get("source", "")), picture=picture)
    sample.captions = [c for c in meta.get("captions", []) if c.strip()]
    sample.captions += [f"{qa['question'].rstrip('?')}? {qa['answer']}" for qa in meta.get("qa", [])]
    sample.captions += [c["text"] for c in meta.get("pseudo_captions", []) if c["text"].strip()]
    sample.tags = [Tag(t["name"], t["kind"]) for t in meta.get("tags", []) if t["score"] >= MIN_PSEUDO_SCORE]
    named = [*(meta[k] for k in ("label", "coarse") if k in meta), *meta.get("labels", [])]
    sample.labels = list(dict.fromkeys(named))
    sample.boxes = [_box(b["box"], b["name"], 1.0) for b in meta.get("boxes", [])]
    if not sample.boxes:
        pseudo = [b for b in meta.get("pseudo_boxes", []) if b["score"] >= MIN_PSEUDO_SCORE]
        said = [b.get("caption") or b.get("phrase") or "" for b in pseudo]
        sample.boxes = [_box(b["box"], b["name"], b["score"], text) for b, text in zip(pseudo, said, strict=True)]
    sample.boxes.sort(key=lambda b: -(b.rect[2] - b.rect[0]) * (b.rect[3] - b.rect[1]))
    if "mask.png" in item and "mask_names" in meta:
        sample.mask, sample.mask_names = _mask(item["mask.png"]), meta["mask_names"]
    elif "panoptic.png" in item and "segments" in meta:
        sample.mask, sample.mask_names = _panoptic(item["panoptic.png"], meta["segments"])
    elif "pseudo_mask.png" in item and "pseudo_mask_names" in meta:
        sample.mask, sample.mask_names = _mask(item["pseudo_mask.png"]), meta["pseudo_mask_names"]
    return sample


def _mask(png: bytes) -> NDArray[np.int64]:
    mask = np.asarray(Image.open(io.BytesIO(png))).astype(np.int64)
    if mask.ndim != 2:
        raise BadSample(f"mask has shape {mask.shape}, expected one index a pixel")
    return mask


def _box(rect: list[float], name: str, score: float, text: str = "") -> Box:
    x0, y0, x1, y1 = (min(max(float(v), 0.0), 1.0) for v in rect)
    if not (x0 < x1 and y0 < y1):
        raise BadSample(f"box {rect} of {name!r} is empty or inverted; expected x0 < x1 and y0 < y1 as fractions")
    return Box((x0, y0, x1, y1), name, score, text)


def plain_name(name: str) -> str:
    """COCO panoptic names in everyday words: `grass-merged` → `grass`, `wall-other-merged` → `wall`."""
    for suffix in ("-merged", "-other", "-stuff"):
        name = name.removesuffix(suffix)
    return name.replace("-", " ")


def _panoptic(png: bytes, segments: list[dict[str, Any]]) -> tuple[NDArray[np.int64], list[str]]:
    rgb = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int64)
    ids = rgb @ np.array([1, 256, 65536])
    names = ["unlabelled"]
    mask = np.zeros(ids.shape, np.int64)
    for segment in segments:
        name = plain_name(segment["name"])
        if name not in names:
            names.append(name)
        mask[ids == segment["id"]] = names.index(name)
    return mask, names


IGNORED_MASK_NAMES = frozenset({"null", "unlabelled", "void", "background", "none"})
