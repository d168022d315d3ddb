"""Whether a model sees which colour a thing has: given boxes are tinted, and "red bus" competes with "blue bus"."""

from collections.abc import Iterator

import numpy as np

from quantize.arithmetic.geometry import Floats, area
from quantize.evaluate.conditions import LUMA
from quantize.evaluate.predictor import Picture, Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.shard_sets import ShardSets
from quantize.evaluate.statistics import share
from quantize.progress import track

COLOURS = {"red": (225, 40, 35), "green": (40, 170, 60), "blue": (45, 80, 225), "yellow": (240, 215, 40)}
LEAST_SHARE = 0.02
"""Of the picture's area; smaller boxes are left out."""
STRENGTH = 0.75
"""Share of the tint in the tinted pixels."""


def tinted(picture: Picture, box: Floats, colour: tuple[int, int, int]) -> Picture:
    """The picture with one colour over a box `[4]` (pixels); light and dark stay."""
    x0, y0, x1, y1 = np.round(box).astype(int)
    painted = picture.astype(np.float32)
    inside = painted[y0:y1, x0:x1]
    light = (inside @ LUMA)[..., None] / 255
    # a dark thing is dark red, a bright one light red
    tint = np.where(light < 0.5, 2 * light * np.array(colour), 255 - 2 * (1 - light) * (255 - np.array(colour)))
    painted[y0:y1, x0:x1] = STRENGTH * tint + (1 - STRENGTH) * inside
    return np.clip(painted, 0, 255).astype(np.uint8)


def measure(predictor: Predictor, data: ShardSets, settings: Settings) -> Outcome:
    """Share of tinted boxes whose colour wins, of as many as there are colours."""
    names: list[str] = []

    def given() -> Iterator[tuple[Picture, Floats]]:
        for sample in track(data.validation.coco, "tinted boxes"):
            picture = sample.picture()
            boxes, labels = sample.boxes()
            for box, label, size in zip(boxes, labels, area(boxes), strict=True):
                if size >= LEAST_SHARE * picture.shape[0] * picture.shape[1]:
                    names.append(label)
                    for colour in COLOURS.values():
                        yield tinted(picture, box, colour), box[None]

    embedded = np.concatenate(list(predictor.embed_regions(given())))
    each = list(dict.fromkeys(names))
    prompts = predictor.embed_texts([f"{colour} {name}" for name in each for colour in COLOURS])
    prompts = prompts.reshape(len(each), len(COLOURS), -1)
    owner = [name for name in names for _ in COLOURS]
    best = np.array([(prompts[each.index(name)] @ vector).argmax() for name, vector in zip(owner, embedded, strict=True)])
    right = best == np.tile(np.arange(len(COLOURS)), len(names))
    return Outcome({f"colour of tinted boxes, one of {len(COLOURS)}": share(right)}, {"tinted boxes": len(names)})
