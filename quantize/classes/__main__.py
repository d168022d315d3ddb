"""Gives a bundle the detector's class head: `python -m quantize.classes RECIPE [--bundle models/default]`.

Writes `classes.safetensors` and the manifest's `[classes]`. The networks stay: the head reads maps that `vision.onnx` puts out.
How much a class counts beside words is fitted on captioned pictures, which neither the detector nor the teacher (`python -m
quantize.teachers`) was trained on: on COCO's training pictures the detector would be believed too much. A few minutes.
"""

import argparse
import logging
import tomllib
from dataclasses import replace
from pathlib import Path

from quantize.arithmetic.classes import ClassHead, Head, save_classes
from quantize.bundle.manifest import BundleError, Classes
from quantize.bundle.write import CLASSES, write_manifest
from quantize.classes.fit import Detector, fitted
from quantize.command_line import add_changes, errors_end_it, results_alone
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.onnx import OnnxPredictor
from quantize.model.nanodet import CLASSES as COUNT
from quantize.model.nanodet import load_nanodet
from quantize.settings.board import BoardRecipe, load_board_recipe

MAPS = ("tower8", "tower16", "tower32")
RAMP = (0.8, 0.95)
"""Wider ones cost more than they gain, in absent names that are kinds of a class."""
log = logging.getLogger(__name__)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="the board recipe with shards and teachers")
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    add_changes(parser)
    return parser.parse_intermixed_args()


def class_head(recipe: BoardRecipe, predictor: OnnxPredictor) -> ClassHead:
    """The detector's last convolutions, and its classes' names in the bundle's joint space."""
    teachers = Path(recipe.model.teachers)
    net = load_nanodet(teachers / "nanodet_m.param", teachers / "nanodet_m.bin")
    heads = {}
    for name, out in zip(MAPS, net.outs, strict=True):
        assert out.bias is not None
        weight, bias = (values.detach().numpy()[:COUNT] for values in (out.weight[:, :, 0, 0], out.bias))
        heads[name] = Head.of(weight, bias)
    return ClassHead(tuple(COCO_NAMES), heads, predictor.embed_texts(COCO_NAMES))


def main() -> None:
    results_alone()
    args = arguments()
    with errors_end_it(FileNotFoundError, ValueError, BundleError):
        recipe = load_board_recipe(args.recipe, args.changes)
        predictor = OnnxPredictor(args.bundle)
        head = class_head(recipe, predictor)
        weights = fitted(recipe, Detector(predictor, head, MAPS))
        log.info("weights of a constant, margin, objectness and class: %s", weights)
        save_classes(args.bundle / CLASSES, head)
        metrics = tomllib.loads((args.bundle / "model.toml").read_text()).get("metrics", {})
        write_manifest(args.bundle, replace(predictor.manifest, classes=Classes(MAPS, RAMP, weights)), metrics)


if __name__ == "__main__":
    main()
