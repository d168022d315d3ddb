"""Label maps as in TagAlign (Liu et al., 2023): each pixel's probabilities are σ(10 · cosine - 2.5)."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from quantize.arithmetic.geometry import Floats, Integers
from quantize.evaluate.predictor import DenseEmbeddings, Picture, Predictor
from quantize.evaluate.segmentation import sample_content

SCALE, BIAS = 10.0, -2.5
BACKGROUND = 0.4
"""Probability of the background, where there is one."""
VALUES_AT_ONCE = 1 << 25

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels."""
View = tuple[Window, DenseEmbeddings]


def windows(height: int, width: int, sliding: bool) -> list[Window]:
    """The whole picture, or squares of its short side that overlap by half."""
    if not sliding:
        return [(0, 0, width, height)]
    side = min(height, width)
    last = max(height, width) - side
    starts = [*range(0, last, max(side // 2, 1)), last]
    return [(at, 0, at + side, side) if width > height else (0, at, side, at + side) for at in starts]


def views(predictor: Predictor, pictures: Iterator[Picture], sliding: bool) -> Iterator[tuple[tuple[int, int], list[View]]]:
    """Height and width of each picture, and its windows with their embeddings."""
    planned: list[tuple[tuple[int, int], list[Window]]] = []

    def crops() -> Iterator[Picture]:
        for picture in pictures:
            size = (picture.shape[0], picture.shape[1])
            planned.append((size, windows(*size, sliding)))
            for x0, y0, x1, y1 in planned[-1][1]:
                yield picture[y0:y1, x0:x1]

    embedded = predictor.dense(crops())
    for first in embedded:
        size, places = planned.pop(0)
        yield size, list(zip(places, [first, *islice(embedded, len(places) - 1)], strict=True))


def label(seen: Sequence[View], prompts: Floats, size: tuple[int, int], background: bool) -> Integers:
    """The likeliest prompt at each pixel of a picture of `size` (height, width), by the mean of its windows: `[height, width]`.

    With a background, `len(prompts)` where no prompt reaches its probability.
    """
    height, width = size
    cosines = [np.einsum("nd,dhw->nhw", prompts, dense.embeddings) for _, dense in seen]
    labels = np.empty(size, np.int64)
    step = max(1, VALUES_AT_ONCE // (len(prompts) * width))
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        total = np.zeros((len(prompts), rows.stop - rows.start, width), np.float32)
        times = np.zeros(total.shape[1:], np.float32)
        for ((x0, y0, x1, y1), dense), cosine in zip(seen, cosines, strict=True):
            low, high = max(rows.start, y0), min(rows.stop, y1)
            if low >= high:
                continue
            sampled = sample_content(cosine, dense.content, (y1 - y0, x1 - x0), slice(low - y0, high - y0))
            place = (slice(low - rows.start, high - rows.start), slice(x0, x1))
            total[:, *place] += 1 / (1 + np.exp(-(SCALE * sampled + BIAS)))
            times[place] += 1
        best = total.argmax(axis=0)
        labels[rows] = np.where(total.max(axis=0) < BACKGROUND * times, len(prompts), best) if background else best
    return labels
