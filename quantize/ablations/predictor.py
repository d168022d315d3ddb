"""A RegionClip that answers by the parts that its row has trained. All rows share the encoder's features and the proposals."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from quantize.ablations.rows import Row
from quantize.alignment.texts import Texts
from quantize.arithmetic.geometry import Floats, nms
from quantize.arithmetic.preprocess import GREY, Letterbox, letterbox
from quantize.evaluate.nanodet import NanoDet
from quantize.evaluate.predictor import DenseEmbeddings, Detections, Picture, Thresholds
from quantize.model.dense import Dense
from quantize.model.preparation import normalise
from quantize.model.region_clip import RegionClip
from quantize.model.regions import align

PROPOSAL_IOU = 0.6
CHUNK = 64
SCALES = {"image": "image", "patches": "tag", "regions": "region"}
Boxes = tuple[Floats, Floats]


class SharedFeatures:
    """Dense features and NanoDet's boxes of the pictures measured, computed once for all rows and seeds."""

    def __init__(self, model: RegionClip, size: int, detector: NanoDet, proposals: int) -> None:
        self.encode, self.size, self.detector, self.most = model.encode, size, detector, proposals
        self._dense: dict[int, tuple[Dense, Letterbox]] = {}
        self._boxes: dict[int, Boxes] = {}

    def dense(self, picture: Picture) -> tuple[Dense, Letterbox]:
        """Of one picture, batch axis included, and how it lies in the input."""
        key = hash(picture.tobytes())
        if key not in self._dense:
            pixels, placed = letterbox(picture, self.size)
            canvas = torch.from_numpy(pixels.transpose(1, 2, 0).astype(np.int16) + GREY)[None]
            with torch.no_grad():
                self._dense[key] = self.encode(normalise(canvas)), placed
        return self._dense[key]

    def proposals(self, picture: Picture) -> Boxes:
        """Boxes [N,4] in source pixels of things of any kind, and their objectness [N]: NanoDet's best class score."""
        key = hash(picture.tobytes())
        if key not in self._boxes:
            boxes, scores = self.detector.cells(picture)
            best = scores.max(axis=1)
            kept = nms(boxes, best, PROPOSAL_IOU)[: self.most]
            self._boxes[key] = boxes[kept], best[kept]
        return self._boxes[key]


class RowPredictor:
    """See `evaluate.predictor.Predictor`; one row's model on the features of `SharedFeatures`."""

    thresholds = Thresholds()

    def __init__(self, model: RegionClip, kept: dict[str, Tensor], row: Row, seen: SharedFeatures) -> None:
        self.model, self.row, self.seen = model.eval(), row, seen
        self.texts = Texts(model, kept)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Floats:
        return self.texts.names(list(texts)).numpy()

    @torch.no_grad()
    def embed_images(self, pictures: Iterable[Picture]) -> Floats:
        return np.concatenate([self.model.image(self.seen.dense(p)[0]).numpy() for p in pictures])

    @torch.no_grad()
    def embed_regions(self, pictures: Iterable[tuple[Picture, Floats]]) -> Iterator[Floats]:
        for picture, boxes in pictures:
            yield self._regions(picture, boxes)

    def _regions(self, picture: Picture, boxes: Floats) -> Floats:
        dense, placed = self.seen.dense(picture)
        rects = [placed.to_input((b[0], b[1], b[2], b[3])) for b in boxes.tolist()]
        at = torch.tensor(rects, dtype=torch.float32).reshape(-1, 4) / self.seen.size
        owner = torch.zeros(len(at), dtype=torch.long)
        if self.row.region_by == "regions":
            found = self.model.regions(dense, at, owner)
        elif self.row.region_by == "patches":
            patches = self.model.projector(dense.map)
            found = F.normalize(align(patches, at, owner, self.model.settings.roi_samples), dim=1)
        else:
            found = self.model.image(Dense(dense.map, align(dense.map, at, owner, self.model.settings.roi_samples)))
        return found.numpy()

    @torch.no_grad()
    def dense(self, pictures: Iterable[Picture]) -> Iterator[DenseEmbeddings]:
        for picture in pictures:
            dense, placed = self.seen.dense(picture)
            if self.row.pixel_by == "patches":
                cells = self.model.pixels(dense)[0]
            else:
                flat = self.model.image(Dense(dense.map, dense.map.flatten(2).transpose(1, 2)))[0]
                cells = flat.T.reshape(-1, *dense.map.shape[2:])
            yield DenseEmbeddings(cells.numpy(), np.array([edge / placed.size for edge in placed.content], np.float32))

    @torch.no_grad()
    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        """score = objectness x softmax over the names of scale x cosine."""
        words, scale = self.texts.names(list(names)), float(self.model.scale(SCALES[self.row.region_by]))
        for picture in pictures:
            boxes, objectness = self.seen.proposals(picture)
            cosines = torch.from_numpy(self._regions(picture, boxes)) @ words.T
            scores = (scale * cosines).softmax(1).numpy() * objectness[:, None]
            best = np.argsort(-scores, axis=None, kind="stable")[:top]
            rows, labels = np.unravel_index(best[scores.ravel()[best] >= threshold], scores.shape)
            yield Detections(boxes[rows], labels.astype(np.int64), scores[rows, labels].astype(np.float32))

    def tag_scores(self, pictures: Iterable[Picture], names: Sequence[str]) -> Floats:
        """Softmax over the names: a row has no calibration of its own."""
        cosines = torch.from_numpy(self.embed_images(pictures) @ self.embed_texts(names).T)
        scores: Floats = (float(self.model.scale("image")) * cosines).softmax(1).detach().numpy()
        return scores
