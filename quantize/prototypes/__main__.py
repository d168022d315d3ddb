"""A bundle → its space of examples: `python -m quantize.prototypes RECIPE [--bundle models/default] [--unseen SHARD …]`.

Runs the bundle over the recipe's shards (40 ms a picture, kept in the recipe's cache), writes `features.safetensors` and the
manifest's `[examples]`. Shards that the model was not trained on tell how much words and examples are worth; without them the
weights stay as they are.
"""

import argparse
import logging
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.examples import save_space
from quantize.arithmetic.geometry import Floats
from quantize.bundle.manifest import BundleError, ExamplePool, Examples, Manifest, Pool
from quantize.bundle.write import FEATURES, sha256, write_manifest
from quantize.command_line import errors_end_it
from quantize.evaluate.onnx import OnnxPredictor
from quantize.model.mobilenetv2 import load_mobilenetv2
from quantize.prototypes.fit import Rows, Words, fit, fit_trust, trials
from quantize.prototypes.seen import Material, joined, keys_in, shard
from quantize.prototypes.space import bank_of, quantised, statistics
from quantize.settings.board import BoardRecipe, load_board_recipe

log = logging.getLogger(__name__)
START = Examples(
    scale=10.0, floor=0.55, counter_scale=25.0, sharpness=4.0,
    region=ExamplePool(Pool(("semantic",), (), 1.2, True, 4), 1.2, ((0.0,) * 4,) * 2, ((0.0,) * 2,) * 2),
    picture=ExamplePool(Pool(("semantic",), (), 1.0, False, 7), 0.7, ((0.0,) * 4,) * 2, ((0.0,) * 2,) * 2),
    ridge=0.01,
)  # fmt: skip
"""Pools, and what is not fitted."""
WORDS_ALONE = ((1.0, 0.0, 0.0, 0.0),) * 2
TRAINED_WORDS = 0.5
"""Share of the words that are replaced where weights are fitted on names that the model was trained on."""

DECIDED = 3.0
"""Factor of the fitted odds that words fit their examples: where one side is likelier right, the other's false alarms count less.
Boxes set aside have more precision so, whether words are right or wrong."""
CAUTIOUS = 12.0
"""Added to these odds, as a logit, for one example, and its share for more: a box may show next to nothing, and words that were
right must not give way to it. Boxes set aside then lose no precision by one example, nor by two."""


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="the board recipe that made the bundle")
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    parser.add_argument(
        "--unseen", type=Path, nargs="+", default=[], metavar="SHARD", help="shards that the model was not trained on"
    )
    parser.add_argument("--leave-out", type=Path, metavar="FILE", help="keys of pictures that are not used, the first column")
    return parser.parse_args()


def make(recipe: BoardRecipe, bundle: Path, unseen: list[Path], leave_out: frozenset[str]) -> None:
    """Writes the space and its weights into the bundle."""
    predictor = OnnxPredictor(bundle)
    manifest = predictor.manifest
    examples = manifest.examples or START
    pools, network = (examples.region.pool, examples.picture.pool), sha256(bundle / "vision.onnx")

    def seen(shards: list[Path]) -> Material:
        parts = [shard(predictor, path, pools, network, Path(recipe.data.cache)) for path in shards]
        return joined(parts).without(leave_out)

    trained = seen([Path(path) for path in recipe.data.shards])
    classifier = load_mobilenetv2(Path(recipe.model.teachers) / "mobilenet_v2_imagenet.npz").classifier.weight.detach().numpy()
    everything = trained
    if unseen:
        new = seen(unseen)
        examples = weighed(predictor, manifest, examples, trained, new, classifier)
        everything = joined([trained, new])
    rng = np.random.default_rng(recipe.seed)
    found = statistics(everything, classifier, rng)
    save_space(bundle / FEATURES, quantised(found, bank_of(found, everything, examples, rng)))
    metrics = tomllib.loads((bundle / "model.toml").read_text()).get("metrics", {})
    write_manifest(bundle, replace(manifest, examples=examples), metrics)


def weighed(
    predictor: OnnxPredictor, manifest: Manifest, examples: Examples, trained: Material, new: Material, classifier: Floats
) -> Examples:
    """With weights fitted on the new pictures' names, and on the boxes of trained scenes."""
    rng = np.random.default_rng(0)
    aside = frozenset(new.pictures.names.tolist())
    found = statistics(trained, classifier, rng, aside)
    bank = bank_of(found, trained, examples, rng)
    scenes = np.isin(trained.boxes.pictures, np.unique(trained.candidates.pictures[trained.candidates.names != ""]))
    pictures, boxes, candidates = new.pictures, trained.boxes.take(scenes), trained.candidates
    of_scenes = candidates.take(np.isin(candidates.pictures, boxes.pictures))

    def words(names: NDArray[np.str_]) -> Words:
        listed = sorted({name for name in names.tolist() if name})
        return Words(listed, predictor.embed_texts(listed), predictor.bank, manifest.max_similarity)

    picture = Rows(pictures, found.vectors(pictures, found.picture_centre, examples.picture.embedding))
    region = [Rows(rows, found.vectors(rows, found.region_centre, examples.region.embedding)) for rows in (boxes, of_scenes)]
    drawn = {
        "picture": trials(picture, picture, bank, words(pictures.names), manifest.image, examples, 0.0),
        "region": trials(region[0], region[1], bank, words(boxes.names), manifest.region, examples, TRAINED_WORDS),
    }
    for kind, score in (("picture", manifest.image), ("region", manifest.region)):
        (beside, loss), (alone, other) = fit(drawn[kind], score, True), fit(drawn[kind], score, False)
        log.info("%s: beside words %s loss %.4f, alone %s loss %.4f", kind, beside, loss, alone, other)
        pool: ExamplePool = replace(getattr(examples, kind), beside_words=beside, alone=alone)
        if kind == "region":
            # Boxes are told by words that were trained on thousands, or not at all: a sum of both is worse than the better.
            slope, constant, few = (DECIDED * weight for weight in fit_trust(drawn[kind]))
            trust = tuple(round(weight, 2) for weight in (slope, constant, few + CAUTIOUS))
            pool = replace(pool, beside_words=WORDS_ALONE, trust=trust)
        examples = replace(examples, picture=pool) if kind == "picture" else replace(examples, region=pool)
    return examples


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args = arguments()
    with errors_end_it(FileNotFoundError, BundleError, ValueError):
        leave_out = keys_in(args.leave_out) if args.leave_out else frozenset()
        make(load_board_recipe(args.recipe), args.bundle, args.unseen, leave_out)


if __name__ == "__main__":
    main()
