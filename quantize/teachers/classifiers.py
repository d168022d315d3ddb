"""Names of the whole picture and of square crops around its boxes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from quantize.board.regions import LEAST_SCORE, SAME_BOX, in_pixels, regions
from quantize.data.shards import Sample
from quantize.data.soft_labels import Arrays, packed
from quantize.data.words import imagenet_names
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.conse import SIDE, square_crop
from quantize.evaluate.predictor import Picture
from quantize.model.mobilenetv2 import load_mobilenetv2
from quantize.model.preparation import to_input
from quantize.settings.soft import SoftSettings
from quantize.teachers.tflite import SquareNet, version

Scores = NDArray[np.float32]
Found = Callable[[str], Mapping[str, Arrays]]
"""The detectors' answers about a picture, by its key."""


def best(scores: Scores, most: int) -> Arrays:
    """The best names of each row `[N, C]` and their scores, best first."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :most]
    return {"names": order.astype(np.uint16), "values": np.take_along_axis(scores, order, 1).astype(np.float16)}


class NameTeacher(ABC):
    """Rows: `rects` (the whole picture first), `names` and `values` of the best names."""

    names: list[str]
    weights: str

    def __init__(self, settings: SoftSettings, found: Found) -> None:
        """`found` tells what the detectors said."""
        self.settings, self.found = settings, found

    @property
    def version(self) -> str:
        """Weights, and what decides on the regions."""
        return f"{self.weights} boxes {self.settings.boxes} least {LEAST_SCORE} same {SAME_BOX} names {self.settings.names}"

    @abstractmethod
    def scores(self, crops: list[Picture]) -> Scores:
        """`[N, C]`."""

    def __call__(self, sample: Sample) -> Arrays:
        rects = regions(sample, self.found(sample.key), COCO_NAMES, self.settings.boxes)
        crops = [sample.picture, *(square_crop(sample.picture, box) for box in in_pixels(rects[1:], sample.picture))]
        return {"rects": packed(rects)} | best(self.scores(crops), self.settings.names)


class Labeler(NameTeacher):
    """Google's object labeler: 631 everyday names, each true or not; several are right at once."""

    def __init__(self, folder: Path, settings: SoftSettings, found: Found) -> None:
        super().__init__(settings, found)
        self.net = SquareNet(folder / "object_labeler.tflite")
        self.weights = version(folder / "object_labeler.tflite")
        self.names = (folder / "object_labeler_names.txt").read_text().splitlines()

    def scores(self, crops: list[Picture]) -> Scores:
        return np.stack([self.net.scores(crop) for crop in crops])


class Classifier(NameTeacher):
    """MobileNetV2 on ImageNet: one of 1000 names."""

    def __init__(self, folder: Path, settings: SoftSettings, found: Found) -> None:
        super().__init__(settings, found)
        path = folder / "mobilenet_v2_imagenet.npz"
        self.net = load_mobilenetv2(path).eval()
        self.weights = version(path)
        self.names = [names[0] for names in imagenet_names(folder / "imagenet_labels.txt")]

    @torch.no_grad()
    def scores(self, crops: list[Picture]) -> Scores:
        squashed = [np.asarray(Image.fromarray(crop).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for crop in crops]
        with torch.autocast("cpu", torch.bfloat16):
            semantic = self.net(to_input(squashed))[2]
        # the first class is the background, which has no name
        return np.asarray(self.net.classifier(semantic.float().mean((2, 3)))[:, 1:].softmax(1).numpy())
