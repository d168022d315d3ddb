"""A trained RegionClip as a predictor, from the `model.pt` that `quantize.train` leaves."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from quantize.arithmetic.geometry import Floats, nms
from quantize.arithmetic.preprocess import Letterbox, letterbox
from quantize.arithmetic.reference import MAX_BEFORE_NMS, name_boxes, unit
from quantize.evaluate.predictor import CheckpointError, DenseEmbeddings, Detections, Masks, Picture, Thresholds
from quantize.model.dense import Dense
from quantize.model.prediction import masks
from quantize.model.text import TEMPLATES
from quantize.model.trained import load_region_clip
from quantize.progress import track

T = TypeVar("T")
BATCH = 16
TEXTS = 256
CANDIDATE_IOU, LABEL_IOU = 0.65, 0.5
MAX_CANDIDATES = 300
TAG_SCALE, TAG_BIAS = 10.0, -2.5
"""TagAlign's (Liu et al., 2023)."""


@dataclass(frozen=True)
class Encoded:
    """A batch of pictures behind the encoder."""

    dense: Dense
    placed: list[Letterbox]


class RegionClipPredictor:
    """Computes in PyTorch, in float, on the GPU where there is one."""

    thresholds = Thresholds()

    def __init__(self, checkpoint: Path) -> None:
        """Loads `model.pt`; raises CheckpointError."""
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self.model = load_region_clip(checkpoint).to(self.device).eval()
        except (FileNotFoundError, ValueError) as error:
            raise CheckpointError(f"{error} (--checkpoint)") from None
        if self.model.encoder is None or self.model.text_tower is None:
            raise CheckpointError(f"{checkpoint}: found a model over cached features, expected one with encoder and text tower")

    @torch.no_grad()
    def _see(self, pictures: Sequence[Picture]) -> Encoded:
        inputs, placed = zip(*(letterbox(picture, self.model.settings.size) for picture in pictures), strict=True)
        pixels = torch.from_numpy(np.stack(inputs)).to(self.device).float() / 127.5
        return Encoded(self.model.encode(pixels), list(placed))

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """See `Predictor`."""
        starts: Iterable[int] = range(0, len(texts), TEXTS)
        if len(texts) > TEXTS:
            starts = track(starts, f"texts x{TEXTS}")
        parts = []
        for start in starts:
            chosen = texts[start : start + TEXTS]
            forms = [self.model.text([template.replace("{}", text) for text in chosen]) for template in TEMPLATES]
            parts.append(unit(_numpy(torch.stack(forms).mean(0))))
        return np.concatenate(parts)

    @torch.no_grad()
    def embed_images(self, pictures: Iterable[Picture]) -> Floats:
        """See `Predictor`."""
        return np.concatenate([_numpy(self.model.image(self._see(batch).dense)) for batch in _batches(pictures)])

    @torch.no_grad()
    def embed_regions(self, pictures: Iterable[tuple[Picture, Floats]]) -> Iterator[Floats]:
        """See `Predictor`."""
        for batch in _batches(pictures):
            seen = self._see([picture for picture, _ in batch])
            size = self.model.settings.size
            inside = [
                np.array([placed.to_input(tuple(box)) for box in boxes.tolist()], np.float32).reshape(-1, 4) / size
                for placed, (_, boxes) in zip(seen.placed, batch, strict=True)
            ]
            counts = [len(boxes) for boxes in inside]
            owner = torch.arange(len(batch), device=self.device).repeat_interleave(torch.tensor(counts, device=self.device))
            corners = torch.from_numpy(np.concatenate(inside)).to(self.device)
            yield from np.split(_numpy(self.model.regions(seen.dense, corners, owner)), np.cumsum(counts)[:-1])

    @torch.no_grad()
    def dense(self, pictures: Iterable[Picture]) -> Iterator[DenseEmbeddings]:
        """See `Predictor`."""
        for batch in _batches(pictures):
            seen = self._see(batch)
            for embeddings, placed in zip(_numpy(self.model.pixels(seen.dense)), seen.placed, strict=True):
                yield DenseEmbeddings(embeddings, _content(placed))

    @torch.no_grad()
    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        """See `Detector`: the geometric mean of objectness and of the softmax over the names (FG-CLIP 2, Xie et al., 2025)."""
        prompts = torch.from_numpy(self.embed_texts(names)).to(self.device)
        for batch in _batches(pictures):
            seen = self._see(batch)
            found = self.model.predict(seen.dense)
            for i, placed in enumerate(seen.placed):
                content = _content(placed)
                boxes = np.clip(_numpy(found.boxes[i]), np.tile(content[:2], 2), np.tile(content[2:], 2))
                objectness = _numpy(found.objectness[i].sigmoid())
                usable = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
                best = usable[np.argsort(-objectness[usable], kind="stable")[:MAX_BEFORE_NMS]]
                kept = best[nms(boxes[best], objectness[best], CANDIDATE_IOU)[:MAX_CANDIDATES]]
                corners = torch.from_numpy(boxes[kept]).to(self.device)
                owner = torch.full((len(kept),), i, device=self.device)
                regions = self.model.regions(seen.dense, corners, owner)
                named = _numpy((self.model.scale("region") * regions @ prompts.T).softmax(1))
                scores = np.sqrt(objectness[kept, None] * named)
                rows, labels = name_boxes(boxes[kept], scores, threshold, LABEL_IOU)
                rows, labels = rows[:top], labels[:top]
                source = [placed.to_source(tuple(box)) for box in (boxes[kept][rows] * placed.size).tolist()]
                of_kept = Masks(_numpy(masks(found, owner, torch.from_numpy(kept).to(self.device))), content, rows)
                yield Detections(np.array(source, np.float32).reshape(-1, 4), labels, scores[rows, labels], of_kept)

    def tag_scores(self, pictures: Iterable[Picture], names: Sequence[str]) -> Floats:
        """See `Predictor`."""
        cosines = self.embed_images(pictures) @ self.embed_texts(names).T
        return np.asarray(1 / (1 + np.exp(-(TAG_SCALE * cosines + TAG_BIAS))), np.float32)


def _content(placed: Letterbox) -> Floats:
    """Where the picture lies, as fractions of the canvas."""
    return np.array([edge / placed.size for edge in placed.content], np.float32)


def _numpy(values: Tensor) -> Floats:
    return values.float().cpu().numpy()


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
