"""ConSE, the baseline without any training: names by way of a classifier's names.

Norouzi et al., Zero-Shot Learning by Convex Combination of Semantic Embeddings (2014): a picture's embedding is the mean
of the text embeddings of the ImageNet names, weighted by the classifier's probabilities.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from quantize.arithmetic.geometry import Floats, Integers
from quantize.arithmetic.reference import unit
from quantize.data.words import imagenet_names
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Picture
from quantize.evaluate.samples import Sample
from quantize.model.mobilenetv2 import load_mobilenetv2
from quantize.model.text import MiniLM
from quantize.progress import track

SIDE = 224
BATCH = 16
CROP = 1.2
"""Side of the square crop around a box, in longer sides of the box."""


def combine(probabilities: Floats, classes: Floats) -> Floats:
    """Pictures' embeddings `[N, D]`, unit norm, from probabilities `[N, C]` and the classes' text embeddings `[C, D]`."""
    return unit(probabilities @ classes)


def class_embeddings(vectors: Sequence[Floats]) -> Floats:
    """One unit vector per class, the mean of its synonyms' unit vectors, from a list of `[synonyms, D]`."""
    return unit(np.stack([unit(each).mean(axis=0) for each in vectors]))


def square_crop(picture: Picture, box: Floats) -> Picture:
    """The square of `CROP` times the longer side around a box `[4]`, cut at the picture's edges."""
    centre, half = (box[:2] + box[2:]) / 2, CROP * (box[2:] - box[:2]).max() / 2
    height, width = picture.shape[:2]
    x0, y0 = np.clip(np.floor(centre - half), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(centre + half), (x0 + 1, y0 + 1), (width, height)).astype(int)
    return picture[y0:y1, x0:x1]


def _squashed(picture: Picture) -> Picture:
    """The picture at the classifier's size."""
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


class Conse:
    """MobileNetV2 trained on ImageNet, and all-MiniLM-L6-v2."""

    def __init__(self, teachers: Path) -> None:
        """Loads the classifier and its names from a folder; the text encoder is a Python package."""
        self.classifier = load_mobilenetv2(teachers / "mobilenet_v2_imagenet.npz").eval()
        self.text = MiniLM.load()
        names = imagenet_names(teachers / "imagenet_labels.txt")
        vectors = self.embed_texts([name for synonyms in names for name in synonyms])
        ends = np.cumsum([len(synonyms) for synonyms in names])[:-1]
        self.classes = class_embeddings(np.split(vectors, ends))

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Unit vectors `[N, 384]`."""
        return unit(self.text.encode(list(texts)).numpy())

    @torch.no_grad()
    def embed_images(self, pictures: Iterable[Picture]) -> Floats:
        """Unit vectors `[N, 384]` of pictures, squashed to the classifier's square."""
        squashed, probabilities = [_squashed(picture) for picture in pictures], []
        for start in track(range(0, len(squashed), BATCH), f"ConSE x{BATCH}"):
            pixels = torch.from_numpy(np.stack(squashed[start : start + BATCH]))
            features = self.classifier((pixels / 127.5 - 1).permute(0, 3, 1, 2))[2].mean(dim=(2, 3))
            # The first class is the background, which has no name.
            probabilities.append(self.classifier.classifier(features)[:, 1:].softmax(dim=1).numpy())
        return combine(np.concatenate(probabilities), self.classes)

    def box_names(self, samples: Sequence[Sample]) -> Integers:
        """Which of COCO's names fits each labelled box, seen as a square crop, picture after picture."""
        crops = [square_crop(sample.picture(), box) for sample in samples for box in sample.boxes()[0]]
        return np.asarray((self.embed_images(crops) @ self.embed_texts(COCO_NAMES).T).argmax(axis=1), np.int64)
