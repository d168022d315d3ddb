"""The protocols by name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from quantize.evaluate.datasets import (
    ade20k,
    captions,
    cityscapes,
    coco,
    coco_panoptic,
    coco_stuff,
    context,
    imagenet,
    lvis,
    ovad,
    voc,
)
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols import attributes, classification, detection, given_boxes, panoptic, retrieval, segmentation
from quantize.evaluate.protocols.outcome import Outcome, Settings


@dataclass(frozen=True)
class Protocol:
    """A set and how it is measured."""

    title: str
    source: ModuleType
    load: Callable[[Path], Any]
    measure: Callable[[Predictor, Any, Settings], Outcome]

    def layout(self) -> str:
        """What the set is, and which files it has."""
        return inspect.getdoc(self.source) or ""


def protocols(names: Path | None = None) -> dict[str, Protocol]:
    """All of them; `names` are other names for ImageNet's classes, one per line."""
    maps = segmentation.measure
    return {
        "coco-detection": Protocol("COCO zero-shot detection", coco, coco.load, detection.measure_coco),
        "lvis-detection": Protocol("LVIS zero-shot detection, fixed AP", lvis, lvis.load, detection.measure_lvis),
        "coco-boxes": Protocol("COCO, given boxes", coco, coco.load, given_boxes.measure),
        "lvis-boxes": Protocol("LVIS, given boxes", lvis, lvis.load, given_boxes.measure),
        "ade20k": Protocol("ADE20K label maps", ade20k, ade20k.load, maps),
        "voc20": Protocol("PASCAL VOC label maps", voc, lambda folder: voc.load(folder, False), maps),
        "voc21": Protocol("PASCAL VOC label maps with background", voc, lambda folder: voc.load(folder, True), maps),
        "context59": Protocol("PASCAL Context label maps", context, lambda folder: context.load(folder, False), maps),
        "context60": Protocol(
            "PASCAL Context label maps with background", context, lambda folder: context.load(folder, True), maps
        ),
        "coco-stuff": Protocol("COCO-Stuff label maps", coco_stuff, lambda folder: coco_stuff.load(folder, False), maps),
        "coco-object": Protocol(
            "COCO label maps of things with background", coco_stuff, lambda folder: coco_stuff.load(folder, True), maps
        ),
        "cityscapes": Protocol("Cityscapes label maps", cityscapes, cityscapes.load, maps),
        "coco-panoptic": Protocol("COCO panoptic quality", coco_panoptic, coco_panoptic.load, panoptic.measure),
        "imagenet": Protocol(
            "ImageNet zero-shot classification", imagenet, lambda folder: imagenet.load(folder, names), classification.measure
        ),
        "flickr30k": Protocol("Flickr30k retrieval", captions, captions.load_flickr30k, retrieval.measure),
        "coco-retrieval": Protocol("COCO retrieval", captions, captions.load_coco, retrieval.measure),
        "ovad": Protocol("OVAD attributes of given boxes", ovad, ovad.load, attributes.measure),
    }
