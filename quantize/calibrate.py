"""Fits a bundle's scores on held-out training pictures: `python -m quantize.calibrate RECIPE [--bundle FOLDER] [--boxes]`.

The int8 files themselves are run, so that the scores fit what the board computes. Random vocabularies of 1 to 500 names, most of
which are not in the picture, stand for what users ask for; each counts the same, however many names it has.
"""

import argparse
import logging
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.board.split import is_held_out
from quantize.bundle.manifest import Score
from quantize.bundle.write import write_manifest
from quantize.command_line import add_changes, errors_end_it, results_alone
from quantize.data.shards import Sample, Shards
from quantize.data.words import TagParser
from quantize.evaluate.onnx import OnnxPredictor
from quantize.progress import track
from quantize.settings.board import BoardRecipe, load_board_recipe

log = logging.getLogger(__name__)
SIMILARITIES = (0.4, 0.5, 0.6, 0.7, 0.8)
VOCABULARY_SIZES = (1, 2, 5, 20, 80, 200, 500)
VOCABULARIES_PER_PICTURE = 3
ONE_PRESENT_IN = 10
"""Names of a vocabulary for each that is present, at least one; half of the vocabularies have none."""
MOST_ALIKE = 20
"""Names, twice as many as are drawn, that resemble a present one."""
SAME_MEANING = 0.75
MATCH_IOU = 0.5
MAX_DEV = 1000


@dataclass
class HeldOut:
    """What the networks say of one held-out picture, and what is true of it."""

    image: Floats
    regions: Floats
    objectness: Floats
    found: Floats  # candidate boxes
    boxes: Floats  # that are true, input pixels
    names: list[str]
    tags: list[str]


def look(predictor: OnnxPredictor, sample: Sample, tags: list[str], least_score: float = 1.0) -> HeldOut:
    """Boxes of `least_score` or more are true: 1 is people's."""
    outputs, placed = predictor.run_vision(sample.picture)
    content = np.array(placed.content, np.float32)
    found, objectness = reference.candidates(outputs, predictor.manifest.detection, content)
    h, w = sample.picture.shape[:2]
    true = [b for b in sample.boxes if b.score >= least_score]
    boxes = [placed.to_input((b.rect[0] * w, b.rect[1] * h, b.rect[2] * w, b.rect[3] * h)) for b in true]
    regions = predictor.embed_boxes(outputs, placed, found)
    image = reference.unit(outputs["image_embedding"][None])[0]
    return HeldOut(image, regions, objectness, found, np.array(boxes, np.float32).reshape(-1, 4), [b.name for b in true], tags)


Part = tuple[Floats, NDArray[np.bool_], float]
"""Features `[n, F]`, whether the name is right `[n]`, and how much each row counts."""


@dataclass
class Rows:
    """Features `[N, F]`, whether the name is right `[N]`, and how much a row counts `[N]`."""

    features: NDArray[np.float64]
    right: NDArray[np.float64]
    weight: NDArray[np.float64]

    @classmethod
    def cat(cls, parts: list[Part]) -> "Rows":
        """From features, truth and weight of each part."""
        features, right, weights = zip(*parts, strict=True)
        counts = [len(each) for each in right]
        return cls(
            np.concatenate(features).astype(np.float64), np.concatenate(right).astype(np.float64), np.repeat(weights, counts)
        )


def fit_logistic(rows: Rows) -> tuple[tuple[float, ...], float]:
    """Weights (bias first) of a logistic regression, and its mean loss."""
    features = torch.tensor(np.concatenate([np.ones((len(rows.features), 1)), rows.features], 1))
    target, weight = torch.tensor(rows.right), torch.tensor(rows.weight / rows.weight.mean())
    w = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([w], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = binary_cross_entropy_with_logits(features @ w, target, weight) + 1e-5 * (w**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return tuple(round(v, 4) for v in w.tolist()), float(loss().detach())


class Vocabularies:
    """Random lists of names: few that are present, the rest from what was named of other pictures or of none."""

    def __init__(self, predictor: OnnxPredictor, said: list[str], unsaid: list[str]) -> None:
        """`said` of some picture each; `unsaid` of none, which fill large vocabularies."""
        self.universe = [*said, *unsaid]
        self.position = {n: i for i, n in enumerate(self.universe)}
        self.vectors = predictor.embed_texts(self.universe)
        self.bank = predictor.bank

    def draw(self, present: list[str], rng: Generator) -> list[int]:
        """Of the names that are absent, half are drawn from what resembles a present one, since users ask for "dog, cat"."""
        size = min(int(rng.choice(VOCABULARY_SIZES)), len(self.universe) // 2)
        here = [self.position[n] for n in dict.fromkeys(present)]
        most = max(1, size // ONE_PRESENT_IN) if rng.random() < 0.5 else 0
        kept: list[int] = rng.permutation(here)[:most].tolist() if here else []
        absent = size - len(kept)
        alike = self._alike(kept, here, 2 * min(absent, MOST_ALIKE))
        close: list[int] = rng.permutation(alike)[: min(absent, MOST_ALIKE) // 2].tolist() if alike else []
        taken = {*here, *close}
        others = [i for i in rng.permutation(len(self.universe)).tolist() if i not in taken]
        return kept + close + others[: absent - len(close)]

    def _alike(self, kept: list[int], here: list[int], count: int) -> list[int]:
        """What is most like any of `kept`, except what is present and what may mean the same."""
        if not kept:
            return []
        likeness = (self.vectors @ self.vectors[kept].T).max(axis=1)
        ranked = np.argsort(-likeness).tolist()
        return [i for i in ranked if i not in here and likeness[i] < SAME_MEANING][:count]

    def negatives(self, chosen: list[int], max_similarity: float) -> Floats:
        return reference.negatives_for(self.vectors[chosen], self.bank, max_similarity)


def region_rows(seen: list[HeldOut], v: Vocabularies, similarity: float, scale: float, rng: Generator) -> Rows:
    """Margin and objectness of every candidate and name, and whether that name has a box there."""
    parts: list[Part] = []
    for s in seen:
        for _ in range(VOCABULARIES_PER_PICTURE if len(s.found) else 0):
            chosen = v.draw(s.names, rng)
            # sigmoid with weights (0, 1, 0) is undone to get at the margin
            p = reference.region_scores(
                s.regions, s.objectness, v.vectors[chosen], v.negatives(chosen, similarity), Score(scale, (0.0, 1.0, 0.0))
            )
            margin = logit(p)
            overlap = pairwise_iou(s.found, s.boxes) >= MATCH_IOU if len(s.boxes) else np.zeros((len(s.found), 0), bool)
            for column, i in enumerate(chosen):
                mine = np.array([n == v.universe[i] for n in s.names], bool)
                right = np.asarray(overlap[:, mine].any(1), bool)
                parts.append((np.stack([margin[:, column], s.objectness], 1), right, 1 / len(chosen)))
    return Rows.cat(parts)


def tag_rows(seen: list[HeldOut], v: Vocabularies, similarity: float, scale: float, rng: Generator) -> Rows:
    """Margin of every name for the whole picture, and whether its texts mention it."""
    parts: list[Part] = []
    for s in seen:
        for _ in range(VOCABULARIES_PER_PICTURE):
            chosen = v.draw(s.tags, rng)
            p = reference.tag_scores(s.image[None], v.vectors[chosen], v.negatives(chosen, similarity), Score(scale, (0.0, 1.0)))
            parts.append((logit(p)[0][:, None], np.array([v.universe[i] in s.tags for i in chosen]), 1 / len(chosen)))
    return Rows.cat(parts)


def logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return np.asarray(np.log(p / (1 - p)), np.float32)


def held_out(recipe: BoardRecipe) -> list[tuple[Sample, list[str]]]:
    """Held-out pictures with their tags: labels, names of boxes, and what captions mention."""
    samples = [s for s in Shards([Path(p) for p in recipe.data.shards]) if is_held_out(s.key, s.source, recipe.data)]
    parser = TagParser(Path(recipe.data.tag_list).read_text().split("\n"))
    return [(s, list(dict.fromkeys([*s.labels, *parser(s.captions), *(b.name for b in s.boxes)]))) for s in samples[:MAX_DEV]]


def unsaid_names(recipe: BoardRecipe, said: set[str]) -> list[str]:
    """Names of things that no held-out picture is said to have: as good as absent from each."""
    with np.load(recipe.data.clip_names) as arrays:
        return sorted({str(name).lower() for name in arrays["names"]} - said)


def calibrate(recipe: BoardRecipe, bundle: Path) -> None:
    predictor, pictures = OnnxPredictor(bundle), held_out(recipe)
    machine = not any(b.score == 1.0 for sample, _ in pictures for b in sample.boxes)
    if machine and any(sample.boxes for sample, _ in pictures):
        log.warning("no held-out picture has people's boxes: a detector's are taken, whose mistakes count as true")
    least = 0.0 if machine else 1.0
    seen = [look(predictor, sample, tags, least) for sample, tags in track(pictures, "held-out pictures")]
    boxed, tagged = [s for s in seen if len(s.boxes)], [s for s in seen if s.tags]
    log.info("%d pictures with %s boxes, %d with tags", len(boxed), "a detector's" if machine else "people's", len(tagged))
    if not boxed or not tagged:
        raise SystemExit(
            f"{len(boxed)} held-out pictures have boxes and {len(tagged)} have tags, expected some of each: raise data.dev_share"
            " (or take more pictures), or let quantize.annotate find boxes"
        )
    m = predictor.manifest
    said = {t for s in tagged for t in s.tags}
    unsaid = unsaid_names(recipe, said)
    of_boxes = Vocabularies(predictor, sorted({n for s in boxed for n in s.names}), unsaid)
    of_tags = Vocabularies(predictor, sorted(said), unsaid)
    best = None
    for similarity in SIMILARITIES:
        region, region_loss = fit_logistic(region_rows(boxed, of_boxes, similarity, m.region.scale, np.random.default_rng(0)))
        image, image_loss = fit_logistic(tag_rows(tagged, of_tags, similarity, m.image.scale, np.random.default_rng(0)))
        log.info("similarity %.1f: regions %s loss %.4f, tags %s loss %.4f", similarity, region, region_loss, image, image_loss)
        # regions have one positive in a hundred: their loss is scaled to that of the tags
        total = 10 * region_loss + image_loss
        if best is None or total < best[0]:
            best = (total, similarity, region, image, region_loss, image_loss)
    assert best is not None
    _, similarity, region, image, region_loss, image_loss = best
    fitted = replace(m, max_similarity=similarity, region=Score(m.region.scale, region), image=Score(m.image.scale, image))
    metrics = tomllib.loads((bundle / "model.toml").read_text()).get("metrics", {})
    metrics["calibration"] = {"region_loss": region_loss, "tag_loss": image_loss, "pictures": float(len(seen))}
    write_manifest(bundle, fitted, metrics)


def calibrate_boxes(recipe: BoardRecipe, bundle: Path) -> None:
    """Fits the scores of boxes alone; those of tags, and which negatives are too similar, stay."""
    predictor = OnnxPredictor(bundle)
    every = held_out(recipe)
    boxed = [(sample, tags) for sample, tags in every if any(box.score == 1.0 for box in sample.boxes)]
    seen = [look(predictor, sample, tags) for sample, tags in track(boxed, "held-out pictures with boxes")]
    if not seen:
        raise SystemExit("no held-out picture has people's boxes, expected some (dev_shares)")
    m = predictor.manifest
    unsaid = unsaid_names(recipe, {tag for _, tags in every for tag in tags})
    names = Vocabularies(predictor, sorted({name for each in seen for name in each.names}), unsaid)
    weights, loss = fit_logistic(region_rows(seen, names, m.max_similarity, m.region.scale, np.random.default_rng(0)))
    log.info("scores of boxes %s, loss %.4f", weights, loss)
    metrics = tomllib.loads((bundle / "model.toml").read_text()).get("metrics", {})
    metrics["calibration"] = metrics.get("calibration", {}) | {"region_loss": loss}
    write_manifest(bundle, replace(m, region=Score(m.region.scale, weights)), metrics)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="for example quantize/recipes/cpu.toml")
    parser.add_argument("--bundle", type=Path, default=Path("models/default"), help="folder of the bundle (%(default)s)")
    parser.add_argument("--boxes", action="store_true", help="fit the scores of boxes alone")
    add_changes(parser)
    return parser.parse_intermixed_args()


def main() -> None:
    results_alone()
    args = arguments()
    with errors_end_it(FileNotFoundError, ValueError):
        (calibrate_boxes if args.boxes else calibrate)(load_board_recipe(args.recipe, args.changes), args.bundle)


if __name__ == "__main__":
    main()
